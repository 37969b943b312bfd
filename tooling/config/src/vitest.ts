import { defineConfig, mergeConfig } from 'vitest/config';

const conditions = ['@peerai/source', 'module', 'node', 'development|production'];

/** Tests run from source, with no build: workspace packages resolve through their `@peerai/source` condition. */
const preset = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

export function vitestConfig(overrides: Parameters<typeof defineConfig>[0] = {}): ReturnType<typeof defineConfig> {
  return mergeConfig(preset, overrides as never);
}
