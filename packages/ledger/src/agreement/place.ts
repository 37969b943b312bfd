import {
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { Draft } from './block.ts';
import { encodeChainEntry, isSignedEntry } from './entry.ts';
import { epochKind, firstEpoch, groupIdOf, readMembersPayload } from './epoch.ts';
import { agreementLimits as limits } from './limits.ts';
import type { ChainEntry, Epoch, Genesis } from './types.ts';

/** All that the next block of a chain is held against. */
export interface ChainPlace {
  readonly group: Uint8Array;
  /** Of the newest block; 0 before the first. */
  readonly height: number;
  /** Its hash; before the first the group's id. */
  readonly hash: Uint8Array;
  /** Of the next block. */
  readonly epoch: Epoch;
  /** How many entries each peer has in the chain that ever was a member. */
  readonly numbers: ReadonlyMap<PeerId, number>;
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function firstPlace(crypto: Pick<CryptoProvider, 'sha256'>, genesis: Genesis): ChainPlace {
  const group = groupIdOf(crypto, genesis);
  const epoch = firstEpoch(genesis);
  return { group, height: 0, hash: group, epoch, numbers: new Map(epoch.members.map((member) => [member, 0])) };
}

/** Whether an entry may stand in a block here, as far as the chain itself goes; `number` is the one its author has next. */
export function isEntryOf(place: ChainPlace, number: number, entry: ChainEntry): boolean {
  return entry.number === number && place.epoch.members.includes(entry.author) && mayChange(place, entry);
}

/** Throws BLOCK_WRONG for what may not come next, whoever signed it. */
export function checkDraft(crypto: CryptoProvider, place: ChainPlace, { header, entries }: Draft): void {
  const { group, height, hash, epoch } = place;
  if (!equalBytes(header.group, group)) throw wrong('it is of another group');
  if (header.height !== height + 1) throw wrong(`after ${height} comes ${height + 1}`);
  if (!equalBytes(header.previous, hash)) throw wrong('the block before is another');
  if (header.epoch !== epoch.number) throw wrong(`its epoch is ${epoch.number}`);
  if (entries.length === 0) throw wrong('it has no entries');
  if (entriesBytes(entries) > limits.blockEntriesBytesMax) throw wrong('its entries are too long');
  if (entries.filter(({ kind }) => kind === epochKind).length > 1) throw wrong('it changes the members twice');
  const numbers = new Map(place.numbers);
  for (const entry of entries) {
    const number = (numbers.get(entry.author) ?? 0) + 1;
    if (!isEntryOf(place, number, entry))
      throw wrong('an entry is of no member, out of its order, or names no members');
    if (!isSignedEntry(crypto, group, entry)) throw wrong('an entry is not signed by its author');
    numbers.set(entry.author, number);
  }
}

/** Where the chain is after a block that was checked. */
export function placeAfter(place: ChainPlace, { header: { height }, hash, entries }: Draft): ChainPlace {
  const numbers = new Map(place.numbers);
  for (const { author, number } of entries) numbers.set(author, number);
  const change = entries.find(({ kind }) => kind === epochKind);
  if (change === undefined) return { ...place, height, hash, numbers };
  const members = readMembersPayload(change.body);
  for (const member of members) if (!numbers.has(member)) numbers.set(member, 0);
  const epoch = { number: place.epoch.number + 1, members, fromHeight: height + 1 };
  return { ...place, height, hash, epoch, numbers };
}

export const entriesBytes = (entries: readonly ChainEntry[]): number =>
  entries.reduce((sum, entry) => sum + encodeChainEntry(entry).length, 0);

function mayChange({ numbers }: ChainPlace, { kind, body }: ChainEntry): boolean {
  if (kind !== epochKind) return true;
  try {
    const fresh = readMembersPayload(body).filter((member) => !numbers.has(member));
    return numbers.size + fresh.length <= limits.everMembersMax;
  } catch (error) {
    if (PeerAiError.is(error)) return false;
    throw error;
  }
}

const form = wire.message({
  height: wire.uint53(1),
  hash: wire.bytes(2),
  epoch: wire.uint53(3),
  fromHeight: wire.uint53(4),
  members: wire.repeated(wire.bytes(5), limits.membersMax),
  authors: wire.repeated(
    wire.nested(6, wire.message({ peer: wire.bytes(1), number: wire.uint53(2) })),
    limits.everMembersMax,
  ),
});

/** One row of a member's store, so that it need not read its whole chain to go on. */
export function encodePlace({ height, hash, epoch, numbers }: ChainPlace): Uint8Array {
  return form.encode({
    height,
    hash,
    epoch: epoch.number,
    fromHeight: epoch.fromHeight,
    members: epoch.members.map(publicKeyFromPeerId),
    authors: [...numbers].map(([peer, number]) => ({ peer: publicKeyFromPeerId(peer), number })),
  });
}

export function decodePlace(group: Uint8Array, bytes: Uint8Array): ChainPlace {
  const { height, hash, epoch, fromHeight, members, authors } = form.decode(bytes);
  return {
    group,
    height,
    hash,
    epoch: { number: epoch, fromHeight, members: members.map(peerIdFromPublicKey) },
    numbers: new Map(authors.map(({ peer, number }) => [peerIdFromPublicKey(peer), number])),
  };
}

const wrong = (reason: string): PeerAiError<LedgerErrorCode> =>
  new PeerAiError('BLOCK_WRONG', `this block cannot come next: ${reason}`, { reason });
