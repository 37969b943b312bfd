import { equalBytes } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { bytes, message, uint32, uint53 } from '../wire/index.ts';
import type { Identity } from './identity.ts';
import { peerIdFromPublicKey } from './peer-id.ts';
import { openSigned, sealSigned } from './signed.ts';

/** A peer goes on under another key. */
export interface Succession {
  readonly kind: 'succession';
  readonly from: PeerId;
  readonly to: PeerId;
  readonly statedMs: number;
  /** Until then the old key is still good, so that what is on its way arrives. */
  readonly graceUntilMs: number;
}
/** A key is not to be trusted any more, from now on and for what it signed before. */
export interface Revocation {
  readonly kind: 'revocation';
  readonly peer: PeerId;
  readonly statedMs: number;
}
export type KeyStatement = Succession | Revocation;

const successionTag = 'peerai/succession/1';
const acceptanceTag = 'peerai/succession-accepted/1';
const revocationTag = 'peerai/revocation/1';
const successionBody = message({
  version: uint32(1),
  successor: bytes(2),
  statedMs: uint53(3),
  graceUntilMs: uint53(4),
});
const revocationBody = message({ version: uint32(1), statedMs: uint53(2) });
const statement = message({ kind: uint32(1), signed: bytes(2) });
const kinds = { succession: 1, revocation: 2 } as const;

/** Signed by the old key, and over that by the new one: nobody is made the successor of a key against its will. Throws LIMIT_EXCEEDED. */
export function signSuccession(
  old: Identity,
  next: Identity,
  times: Pick<Succession, 'statedMs' | 'graceUntilMs'>,
): Uint8Array {
  checkTimes(times);
  const inner = sealSigned(
    old,
    successionTag,
    successionBody.encode({ version: 1, successor: next.publicKey, ...times }),
  );
  return statement.encode({ kind: kinds.succession, signed: sealSigned(next, acceptanceTag, inner) });
}

/** Signed by the key itself: who holds it may end it, a thief too. */
export function signRevocation(identity: Identity, statedMs: number): Uint8Array {
  const signed = sealSigned(identity, revocationTag, revocationBody.encode({ version: 1, statedMs }));
  return statement.encode({ kind: kinds.revocation, signed });
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, LIMIT_EXCEEDED, CLOCK_SKEW for one from the future. */
export function openKeyStatement(crypto: CryptoProvider, sealed: Uint8Array, nowMs: number): KeyStatement {
  if (sealed.length > limits.keyStatementBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a key statement has at most ${limits.keyStatementBytesMax} bytes`);
  }
  const { kind, signed } = statement.decode(sealed);
  const opened = kind === kinds.succession ? openSuccession(crypto, signed) : openRevocation(crypto, kind, signed);
  if (opened.statedMs > nowMs + limits.clockSkewMsMax) {
    throw new PeerAiError('CLOCK_SKEW', 'this key statement is from the future', { statedMs: opened.statedMs });
  }
  return opened;
}

function openSuccession(crypto: CryptoProvider, signed: Uint8Array): Succession {
  const outer = openSigned(crypto, acceptanceTag, signed);
  const inner = openSigned(crypto, successionTag, outer.body);
  const { version, successor, statedMs, graceUntilMs } = successionBody.decode(inner.body);
  checkVersion(version);
  checkTimes({ statedMs, graceUntilMs });
  if (!equalBytes(successor, outer.signer)) {
    throw new PeerAiError('INVALID_SIGNATURE', 'the successor has not signed this succession itself');
  }
  if (equalBytes(inner.signer, outer.signer)) throw new PeerAiError('INVALID_FORMAT', 'a key does not succeed itself');
  const [from, to] = [peerIdFromPublicKey(inner.signer), peerIdFromPublicKey(outer.signer)];
  return { kind: 'succession', from, to, statedMs, graceUntilMs };
}

function openRevocation(crypto: CryptoProvider, kind: number, signed: Uint8Array): Revocation {
  if (kind !== kinds.revocation) throw new PeerAiError('INVALID_FORMAT', `a key statement of kind ${kind}`);
  const { body, signer } = openSigned(crypto, revocationTag, signed);
  const { version, statedMs } = revocationBody.decode(body);
  checkVersion(version);
  return { kind: 'revocation', peer: peerIdFromPublicKey(signer), statedMs };
}

function checkVersion(version: number): void {
  if (version === 1) return;
  const supported = { supported: [1] };
  throw new PeerAiError('INVALID_VERSION', `key statement version ${version}; this program reads 1`, supported);
}

function checkTimes({ statedMs, graceUntilMs }: Pick<Succession, 'statedMs' | 'graceUntilMs'>): void {
  if (graceUntilMs >= statedMs && graceUntilMs - statedMs <= limits.keyGraceMsMax) return;
  throw new PeerAiError('LIMIT_EXCEEDED', `an old key is good for at most ${limits.keyGraceMsMax} ms more`);
}
