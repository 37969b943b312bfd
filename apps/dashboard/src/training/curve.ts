import type { TrainingRoundView } from '@peerai/peer/control';

/** People count from one. */
export const shownRound = ({ round }: { readonly round: number }): number => round + 1;

/** The box of the curve, and where its axes are. */
export const box = { width: 640, height: 280, left: 48, right: 16, top: 16, bottom: 32 } as const;

interface Point {
  readonly round: number;
  readonly loss: number;
}

export interface Curve {
  readonly x: (round: number) => number;
  readonly y: (loss: number) => number;
  /** Losses at which a line is drawn across. */
  readonly ticks: readonly number[];
  readonly path: (points: readonly Point[]) => string;
}

/** Scales so that every loss fits between zero and a round number above the largest. */
export function curveOf(losses: readonly number[], rounds: number): Curve {
  const step = stepFor(Math.max(...losses, 1e-3));
  const count = Math.max(1, Math.ceil(Math.max(...losses, 1e-3) / step));
  const wide = box.width - box.left - box.right;
  const high = box.height - box.top - box.bottom;
  const x = (round: number): number => box.left + (rounds <= 1 ? 0 : ((round - 1) / (rounds - 1)) * wide);
  const y = (loss: number): number => box.top + (1 - loss / (step * count)) * high;
  return {
    x,
    y,
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6))),
    path: (points) =>
      points
        .map(({ round, loss }, i) => {
          // A round without it leaves a gap.
          const goesOn = points[i - 1]?.round === round - 1;
          return `${goesOn ? 'L' : 'M'}${x(round).toFixed(1)} ${y(loss).toFixed(1)}`;
        })
        .join(''),
  };
}

/** 1, 2 or 5 times a power of ten, four to six of them up to the largest value. */
function stepFor(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(largest / 4));
  const factor = [1, 2, 5, 10].find((one) => largest / (one * power) <= 5) ?? 10;
  return factor * power;
}

export function pointsOf(
  rounds: readonly TrainingRoundView[],
  lossOf: (round: TrainingRoundView) => number | null | undefined,
): Point[] {
  return rounds.flatMap((round) => {
    const loss = lossOf(round);
    return typeof loss === 'number' && Number.isFinite(loss) ? [{ round: shownRound(round), loss }] : [];
  });
}

export interface Participant {
  readonly peerId: string;
  readonly name: string;
  /** Rounds in which its update counted. */
  readonly counted: ReadonlySet<number>;
  readonly refused: ReadonlySet<number>;
}

/** Everybody whose update ever came, and who is in it now; those first who counted most. */
export function participants(
  members: readonly { readonly peerId: string; readonly name: string }[],
  rounds: readonly TrainingRoundView[],
): Participant[] {
  const all = new Map<string, { peerId: string; name: string; counted: Set<number>; refused: Set<number> }>();
  const find = ({ peerId, name }: { readonly peerId: string; readonly name: string }) => {
    const known = all.get(peerId) ?? { peerId, name, counted: new Set<number>(), refused: new Set<number>() };
    all.set(peerId, known);
    return known;
  };
  for (const member of members) find(member);
  for (const round of rounds) {
    for (const member of round.members) find(member).counted.add(shownRound(round));
    for (const member of round.refused) find(member).refused.add(shownRound(round));
  }
  return [...all.values()].toSorted((a, b) => b.counted.size - a.counted.size);
}
