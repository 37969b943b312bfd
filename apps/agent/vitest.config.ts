import { processTestsConfig } from '@peerai/config/vitest';

export default processTestsConfig({ test: { globalSetup: ['./test/build.ts'] } });
