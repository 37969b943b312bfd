import { type Clock, type PeerId } from '@peerai/core-protocol';
import { routeLimits } from './limits.ts';

/** A way to a peer: the neighbour first, the peer itself last. */
export interface Path {
  readonly peers: readonly PeerId[];
  /** Round trip as measured, or as the neighbour says, milliseconds. */
  readonly costMs: number;
}
interface Measured {
  roundTripMs: number;
  loss: number;
}
/** The ways that neighbours offer, best first by measured round trip and loss. */
export interface Paths {
  /** What a neighbour offers now instead of what it offered before. Paths through `self`, with a peer twice, or too long, are left out. */
  learn(neighbour: PeerId, linkMs: number, offers: readonly Path[]): void;
  forget(neighbour: PeerId): void;
  /** At most four, no two alike. */
  to(peer: PeerId): readonly Path[];
  /** Every peer that is reached, by its best path. */
  best(): readonly Path[];
  /** What came of an attempt: its round trip, or undefined for none. */
  measure(path: Path, roundTripMs: number | undefined): void;
}

export function createPaths(self: PeerId, clock: Clock): Paths {
  const offers = new Map<PeerId, { readonly atMs: number; readonly paths: readonly Path[] }>();
  const measured = new Map<string, Measured>();
  const nameOf = ({ peers }: Path): string => peers.join(' ');
  const costOf = (path: Path): number => {
    const { roundTripMs = path.costMs, loss = 0 } = measured.get(nameOf(path)) ?? {};
    // What is lost is sent again: the expected round trips until one comes through.
    return (roundTripMs + 1) / Math.max(0.02, 1 - loss);
  };
  const current = (): readonly Path[] => {
    const oldestMs = clock.elapsedMs() - routeLimits.pathsKeptMs;
    for (const [neighbour, { atMs }] of offers) if (atMs < oldestMs) offers.delete(neighbour);
    return [...offers.values()].flatMap(({ paths }) => paths).sort((a, b) => costOf(a) - costOf(b));
  };
  return {
    learn: (neighbour, linkMs, offered) => {
      const paths = offered
        .map(({ peers, costMs }) => ({ peers: [neighbour, ...peers], costMs: costMs + linkMs }))
        .filter(({ peers }) => !peers.includes(self) && new Set(peers).size === peers.length)
        .filter(({ peers }) => peers.length >= 2 && peers.length <= routeLimits.hopsMax);
      offers.set(neighbour, { atMs: clock.elapsedMs(), paths });
      const names = new Set([...offers.values()].flatMap((one) => one.paths.map(nameOf)));
      for (const name of measured.keys()) if (!names.has(name)) measured.delete(name);
    },
    forget: (neighbour) => void offers.delete(neighbour),
    to: (peer) =>
      current()
        .filter(({ peers }) => peers.at(-1) === peer)
        .slice(0, routeLimits.pathsPerPeerMax),
    best: () => {
      const best = new Map<PeerId | undefined, Path>();
      for (const path of current()) if (!best.has(path.peers.at(-1))) best.set(path.peers.at(-1), path);
      return [...best.values()].map((path) => ({
        ...path,
        costMs: Math.min(routeLimits.pathCostMsMax, Math.round(costOf(path))),
      }));
    },
    measure: (path, roundTripMs) => {
      const weight = routeLimits.measureWeight;
      const before = measured.get(nameOf(path)) ?? { roundTripMs: roundTripMs ?? path.costMs, loss: 0 };
      measured.set(nameOf(path), {
        roundTripMs: before.roundTripMs + weight * ((roundTripMs ?? before.roundTripMs) - before.roundTripMs),
        loss: before.loss + weight * ((roundTripMs === undefined ? 1 : 0) - before.loss),
      });
    },
  };
}
