import type { CryptoProvider, PeerId } from '@peerai/core-protocol';
import { type AgreementState, decodeMessage, decodeStatement, isSigned } from '@peerai/ledger/agreement/parts';
import type { Dice } from '../dice.ts';

/** Who is linked with whom: everybody, or the honest peers in a line, around one of them, or as chance has it but connected. */
export const groupShapes = ['full', 'line', 'star', 'random'] as const;
export type GroupShape = (typeof groupShapes)[number];

export interface Shape {
  isLinked(one: PeerId, other: PeerId): boolean;
  /** Whether the honest of these reach each other over links between them, without the liars. */
  isConnected(peers: readonly PeerId[]): boolean;
}

/** @param honest - in the order in which they are linked: a part of this list from its beginning on is connected. Liars have links with all. */
export function shapeOf(shape: GroupShape, dice: Dice, honest: readonly PeerId[]): Shape {
  const links = new Set<string>();
  const link = (one: PeerId, other: PeerId): void => void links.add(`${one} ${other}`).add(`${other} ${one}`);
  for (const [at, peer] of honest.entries()) {
    const before = honest.slice(0, at);
    if (shape === 'line') before.slice(-1).forEach((other) => link(peer, other));
    if (shape === 'star') before.slice(0, 1).forEach((other) => link(peer, other));
    if (shape !== 'random' || at === 0) continue;
    link(peer, dice.pick(before));
    for (const other of before) if (dice.chance(0.2)) link(peer, other);
  }
  const isHonest = new Set(honest);
  const isLinked = (one: PeerId, other: PeerId): boolean =>
    shape === 'full' || !isHonest.has(one) || !isHonest.has(other) || links.has(`${one} ${other}`);
  return {
    isLinked,
    isConnected(peers) {
      const those = peers.filter((peer) => isHonest.has(peer));
      const found = new Set(those.slice(0, 1));
      for (const one of found) for (const other of those) if (isLinked(one, other)) found.add(other);
      return found.size === those.length;
    },
  };
}

/** What an honest member must not send, its own words or others': what their signers did not sign, or are no members to say. */
export function wrongIn(
  crypto: CryptoProvider,
  { place }: Pick<AgreementState, 'place'>,
  bytes: Uint8Array,
): string | undefined {
  const { proposal, votes } = decodeMessage(bytes);
  for (const one of [...(proposal === undefined ? [] : [proposal]), ...votes].map(decodeStatement)) {
    if (!place.numbers.has(one.signer)) return 'an honest member hands on what nobody of the group said';
    if (!isSigned(crypto, one)) return 'an honest member hands on what was not signed';
  }
  return undefined;
}
