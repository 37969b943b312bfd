import { compareEmoji, type CryptoProvider, type Identity, type PeerId } from '@peerai/core-protocol';
import { cleanName } from './devices.ts';
import type { PendingPairing } from './pairing.schema.ts';
import type { Permission } from './permissions.ts';

export interface PairingFacts {
  readonly id: string;
  readonly peer: PeerId;
  readonly name: string;
  readonly secret: Uint8Array;
  readonly allow: readonly Permission[];
  readonly direction: PendingPairing['direction'];
}

/** What both screens show: four emoji out of both keys and the invite's secret. */
export function shownPairing(
  { crypto, identity }: { readonly crypto: CryptoProvider; readonly identity: Identity },
  { id, peer, name, secret, allow, direction }: PairingFacts,
): Omit<PendingPairing, 'state' | 'sinceMs'> {
  const code = compareEmoji(crypto, identity.peer, peer, secret);
  return {
    id,
    peerId: peer,
    name: cleanName(name),
    emoji: code.map(({ emoji }) => emoji),
    emojiNames: code.map(({ name: word }) => word),
    direction,
    allow: [...allow],
  };
}
