import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 as keccak256 } from '@noble/hashes/sha3.js';
import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  type Random,
  sealSigned,
  signedBytes,
  toHex,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { evmLimits } from './limits.ts';

/** `0x` and 40 hex digits, lower case. */
export type EvmAddress = `0x${string}`;

/** The secp256k1 key that pays and is paid on a chain. It is made apart from the peer's own key: money can move to another, and who steals one has not the other. */
export interface SettlementKey {
  /** 32 bytes; goes to the signer of transactions and nowhere else. */
  readonly secret: Uint8Array;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly address: EvmAddress;
}
/** Says that a settlement key is a peer's, signed by both keys. */
export interface SettlementKeyStatement {
  readonly peer: PeerId;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly address: EvmAddress;
  /** The writer's wall clock; of a peer's statements the newest counts. */
  readonly statedMs: number;
}

/** The kind of a statement's entry in a log. */
export const settlementKeyKind = 'settlement-key';
const bodyTag = 'peerai/settlement-key/1';
const peerTag = 'peerai/settlement-key-of-peer/1';
const bodyCodec = wire.message({
  version: wire.uint32(1),
  peer: wire.bytes(2),
  publicKey: wire.bytes(3),
  statedMs: wire.uint53(4),
});
const signedByKey = wire.message({ body: wire.bytes(1), signature: wire.bytes(2) });

/** @param secret - 32 bytes. Throws KEY_REFUSED for 0 and for numbers not below the group's order. */
export function settlementKey(secret: Uint8Array): SettlementKey {
  if (!secp256k1.utils.isValidSecretKey(secret))
    throw new PeerAiError<LedgerErrorCode>('KEY_REFUSED', 'this is no secret key of secp256k1');
  const publicKey = secp256k1.getPublicKey(secret, true);
  return { secret: secret.slice(), publicKey, address: addressOf(publicKey) };
}

export function createSettlementKey(random: Random): SettlementKey {
  for (;;) {
    const secret = random.bytes(32);
    // All but one in 2^127 are.
    if (secp256k1.utils.isValidSecretKey(secret)) return settlementKey(secret);
  }
}

/** Last 20 bytes of Keccak-256 of the point without its tag (Yellow Paper, appendix F). */
export function addressOf(publicKey: Uint8Array): EvmAddress {
  const point = secp256k1.Point.fromBytes(publicKey).toBytes(false);
  return `0x${toHex(keccak256(point.subarray(1)).subarray(12))}`;
}

/** The settlement key signs whose it is, the peer signs that over: neither key is claimed against its will. */
export function stateSettlementKey(
  { crypto, identity }: { readonly crypto: Pick<CryptoProvider, 'sha256'>; readonly identity: Identity },
  key: SettlementKey,
  statedMs: number,
): Uint8Array {
  const body = bodyCodec.encode({ version: 1, peer: identity.publicKey, publicKey: key.publicKey, statedMs });
  const hash = crypto.sha256(signedBytes(bodyTag, body));
  const signature = secp256k1.sign(hash, key.secret, { prehash: false });
  return sealSigned(identity, peerTag, signedByKey.encode({ body, signature }));
}

/** Checked offline, both signatures. Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, LIMIT_EXCEEDED. */
export function openSettlementKey(crypto: CryptoProvider, statement: Uint8Array): SettlementKeyStatement {
  if (statement.length > evmLimits.keyStatementBytesMax) {
    const message = `a settlement key’s statement has at most ${evmLimits.keyStatementBytesMax} bytes`;
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', message);
  }
  const outer = openSigned(crypto, peerTag, statement);
  const { body, signature } = signedByKey.decode(outer.body);
  const { version, peer, publicKey, statedMs } = bodyCodec.decode(body);
  if (version !== 1)
    throw new PeerAiError<LedgerErrorCode>(
      'INVALID_VERSION',
      `settlement key version ${version}; this program reads 1`,
    );
  const hash = crypto.sha256(signedBytes(bodyTag, body));
  if (!equalBytes(peer, outer.signer) || !isSignature(signature, hash, publicKey))
    throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'peer and settlement key have not both signed this');
  return { peer: peerIdFromPublicKey(peer), publicKey, address: addressOf(publicKey), statedMs };
}

/** A statement as an entry of its peer's log. */
export const settlementKeyEntry = (statement: Uint8Array): EntryBody => ({ kind: settlementKeyKind, body: statement });

function isSignature(signature: Uint8Array, hash: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 33) return false;
  try {
    return secp256k1.verify(signature, hash, publicKey, { prehash: false, lowS: true });
  } catch {
    // Not a point of the curve.
    return false;
  }
}
