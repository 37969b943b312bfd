import { createIdentity, type PeerId } from '@peerai/core-protocol';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';

import {
  createKeyCeremony,
  type GroupKey,
  type GroupSigner,
  type KeyCeremony,
  openGroupSigner,
} from '../src/frost/index.ts';
import { crypto } from './world.ts';

export const random = seededRandom(11);

export const peersOf = (count: number): readonly PeerId[] =>
  Array.from({ length: count }, () => createIdentity(crypto, random.bytes(32)).peer).toSorted();

export function of<K, T>(map: ReadonlyMap<K, T>, key: K): T {
  const found = map.get(key);
  if (found === undefined) throw new Error('nothing of that peer');
  return found;
}

/** A ceremony of these members, up to the shares. */
export function ceremony(members: readonly PeerId[], threshold: number) {
  const terms = { members, threshold, ceremony: random.bytes(16) };
  const all: ReadonlyMap<PeerId, KeyCeremony> = new Map(
    members.map((self) => [self, createKeyCeremony({ crypto, random, self }, terms)]),
  );
  const announced: ReadonlyMap<PeerId, Uint8Array> = new Map([...all].map(([peer, one]) => [peer, one.announce()]));
  return { all, announced };
}

/** What everybody else made for this member. */
export function sharesFor(
  made: ReadonlyMap<PeerId, ReadonlyMap<PeerId, Uint8Array>>,
  self: PeerId,
): ReadonlyMap<PeerId, Uint8Array> {
  return new Map([...made].flatMap(([from, to]) => (from === self ? [] : [[from, of(to, self)] as const])));
}

/** A group whose key was made without a dealer. */
export function keysOf(members: readonly PeerId[], threshold: number): ReadonlyMap<PeerId, GroupKey> {
  const { all, announced } = ceremony(members, threshold);
  const made = new Map([...all].map(([peer, one]) => [peer, one.share(announced)]));
  return new Map([...all].map(([peer, one]) => [peer, one.finish(sharesFor(made, peer))]));
}

export const signerOf = (key: GroupKey, store = new MemoryStore()): Promise<GroupSigner> =>
  openGroupSigner({ store: store.room('group'), crypto, random }, key);
