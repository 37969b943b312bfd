import { equalBytes, type PeerId, toHex } from '@peerai/core-protocol';
import type { Placed, RefusedDocument } from './collect.ts';
import { pointsKind, type PointsMove, type PointsPolicy } from './points.ts';

/** A group's points as its entries say. The balances add up to the supply. */
export interface PointsStanding {
  readonly group: string;
  /** The sum of the issues that count, and their hashes in hex: each is an entry that its issuer's log proves. */
  readonly supply: bigint;
  readonly issues: readonly string[];
  readonly balances: ReadonlyMap<PeerId, bigint>;
  /** Peers that used one place twice: what they signed from there on does not count. */
  readonly doubleSpenders: ReadonlySet<PeerId>;
}
export interface PointsReplay {
  readonly groups: ReadonlyMap<string, PointsStanding>;
  readonly refused: readonly RefusedDocument[];
}

/** Moves of one peer and kind, in their places. */
interface Line {
  readonly moves: readonly Placed<PointsMove>[];
  next: number;
}
interface Sums {
  supply: bigint;
  readonly issues: string[];
  readonly balances: Map<PeerId, bigint>;
  readonly doubleSpenders: Set<PeerId>;
}

/**
 * Issues first, each peer's in order under the decision that allows it; then transfers, each giver's in order, as far as its points reach. A transfer takes
 * only from its signer, whose moves have one order, and gives to others: so all orders of documents end the same.
 */
export function replayPoints(moves: readonly Placed<PointsMove>[], policies: readonly PointsPolicy[]): PointsReplay {
  const groups = new Map<string, Sums>();
  const refused: RefusedDocument[] = [];
  const sumsOf = (group: string): Sums => {
    const known = groups.get(group) ?? { supply: 0n, issues: [], balances: new Map(), doubleSpenders: new Set() };
    groups.set(group, known);
    return known;
  };
  const refuse = ({ hash }: Placed<PointsMove>, code: string): void =>
    void refused.push({ kind: pointsKind, hash, code });
  const linesOf = (kind: PointsMove['kind']): Line[] => {
    const byGiver = Map.groupBy(
      moves.filter(({ value }) => value.kind === kind),
      ({ value }) => `${value.group}\n${value.from}`,
    );
    return [...byGiver.values()].map((all) => ({ moves: inPlaces(all, sumsOf, refuse), next: 0 }));
  };
  const give = (sums: Sums, to: PeerId, amount: bigint): void =>
    void sums.balances.set(to, (sums.balances.get(to) ?? 0n) + amount);

  for (const { moves: line } of linesOf('issue')) {
    const issued = new Map<string, bigint>();
    for (const one of line) {
      const { group, from, to, amount, decision = new Uint8Array() } = one.value;
      const policy = policies.find((each) => each.group === group && equalBytes(each.decision, decision));
      const most = policy?.issuers.get(from);
      const name = toHex(decision);
      const total = (issued.get(name) ?? 0n) + amount;
      if (most === undefined || total > most) {
        refuse(one, most === undefined ? 'NOT_GRANTED' : 'LIMIT_EXCEEDED');
        continue;
      }
      issued.set(name, total);
      const sums = sumsOf(group);
      sums.supply += amount;
      sums.issues.push(one.hash);
      give(sums, to, amount);
    }
  }
  const lines = linesOf('transfer');
  for (let moved = true; moved;) {
    moved = false;
    for (const line of lines)
      for (let one = line.moves[line.next]; one !== undefined; one = line.moves[line.next]) {
        const { group, from, to, amount } = one.value;
        const sums = sumsOf(group);
        const has = sums.balances.get(from) ?? 0n;
        if (has < amount) break;
        sums.balances.set(from, has - amount);
        give(sums, to, amount);
        line.next += 1;
        moved = true;
      }
  }
  for (const { moves: line, next } of lines) for (const one of line.slice(next)) refuse(one, 'CREDIT_EXCEEDED');
  return {
    groups: new Map(
      [...groups].map(([group, { issues, ...sums }]) => [group, { group, ...sums, issues: issues.toSorted() }]),
    ),
    refused,
  };
}

/** From the first place on as long as none is missing and none was used twice. */
function inPlaces(
  moves: readonly Placed<PointsMove>[],
  sumsOf: (group: string) => Sums,
  refuse: (one: Placed<PointsMove>, code: string) => void,
): readonly Placed<PointsMove>[] {
  const byPlace = Map.groupBy(moves, ({ n }) => n);
  const line: Placed<PointsMove>[] = [];
  for (let n = 1; ; n += 1) {
    const here = byPlace.get(n) ?? [];
    const [one] = here;
    if (one !== undefined && here.length === 1) {
      line.push(one);
      continue;
    }
    if (one !== undefined) sumsOf(one.value.group).doubleSpenders.add(one.value.from);
    const code = one === undefined ? 'NOT_FOUND' : 'DOUBLE_SPENT';
    for (const late of moves.filter((each) => each.n >= n)) refuse(late, code);
    return line;
  }
}
