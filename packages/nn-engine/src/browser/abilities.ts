import { limits } from '../limits.ts';

/** What of a tab's scope this asks; a test hands in another one. */
export interface TabScope {
  readonly WebAssembly?: Pick<typeof WebAssembly, 'validate'>;
  readonly Worker?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** A module with one function, `v128.const 0; drop`: valid only where there is SIMD. */
const simdModule = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 26, 11,
]);

/** What this tab lacks to run graphs, in words; undefined when it has all. */
export function missingAbility(tab: TabScope = globalThis): string | undefined {
  if (tab.WebAssembly === undefined) return 'This browser has no WebAssembly, or it is switched off.';
  if (!tab.WebAssembly.validate(simdModule)) return 'This browser’s WebAssembly has no SIMD; a newer browser has it.';
  return tab.Worker === undefined ? 'This browser has no workers.' : undefined;
}

/** Threads a program can have here: all cores where the page is cross-origin isolated, else one. */
export function threadsPossible({ crossOriginIsolated, navigator }: TabScope = globalThis): number {
  return crossOriginIsolated === true ? Math.max(1, navigator?.hardwareConcurrency ?? 1) : 1;
}

/** Threads of a program that was not told: half of the cores, since the visitor has other things to do. */
export function threadsUnlessSaid(tab: TabScope = globalThis): number {
  return Math.min(limits.tabThreads, Math.ceil(threadsPossible(tab) / 2));
}
