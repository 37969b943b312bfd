import type { PeerId } from '@peerai/core-protocol';
import { decodeChainEntry, encodeChainEntry, isSignedEntry, signEntry } from './entry.ts';
import { epochKind } from './epoch.ts';
import { agreementLimits as limits } from './limits.ts';
import { encodeMessage } from './message.ts';
import { isEntryOf } from './place.ts';
import { broadcast, heightOf, isMember, type OwnEntry, type Turn, withEntry } from './state.ts';
import type { ChainEntry, Wish } from './types.ts';

/** This member wants payloads in the chain: they are numbered, signed and told to all. */
export function submit(turn: Turn, wishes: readonly Wish[]): void {
  const { place, own } = turn.state;
  const { identity } = turn.parts;
  const first = (place.numbers.get(identity.peer) ?? 0) + own.length + 1;
  const fresh = wishes.map(({ ticket, payload }, at): OwnEntry => {
    return { ticket, payload, entry: signEntry(identity, place.group, first + at, payload) };
  });
  turn.state = { ...turn.state, own: [...own, ...fresh] };
  const entries = fresh.map(({ entry }) => encodeChainEntry(entry));
  if (isMember(turn) && entries.length > 0) broadcast(turn, encodeMessage({ entries }));
}

/**
 * Takes another member's entry. The newest that its author signed for a place counts: after a crash it may sign the place anew.
 * @returns it, where it is checked and was not here.
 */
export function learnEntry(turn: Turn, bytes: Uint8Array): ChainEntry | undefined {
  const { state, parts } = turn;
  const { place, pool } = state;
  const entry = decodeChainEntry(bytes);
  const { author, number } = entry;
  const before = place.numbers.get(author) ?? 0;
  if (author === parts.identity.peer || number <= before || number > before + limits.pendingPerAuthorMax)
    return undefined;
  const known = pool.get(author) ?? new Map<number, ChainEntry>();
  const same = known.get(number);
  if (same !== undefined && same.signature.every((byte, at) => byte === entry.signature[at])) return undefined;
  if (!isEntryOf(place, number, entry) || !isSignedEntry(parts.crypto, place.group, entry)) return undefined;
  turn.state = { ...state, pool: withEntry(pool, author, withEntry(known, number, entry)) };
  return entry;
}

/** What is left after a block; own entries whose number another one of ours took get a new one. */
export function poolAfterBlock(turn: Turn, decided: readonly ChainEntry[]): void {
  const { place, pool, own } = turn.state;
  const { identity } = turn.parts;
  const left = new Map<PeerId, ReadonlyMap<number, ChainEntry>>();
  for (const [author, entries] of pool) {
    const after = place.numbers.get(author) ?? 0;
    const waiting = [...entries].filter(([number]) => number > after);
    if (waiting.length > 0 && place.epoch.members.includes(author)) left.set(author, new Map(waiting));
  }
  const mine = own.filter(({ ticket, entry }) => {
    const index = decided.findIndex((one) => isSame(one, entry));
    if (index >= 0) turn.effects.push({ type: 'settled', ticket, height: place.height, index });
    return index < 0;
  });
  const first = (place.numbers.get(identity.peer) ?? 0) + 1;
  const renumbered = mine.map((one, at): OwnEntry => {
    const number = first + at;
    return one.entry.number === number ? one : { ...one, entry: signEntry(identity, place.group, number, one.payload) };
  });
  turn.state = { ...turn.state, pool: left, own: isMember(turn) ? renumbered : [] };
  if (!isMember(turn)) for (const { ticket } of mine) turn.effects.push({ type: 'dropped', ticket });
}

const isSame = (a: ChainEntry, b: ChainEntry): boolean =>
  a.author === b.author && a.number === b.number && a.signature.every((byte, at) => byte === b.signature[at]);

/** Whether anything waits that this member would put into the next block. */
export function hasEntries(turn: Turn): boolean {
  const { place, pool, own } = turn.state;
  if (pool.size === 0 && own.length === 0) return false;
  return place.epoch.members.some((member) => waitingOf(turn, member, 1).length > 0);
}

/** What this member would put into the next block: each author's entries in their order, one of each in turn, as many as fit. */
export function nextEntries(turn: Turn): readonly ChainEntry[] {
  const { place } = turn.state;
  const { members } = place.epoch;
  const queues = members.map((_, at) => waitingOf(turn, members[(at + place.height) % members.length] as PeerId));
  const chosen: ChainEntry[] = [];
  let bytes = 0;
  let hasChange = false;
  for (let at = 0; queues.some((queue) => queue.length > at); at += 1) {
    for (const queue of queues) {
      const entry = queue[at];
      if (entry === undefined) continue;
      const length = encodeChainEntry(entry).length;
      const isChange = entry.kind === epochKind;
      const fits = chosen.length < limits.blockEntriesMax && bytes + length <= limits.blockEntriesBytesMax;
      if (!fits || (isChange && hasChange)) return chosen;
      hasChange ||= isChange;
      bytes += length;
      chosen.push(entry);
    }
  }
  return chosen;
}

/** An author's entries from its next number on, as far as there is no gap and this member agrees. */
function waitingOf(turn: Turn, author: PeerId, most: number = limits.pendingPerAuthorMax): readonly ChainEntry[] {
  const { state, parts } = turn;
  const { place, pool, own } = state;
  const isOwn = author === parts.identity.peer;
  const entries = isOwn ? new Map(own.map(({ entry }) => [entry.number, entry])) : pool.get(author);
  const found: ChainEntry[] = [];
  for (let number = (place.numbers.get(author) ?? 0) + 1; ; number += 1) {
    const entry = entries?.get(number);
    if (entry === undefined || found.length === most || !isEntryOf(place, number, entry) || !isAgreed(turn, entry))
      return found;
    found.push(entry);
  }
}

export const isAgreed = ({ state, parts }: Turn, entry: ChainEntry): boolean =>
  parts.judge(entry, { height: heightOf(state), epoch: state.place.epoch });
