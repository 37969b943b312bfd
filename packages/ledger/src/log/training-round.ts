import {
  type CryptoProvider,
  equalBytes,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Kind of an entry that says which round of a training run its writer took the result of. */
export const trainingRoundKind = 'training-round';

/** What a member states of one round: where it began, where it led, on whose signed updates. */
export interface TrainingRound {
  readonly version: 1;
  /** SHA-256 of the run's terms, 32 bytes. */
  readonly run: Uint8Array;
  /** Counted from 0. */
  readonly round: number;
  /** SHA-256 of the state before the round and after it, 32 bytes each. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** `receiptsHash` of the members' signed receipts that came with the result. */
  readonly receipts: Uint8Array;
  /** Updates that counted, and those that were refused by the rule. */
  readonly counted: number;
  readonly refused: number;
  /** This peer's own signed receipt among them, as it was handed in; absent where the round went on without it. */
  readonly own?: Uint8Array | undefined;
}

const codec = wire.message({
  version: wire.uint32(1),
  run: wire.bytes(2),
  round: wire.uint32(3),
  before: wire.bytes(4),
  after: wire.bytes(5),
  receipts: wire.bytes(6),
  counted: wire.uint32(7),
  refused: wire.uint32(8),
  own: wire.optional(wire.bytes(9)),
});
/** What an update's receipt says of its place (docs/protocol/train.md); the rest of it is skipped. */
const receiptTag = 'peerai/train/1 update';
const receiptPlace = wire.message({ run: wire.bytes(1), round: wire.uint32(3), base: wire.bytes(4) });

/** The body of an entry of this kind. Throws LIMIT_EXCEEDED. */
export function encodeTrainingRound(round: Omit<TrainingRound, 'version'>): Uint8Array {
  checkOwn(round.own);
  return codec.encode({ version: 1, ...round, own: round.own });
}

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeTrainingRound(body: Uint8Array): TrainingRound {
  const { version, ...round } = codec.decode(body);
  if (version !== 1)
    throw new PeerAiError('INVALID_VERSION', `training round version ${version}; this program reads 1`);
  if ([round.run, round.before, round.after, round.receipts].some((hash) => hash.length !== 32))
    throw new PeerAiError('INVALID_FORMAT', 'a hash has 32 bytes');
  checkOwn(round.own);
  return { version, ...round };
}

/** What a log may say: a whole statement, and an own receipt that its writer signed for this very round. Throws RECEIPT_WRONG, INVALID_SIGNATURE, and as decoding. */
export function checkTrainingRound(crypto: CryptoProvider, body: Uint8Array, origin: PeerId): void {
  const { run, round, before, own } = decodeTrainingRound(body);
  if (own === undefined) return;
  const { body: said, signer } = openSigned(crypto, receiptTag, own);
  const place = receiptPlace.decode(said);
  const fits = place.round === round && equalBytes(place.run, run) && equalBytes(place.base, before);
  if (!fits || peerIdFromPublicKey(signer) !== origin)
    throw new PeerAiError('RECEIPT_WRONG', 'the update’s receipt is of another round, or not of this peer');
}

/** SHA-256 over the receipts' own SHA-256, sorted: whoever has the same receipts has the same hash, in whatever order they came. */
export function receiptsHash(crypto: Pick<CryptoProvider, 'sha256'>, receipts: readonly Uint8Array[]): Uint8Array {
  const hashes = receipts.map((receipt) => crypto.sha256(receipt));
  return crypto.sha256(...hashes.toSorted(compareBytes));
}

function checkOwn(own: Uint8Array | undefined): void {
  if ((own?.length ?? 0) > limits.updateReceiptBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `an update’s receipt has at most ${limits.updateReceiptBytesMax} bytes`);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place < 0 ? 0 : (a[place] ?? 0) - (b[place] ?? 0);
}
