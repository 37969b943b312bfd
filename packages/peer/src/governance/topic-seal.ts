import {
  concatBytes,
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  type Random,
  toHex,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { agreementLimits } from '@peerai/ledger/agreement';

/** What is inside: nobody without the group's genesis reads it. */
export interface TopicLetter {
  /** Of the author's messages on this topic, each larger than the one before. */
  readonly number: number;
  /** Whom it is for; empty for all. */
  readonly to: readonly PeerId[];
  /** Of the agreement. */
  readonly message: Uint8Array;
}
export interface TopicSeal {
  /** The topic's name, which says nothing of the group. */
  readonly name: string;
  seal(letter: TopicLetter): Uint8Array;
  /** Nothing for what does not open, was sealed by another than `author`, or is no letter. */
  open(bytes: Uint8Array, author: PeerId): TopicLetter | undefined;
}
export interface TopicSealDeps {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly identity: Pick<Identity, 'peer'>;
}

const version = 'peerai/agreement-topic/1';
const keyBytes = 32;
const nonceBytes = 12;
const sealedForm = wire.message({ nonce: wire.bytes(1), sealed: wire.bytes(2) });
const letterForm = wire.message({
  number: wire.uint53(1),
  to: wire.repeated(wire.bytes(2), agreementLimits.membersMax),
  message: wire.bytes(3),
});

/**
 * Seals under keys that follow from a group's genesis (HKDF-SHA256, RFC 5869): its nonce of 16 random bytes is what an outsider cannot guess, while the
 * group's id is a hash of it that leads back to nothing. Each author has a key of its own, so nobody's words pass as another's, and random nonces of
 * 96 bits are enough for 2^32 messages of each (NIST SP 800-38D, 8.3).
 */
export function createTopicSeal({ crypto, random, identity }: TopicSealDeps, genesis: Uint8Array): TopicSeal {
  const aead = crypto.aead['chacha20-poly1305'];
  const derived = (...info: readonly Uint8Array[]): Uint8Array =>
    crypto.hkdfSha256(genesis, utf8(version), concatBytes(...info), keyBytes);
  const name = `sealed/${toHex(derived(utf8('name')))}`;
  const header = utf8(`${version}\0${name}`);
  const keyOf = (author: PeerId): Uint8Array => derived(utf8('key\0'), publicKeyFromPeerId(author));
  const own = keyOf(identity.peer);
  return {
    name,
    seal({ number, to, message }) {
      const nonce = random.bytes(nonceBytes);
      const plain = letterForm.encode({ number, to: to.map(publicKeyFromPeerId), message });
      return sealedForm.encode({ nonce, sealed: aead.seal(own, nonce, plain, header) });
    },
    open(bytes, author) {
      try {
        const { nonce, sealed } = sealedForm.decode(bytes);
        const { number, to, message } = letterForm.decode(aead.open(keyOf(author), nonce, sealed, header));
        return { number, to: to.map(peerIdFromPublicKey), message };
      } catch (error) {
        if (PeerAiError.is(error)) return undefined;
        throw error;
      }
    },
  };
}
