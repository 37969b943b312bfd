import { cpus, totalmem } from 'node:os';
import type { MachineReading } from '@peerai/peer';

/** Counters of all processors, and the share of the memory that this process cannot have: of its control group's where there is one. */
export function readMachine(): MachineReading {
  let [busyMs, totalMs] = [0, 0];
  for (const { times } of cpus()) {
    const worked = times.user + times.nice + times.sys + times.irq;
    busyMs += worked;
    totalMs += worked + times.idle;
  }
  const most = process.constrainedMemory();
  const all = most > 0 && most < totalmem() ? most : totalmem();
  return { busyMs, totalMs, memory: Math.min(1, Math.max(0, 1 - process.availableMemory() / all)) };
}
