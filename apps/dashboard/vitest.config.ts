import { vitestConfig } from '@peerai/config/vitest';

/** The pages run in one Chromium from `dist/`: the build comes first (`pnpm build`; a missing `dist/` is built by the set-up). */
export default vitestConfig({ test: { testTimeout: 30_000, hookTimeout: 60_000 } });
