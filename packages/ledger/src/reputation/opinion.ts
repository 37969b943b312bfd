import {
  type CryptoProvider,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  sealSigned,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { reputationLimits as limits } from './limits.ts';

/** What one peer makes of another from its own dealings alone. */
export interface Opinion {
  readonly teller: PeerId;
  readonly subject: PeerId;
  /** Its direct score, 0 to 1, and the units it rests on. */
  readonly score: number;
  readonly good: number;
  readonly bad: number;
  /** The teller's wall clock. */
  readonly timeMs: number;
}

const tag = 'peerai/reputation/1 opinion';
const form = wire.message({
  version: wire.uint32(1),
  subject: wire.bytes(2),
  score: wire.double(3),
  good: wire.double(4),
  bad: wire.double(5),
  timeMs: wire.uint53(6),
});

/** Throws INVALID_FORMAT. */
export function signOpinion(identity: Identity, opinion: Omit<Opinion, 'teller'>): Uint8Array {
  check({ ...opinion, teller: identity.peer });
  return sealSigned(
    identity,
    tag,
    form.encode({ ...opinion, version: 1, subject: publicKeyFromPeerId(opinion.subject) }),
  );
}

/** Whose it is is the signature's to say. Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, LIMIT_EXCEEDED, EXPIRED, CLOCK_SKEW. */
export function openOpinion(crypto: CryptoProvider, bytes: Uint8Array, nowMs: number): Opinion {
  if (bytes.length > limits.opinionBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `an opinion has at most ${limits.opinionBytesMax} bytes`);
  const { body, signer } = openSigned(crypto, tag, bytes);
  const { version, subject, ...rest } = form.decode(body);
  if (version !== 1)
    throw new PeerAiError<LedgerErrorCode>('INVALID_VERSION', `opinion version ${version}; this program reads 1`);
  const opinion = { ...rest, teller: peerIdFromPublicKey(signer), subject: peerIdFromPublicKey(subject) };
  check(opinion);
  if (nowMs - opinion.timeMs > limits.opinionAgeMsMax)
    throw new PeerAiError<LedgerErrorCode>('EXPIRED', 'this opinion is too old');
  if (opinion.timeMs - nowMs > limits.opinionAheadMsMax)
    throw new PeerAiError<LedgerErrorCode>('CLOCK_SKEW', 'this opinion is yet to come');
  return opinion;
}

function check({ teller, subject, score, good, bad }: Opinion): void {
  const isCount = (units: number): boolean => units >= 0 && units <= limits.opinionUnitsMax;
  if (teller === subject) throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'nobody is asked about himself');
  if (!(score >= 0 && score <= 1) || !isCount(good) || !isCount(bad))
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the opinion has an impossible value');
}
