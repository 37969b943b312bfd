import { base58 } from '@scure/base';
import { byteName, concatBytes, fromByteName } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { PeerId } from '../ports/index.ts';
import { keepRecent } from '../recent.ts';

/** Identity multihash (0x00) of 36 bytes: protobuf PublicKey {type 1: Ed25519, data 32 bytes}. libp2p specs, peer-ids. */
const prefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);

/** libp2p's peer id of a 32-byte Ed25519 public key. */
export function peerIdFromPublicKey(publicKey: Uint8Array): PeerId {
  if (publicKey.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'an Ed25519 public key has 32 bytes');
  return idOf(byteName(publicKey));
}

const idOf = keepRecent(limits.peerIdsKept, (key) => base58.encode(concatBytes(prefix, fromByteName(key))) as PeerId);

/** The 32-byte Ed25519 key inside a peer id. Throws INVALID_FORMAT for anything else, other key types included. */
export function publicKeyFromPeerId(peer: string): Uint8Array {
  return keyOf(peer).slice();
}

const keyOf = keepRecent(limits.peerIdsKept, (peer) => {
  const bytes = decode(peer);
  if (bytes.length !== 38 || !prefix.every((byte, index) => bytes[index] === byte)) {
    throw new PeerAiError('INVALID_FORMAT', 'not the peer id of an Ed25519 key', { peer: peer.slice(0, 80) });
  }
  return bytes.slice(6);
});

/** Throws INVALID_FORMAT. */
export function parsePeerId(text: string): PeerId {
  keyOf(text);
  return text as PeerId;
}

function decode(peer: string): Uint8Array {
  try {
    return peer.length > 80 ? new Uint8Array() : base58.decode(peer);
  } catch {
    return new Uint8Array();
  }
}
