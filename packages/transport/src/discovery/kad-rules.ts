import type { KadDHTInit } from '@libp2p/kad-dht';
import { type CryptoProvider, openRecord, type PeerId, type PeerRecord, utf8 } from '@peerai/core-protocol';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { transportError } from '../errors.ts';

const namespace = 'peerai';
const rawCodec = 0x55;
const sha256Code = 0x12;

/** Where a peer's own record lies in the DHT. */
export function recordKey(peer: PeerId): Uint8Array {
  return utf8(`/${namespace}/${peer}`);
}

/** Where those are listed who say that they offer this, such as `model:mistral`: the SHA-256 of the text. */
export function offerKey(crypto: CryptoProvider, what: string): CID {
  return CID.createV1(rawCodec, createDigest(sha256Code, crypto.sha256(utf8(what))));
}

/**
 * What may lie in the DHT: a peer's record under this peer's own key, validly signed and not expired; of two, the higher sequence. libp2p's
 * public key entries are refused: Ed25519 peer ids hold their key.
 */
export function kadRules(crypto: CryptoProvider, nowMs: () => number): Pick<KadDHTInit, 'validators' | 'selectors'> {
  const open = (value: Uint8Array): PeerRecord => openRecord(crypto, value, nowMs());
  return {
    validators: {
      [namespace]: (key, value) => {
        const { peer } = open(value);
        if (new TextDecoder().decode(key) === `/${namespace}/${peer}`) return;
        throw transportError('REFUSED', 'this record belongs under another key');
      },
      pk: () => {
        throw transportError('REFUSED', 'no public keys are kept here');
      },
    },
    selectors: {
      [namespace]: (_key, values) => {
        const sequences = values.map((value) => open(value).sequence);
        return sequences.indexOf(Math.max(...sequences));
      },
    },
  };
}
