import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { missingAbility, type TabScope, threadsPossible, threadsUnlessSaid } from './abilities.ts';

const able: TabScope = { WebAssembly, Worker: () => undefined };

describe('what a tab can do', () => {
  it('a tab with WebAssembly, SIMD and workers lacks nothing', () => {
    expect(missingAbility(able)).toBeUndefined();
  });

  it.each([
    ['WebAssembly', { Worker: able.Worker }],
    ['SIMD', { ...able, WebAssembly: { validate: () => false } }],
    ['workers', { WebAssembly }],
  ] as const)('says that it has no %s', (what, tab) => {
    expect(missingAbility(tab)).toContain(what);
  });

  it('threads need a page that is cross-origin isolated', () => {
    const navigator = { hardwareConcurrency: 8 };
    expect(threadsPossible({ navigator, crossOriginIsolated: true })).toBe(8);
    expect(threadsPossible({ navigator, crossOriginIsolated: false })).toBe(1);
    expect(threadsPossible({ navigator })).toBe(1);
    expect(threadsPossible({ crossOriginIsolated: true })).toBe(1);
  });

  it('takes half of the cores when not told, four at most', () => {
    const onCores = (hardwareConcurrency: number) =>
      threadsUnlessSaid({ crossOriginIsolated: true, navigator: { hardwareConcurrency } });
    expect([1, 2, 3, 8, 16].map(onCores)).toEqual([1, 1, 2, limits.tabThreads, limits.tabThreads]);
    expect(threadsUnlessSaid({ navigator: { hardwareConcurrency: 8 } })).toBe(1);
  });
});
