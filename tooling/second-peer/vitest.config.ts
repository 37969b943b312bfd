import { vitestConfig } from '@peerai/config/vitest';

export default vitestConfig();
