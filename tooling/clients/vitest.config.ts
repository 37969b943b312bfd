import { processTestsConfig } from '@peerai/config/vitest';

export default processTestsConfig();
