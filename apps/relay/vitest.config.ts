import { vitestConfig } from '@peerai/config/vitest';

export default vitestConfig({ test: { globalSetup: ['./test/build.ts'] } });
