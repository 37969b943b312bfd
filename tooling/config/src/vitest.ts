import { availableParallelism } from 'node:os';

import { defineConfig, mergeConfig } from 'vitest/config';

const conditions = ['@peerai/source', 'module', 'node', 'development|production'];
const cores = availableParallelism();

/** Tests run from source, with no build: workspace packages resolve through their `@peerai/source` condition. */
const preset = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
    // With Vitest's own choice, one less than there are cores, two cores run one file after the other.
    maxWorkers: Math.max(2, cores - 1),
  },
});

type Overrides = Parameters<typeof defineConfig>[0];

export function vitestConfig(overrides: Overrides = {}): ReturnType<typeof defineConfig> {
  return mergeConfig(preset, overrides as never);
}

/** For tests that start real agents and relays, after all others: a file waits for its processes half of the time, so two cores take two at once. */
export function processTestsConfig(overrides: Overrides = {}): ReturnType<typeof defineConfig> {
  const fewer = defineConfig({ test: { maxWorkers: Math.max(2, cores >> 1), sequence: { groupOrder: 1 } } });
  return vitestConfig(mergeConfig(fewer, overrides as never));
}
