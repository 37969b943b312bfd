import type { Clock } from '@peerai/core-protocol';
import { lendingLimits as limits } from './limits.ts';

/** What a machine says of itself: counters that only grow, and how full its memory is. */
export interface MachineReading {
  /** Time that its processors worked, and all their time, milliseconds since some start. */
  readonly busyMs: number;
  readonly totalMs: number;
  /** Share of the memory that is not available. */
  readonly memory: number;
}
/** Means over a short time; shares from 0 to 1. */
export interface Measured {
  /** Work that this peer does for itself and others, of what it does at once. */
  readonly load: number;
  readonly processor: number;
  readonly memory: number;
  /** How long ago the last look was, and how much time the means cover, milliseconds. */
  readonly agoMs: number;
  readonly windowMs: number;
}
export interface Gauge {
  /** Absent before two looks, and where the machine says nothing. */
  mean(): Measured | undefined;
  /** One look. */
  look(): void;
}

interface Look extends MachineReading {
  readonly load: number;
  readonly atMs: number;
}

/**
 * Processor: busy time by all time between the first and the last of five looks. Load and memory: the mean of the looks.
 */
export function createGauge(deps: {
  readonly clock: Pick<Clock, 'elapsedMs'>;
  readonly read: (() => MachineReading) | undefined;
  readonly load: () => number;
}): Gauge {
  const looks: Look[] = [];
  return {
    look() {
      if (deps.read === undefined) return;
      looks.push({ ...deps.read(), load: deps.load(), atMs: deps.clock.elapsedMs() });
      if (looks.length > limits.measuresKept) looks.shift();
    },
    mean() {
      const [first, last] = [looks[0], looks.at(-1)];
      if (first === undefined || last === undefined || last.totalMs <= first.totalMs) return undefined;
      const meanOf = (value: (look: Look) => number): number =>
        looks.reduce((sum, look) => sum + value(look), 0) / looks.length;
      return {
        load: share(meanOf(({ load }) => load)),
        processor: share((last.busyMs - first.busyMs) / (last.totalMs - first.totalMs)),
        memory: share(meanOf(({ memory }) => memory)),
        agoMs: Math.max(0, Math.round(deps.clock.elapsedMs() - last.atMs)),
        windowMs: Math.max(0, Math.round(last.atMs - first.atMs)),
      };
    },
  };
}

const share = (value: number): number => Math.min(1, Math.max(0, value));

export interface Judged {
  readonly free: number;
  readonly load: number | undefined;
  readonly processor: number | undefined;
  readonly memory: number | undefined;
  readonly agoMs: number;
}
/** Why a peer has no free node, in words; empty when it has. */
export function whyNotFree({ free, load, processor, memory, agoMs }: Judged): string[] {
  const why: string[] = [];
  if (free === 0) why.push('no node is free');
  if (load === undefined || processor === undefined || memory === undefined) return [...why, 'nothing was measured'];
  if (agoMs > limits.measureAgeMsMax) why.push('the measurement is old');
  if (!(load < limits.freeLoadMax)) why.push('it works already');
  if (!(processor < limits.freeProcessorMax)) why.push('its processor is busy');
  if (!(memory < limits.freeMemoryMax)) why.push('its memory is full');
  return why;
}
