import { fromHex, toHex, wire } from '@peerai/core-protocol';

import type { CapsuleId } from './capsule.ts';
import { memoryLimits as limits } from './limits.ts';

/** A capsule that was taken away and can come back. */
export interface TakenAway {
  readonly id: CapsuleId;
  /** Of its sealed row. */
  readonly rowBytes: number;
}
/** One commit of a consolidation: capsules that expired, or some that became one. */
export interface Part {
  /** Which consolidation, and which of its commits; both count from 0. */
  readonly run: number;
  readonly place: number;
  readonly atMs: number;
  readonly away: readonly TakenAway[];
  /** What they became; nothing for expired ones. */
  readonly into: CapsuleId | undefined;
}

const awayForm = wire.message({ id: wire.bytes(1), rowBytes: wire.uint32(2) });
const partForm = wire.message({
  run: wire.uint53(1),
  place: wire.uint32(2),
  atMs: wire.uint53(3),
  away: wire.repeated(wire.nested(4, awayForm), Math.max(limits.expireStepCapsules, limits.capsuleRelationsMax)),
  into: wire.optional(wire.bytes(5)),
});

const folder = 'consolidation/';
const digits = (count: number): string => count.toString().padStart(16, '0');

/** Ordered by run and place. */
export const partKey = ({ run, place }: Part): string => `${folder}${digits(run)}.${digits(place)}`;
export const partRange = [folder, `${folder}:`] as const;

export function partRow(part: Part): Uint8Array {
  return partForm.encode({
    ...part,
    away: part.away.map(({ id, rowBytes }) => ({ id: fromHex(id), rowBytes })),
    into: part.into === undefined ? undefined : fromHex(part.into),
  });
}

/** Throws INVALID_FORMAT. */
export function readPart(row: Uint8Array): Part {
  const { away, into, ...rest } = partForm.decode(row);
  return {
    ...rest,
    away: away.map(({ id, rowBytes }) => ({ id: toHex(id), rowBytes })),
    into: into === undefined ? undefined : toHex(into),
  };
}
