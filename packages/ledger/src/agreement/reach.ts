import { type PeerId, wire } from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import { type Parts, statementName, type Turn, viewAt, withEntry } from './state.ts';
import type { StatementKind, Way } from './types.ts';

/**
 * Whom a member hears itself, and what it has of the others: said beside `where` at its height, so lists go by the places of that epoch's members.
 * What it says here is about itself alone: who lies in it gets too much or too little, and nobody else does.
 */
export interface Reach {
  /** One bit for each member, as in a certificate: heard lately over its own link. */
  readonly hears: Uint8Array;
  /** The same for each kind of statement in its view, one list after the other: propose, notarize, nullify, finalize. */
  readonly has: Uint8Array;
  /** Each member's entry up to which it has all that wait, by number; empty where it has none that wait. */
  readonly pending: readonly number[];
  /** Seconds since each member was last heard by anybody that this one heard of, rounded up; 255 for longer and for never. */
  readonly ages: Uint8Array;
}
export const reachForm = wire.message({
  hears: wire.bytes(1),
  has: wire.bytes(2),
  pending: wire.repeated(wire.uint53(3), limits.membersMax),
  ages: wire.bytes(4),
});

export const statementKinds = [
  'propose',
  'notarize',
  'nullify',
  'finalize',
] as const satisfies readonly StatementKind[];
const ageMax = 255;
type Watch = Pick<Turn, 'state' | 'nowMs'> & { readonly parts: Pick<Parts, 'identity' | 'times'> };

/** Heard lately over its own link: at rest members speak seldom, while something is decided often. */
export function hears({ state, parts, nowMs }: Watch, peer: PeerId): boolean {
  const { resendMs, idleMs } = parts.times;
  const { busyMs } = state;
  const soonMs = limits.missedTalks * resendMs;
  const windowMs = busyMs !== undefined && nowMs - busyMs > soonMs ? soonMs : 2 * idleMs + soonMs;
  const atMs = state.heard.get(peer);
  return atMs !== undefined && nowMs - atMs <= windowMs;
}

export function reachAt(turn: Turn): Reach {
  const { state, parts, nowMs } = turn;
  const { members } = state.place.epoch;
  const { statements } = viewAt(state, state.round.view);
  const self = parts.identity.peer;
  const ways = waysOf(turn);
  const isIdle = state.pool.size === 0 && state.own.length === 0;
  return {
    hears: bitsOf(members, (peer) => peer === self || hears(turn, peer)),
    has: Uint8Array.from(
      statementKinds.flatMap((kind) => [...bitsOf(members, (peer) => statements.has(statementName(kind, peer)))]),
    ),
    pending: isIdle ? [] : members.map((peer) => newestOf(turn, peer)),
    ages: Uint8Array.from(members, (peer) => {
      if (peer === self) return 0;
      const way = ways.get(peer);
      return way === undefined ? ageMax : ageOf(nowMs - way.atMs);
    }),
  };
}
/** Rounded up: what is told on is never fresher than what was heard, so a member that is gone grows old with all. */
const ageOf = (ms: number): number => Math.min(ageMax, Math.ceil(ms / 1_000));

/** Up to which number this member has all entries of an author that wait. */
function newestOf({ state, parts }: Turn, author: PeerId): number {
  const { place, pool, own } = state;
  if (author === parts.identity.peer) return own.at(-1)?.entry.number ?? place.numbers.get(author) ?? 0;
  const entries = pool.get(author);
  let number = place.numbers.get(author) ?? 0;
  while (entries?.has(number + 1) === true) number += 1;
  return number;
}

/** What a member at this height says of itself. */
export function learnReach(turn: Turn, from: PeerId, reach: Reach): void {
  const { state, parts, nowMs } = turn;
  const { members } = state.place.epoch;
  const told = new Set(members.filter((_, place) => hasBit(reach.hears, place)));
  const wayTo = new Map(state.wayTo);
  if (reach.ages.length === members.length)
    for (const [place, peer] of members.entries()) {
      const age = reach.ages[place] ?? ageMax;
      const atMs = nowMs - age * 1_000;
      if (age === ageMax || peer === parts.identity.peer || peer === from) continue;
      if (atMs > (wayTo.get(peer)?.atMs ?? -Infinity)) wayTo.set(peer, { via: from, atMs });
    }
  turn.state = { ...state, hearsOf: withEntry(state.hearsOf, from, told), wayTo };
}

/** What these said just now came through another. */
export function hearThrough(turn: Turn, via: PeerId, peers: readonly PeerId[]): void {
  const { state, nowMs } = turn;
  const others = peers.filter((peer) => peer !== via);
  if (others.length === 0) return;
  const wayTo = new Map(state.wayTo);
  for (const peer of others) wayTo.set(peer, { via, atMs: nowMs });
  turn.state = { ...state, wayTo };
}

/** How each other member of the epoch is reached, as far as it was heard of in the last minutes. */
export function waysOf(at: Watch): ReadonlyMap<PeerId, Way> {
  const { state, parts, nowMs } = at;
  const found = new Map<PeerId, Way>();
  for (const peer of state.place.epoch.members) {
    if (peer === parts.identity.peer) continue;
    const direct = state.heard.get(peer);
    const told = state.wayTo.get(peer);
    if (direct !== undefined && (hears(at, peer) || direct >= (told?.atMs ?? -Infinity))) {
      if (nowMs - direct < ageMax * 1_000) found.set(peer, { via: undefined, atMs: direct });
    } else if (told !== undefined && nowMs - told.atMs < ageMax * 1_000) found.set(peer, told);
  }
  return found;
}

export const hasBit = (bits: Uint8Array, place: number): boolean =>
  ((bits[place >> 3] ?? 0) & (1 << (place & 7))) !== 0;

function bitsOf(members: readonly PeerId[], isSet: (peer: PeerId) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(members.length / 8));
  for (const [place, peer] of members.entries())
    if (isSet(peer)) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
  return bits;
}
/** Whether the sender has this member's statement of a kind in its view. */
export function hasStatement(members: readonly PeerId[], { has }: Reach, kind: StatementKind, place: number): boolean {
  const length = Math.ceil(members.length / 8);
  const from = statementKinds.indexOf(kind) * length;
  return hasBit(has.subarray(from, from + length), place);
}
