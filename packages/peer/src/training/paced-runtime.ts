import type { Clock, Program, Runtime } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** A runtime that leaves the processor alone for a part of the time, and says how busy it was. */
export interface PacedRuntime extends Runtime {
  /** Share of the last seconds in which something was computed, 0 to 1. */
  busy(): number;
}

/** @param share - how much of the time may be computed, above 0 to 1; it is asked after each run. */
export function pacedRuntime(runtime: Runtime, clock: Clock, share: () => number): PacedRuntime {
  let spans: { readonly fromMs: number; readonly toMs: number }[] = [];
  const sinceMs = clock.elapsedMs();
  let running: number | undefined;
  const paced = (program: Program): Program => ({
    async run(feeds, signal) {
      const fromMs = clock.elapsedMs();
      running = fromMs;
      let toMs = fromMs;
      try {
        return await program.run(feeds, signal);
      } finally {
        toMs = clock.elapsedMs();
        running = undefined;
        spans = [...spans.filter((span) => span.toMs > toMs - limits.trainingBusyMs), { fromMs, toMs }];
        const restMs = (toMs - fromMs) * (1 / Math.min(1, Math.max(0.01, share())) - 1);
        if (restMs > 0 && !signal.aborted) await clock.sleep(restMs, signal).catch(() => undefined);
      }
    },
    read: (input) => program.read(input),
    write: (input, value) => program.write(input, value),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  });
  return {
    load: async (graph, options) => paced(await runtime.load(graph, options)),
    busy() {
      const nowMs = clock.elapsedMs();
      const fromMs = Math.max(sinceMs, nowMs - limits.trainingBusyMs);
      const all = running === undefined ? spans : [...spans, { fromMs: running, toMs: nowMs }];
      const busyMs = all.reduce((sum, span) => sum + Math.max(0, span.toMs - Math.max(span.fromMs, fromMs)), 0);
      return nowMs <= fromMs ? 0 : Math.min(1, busyMs / (nowMs - fromMs));
    },
  };
}
