import { type PeerId, toHex } from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import type { CutStage, Places } from './open-split.ts';

/** Bytes of weights by their SHA-256 in hex: of the stages that begin at another device. */
export const awayOf = (stages: Places, cut: readonly CutStage[], self: PeerId): ReadonlyMap<string, number> =>
  new Map(
    cut.flatMap(({ sha256, bytes }, index) =>
      stages[index]?.places[0] === self ? [] : [[toHex(sha256), bytes.length] as const],
    ),
  );

/** The same source, which tells how much of what goes elsewhere was read, each time it is a whole percent more. */
export function handedOut(
  source: BlobSource,
  away: ReadonlyMap<string, number>,
  told: (moved: number, bytes: number) => void,
): BlobSource {
  const bytes = [...away.values()].reduce((sum, length) => sum + length, 0);
  const reached = new Map<string, number>();
  let percent = -1;
  return {
    length: (sha256, peer) => source.length(sha256, peer),
    async read(sha256, offset, count) {
      const piece = await source.read(sha256, offset, count);
      const id = toHex(sha256);
      if (away.has(id)) reached.set(id, Math.max(reached.get(id) ?? 0, offset + piece.length));
      const moved = [...reached.values()].reduce((sum, length) => sum + length, 0);
      const now = Math.floor((100 * moved) / bytes);
      if (now > percent) {
        percent = now;
        told(moved, bytes);
      }
      return piece;
    },
  };
}
