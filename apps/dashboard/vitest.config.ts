import { vitestConfig } from '@peerai/config/vitest';

/** The pages run in one Chromium from `dist/`: the build comes first (`pnpm build`; a missing `dist/` is built by the set-up). */
export default vitestConfig({
  // One browser at a time: three at once on two cores take longer than one after the other.
  test: { testTimeout: 30_000, hookTimeout: 60_000, fileParallelism: false },
});
