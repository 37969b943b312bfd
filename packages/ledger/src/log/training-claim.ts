import {
  commitmentTo,
  type CryptoProvider,
  equalBytes,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  saltBytes,
  toHex,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checkTrainingRound, decodeTrainingRound, trainingRoundKind } from './training-round.ts';

/** Kind of an entry that binds its writer to an update before the update leaves. */
export const trainingCommitKind = 'training-commit';
/** Kind of an entry that shows what a commitment was to. */
export const trainingRevealKind = 'training-reveal';

/** Tag of the hash (`commitmentTo` of core-protocol); the sealed statement is the update's signed receipt. */
const commitmentTag = 'peerai/train/1 commitment';
const receiptTag = 'peerai/train/1 update';

export interface TrainingCommit {
  readonly version: 1;
  /** SHA-256 of the run's terms, 32 bytes. */
  readonly run: Uint8Array;
  /** Counted from 0. */
  readonly round: number;
  /** SHA-256 of the state that the steps began at, 32 bytes. */
  readonly base: Uint8Array;
  /** SHA-256 over a salt and the signed receipt of the update, 32 bytes. */
  readonly commitment: Uint8Array;
  /** The run's commitment before this one, where that was to this round or a later one; absent where the run went forward. */
  readonly instead?: Uint8Array | undefined;
}
export interface TrainingReveal {
  readonly version: 1;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** The update's signed receipt: run, round, base, and SHA-256 of the update's bytes. */
  readonly receipt: Uint8Array;
}

const commitForm = wire.message({
  version: wire.uint32(1),
  run: wire.bytes(2),
  round: wire.uint32(3),
  base: wire.bytes(4),
  commitment: wire.bytes(5),
  instead: wire.optional(wire.bytes(6)),
});
const revealForm = wire.message({ version: wire.uint32(1), salt: wire.bytes(2), receipt: wire.bytes(3) });
/** What a receipt says (docs/protocol/train.md); the rest of it is skipped. */
const receiptForm = wire.message({
  run: wire.bytes(1),
  round: wire.uint32(3),
  base: wire.bytes(4),
  update: wire.bytes(5),
});

/** The hash that a member states before its update leaves. Throws INVALID_FORMAT for a salt of another length. */
export const updateCommitment = (
  crypto: Pick<CryptoProvider, 'sha256'>,
  salt: Uint8Array,
  receipt: Uint8Array,
): Uint8Array => commitmentTo(crypto, commitmentTag, { salt, sealed: receipt });

export function encodeTrainingCommit(commit: Omit<TrainingCommit, 'version'>): Uint8Array {
  return commitForm.encode({ version: 1, ...commit, instead: commit.instead });
}

/** Throws INVALID_FORMAT, INVALID_VERSION. */
export function decodeTrainingCommit(body: Uint8Array): TrainingCommit {
  const { version, ...commit } = commitForm.decode(body);
  if (version !== 1) throw unknownVersion('commitment', version);
  const { run, base, commitment, instead = commitment } = commit;
  if ([run, base, commitment, instead].some((hash) => hash.length !== 32))
    throw new PeerAiError('INVALID_FORMAT', 'a hash has 32 bytes');
  return { version, ...commit };
}

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT. */
export function encodeTrainingReveal(reveal: Omit<TrainingReveal, 'version'>): Uint8Array {
  checkReveal(reveal);
  return revealForm.encode({ version: 1, ...reveal });
}

/** Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeTrainingReveal(body: Uint8Array): TrainingReveal {
  const { version, ...reveal } = revealForm.decode(body);
  if (version !== 1) throw unknownVersion('reveal', version);
  checkReveal(reveal);
  return { version, ...reveal };
}

/** What a revealed receipt says, signed by `signer`. Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openRevealed(
  crypto: CryptoProvider,
  receipt: Uint8Array,
): ReturnType<typeof receiptForm.decode> & { readonly signer: PeerId } {
  const { body, signer } = openSigned(crypto, receiptTag, receipt);
  const said = receiptForm.decode(body);
  if ([said.run, said.base, said.update].some((hash) => hash.length !== 32))
    throw new PeerAiError('INVALID_FORMAT', 'a hash has 32 bytes');
  return { ...said, signer: peerIdFromPublicKey(signer) };
}

interface Live {
  readonly round: number;
  readonly base: Uint8Array;
  readonly commitment: Uint8Array;
  readonly isRevealed: boolean;
}
/** What one log says of one run by now: its newest commitment, those that can be revealed, and the receipts that were. */
interface RunClaims {
  readonly live: readonly Live[];
  readonly revealed: readonly Uint8Array[];
}

/** Holds the entries of one log about its own updates against each other, in their order. */
export interface TrainingClaims {
  /**
   * Takes the next entry; of another kind than the three it is nothing. Throws RECEIPT_WRONG for what does not fit what the log says before it, and then takes nothing of it;
   * INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED.
   */
  take(entry: { readonly kind: string; readonly body: Uint8Array }): void;
  /** The same so far, to go on from without this one noticing. */
  fork(): TrainingClaims;
}

/** Whether an entry of this kind is held against those before it. */
export const isTrainingClaim = (kind: string): boolean =>
  kind === trainingCommitKind || kind === trainingRevealKind || kind === trainingRoundKind;

export function createTrainingClaims(
  crypto: CryptoProvider,
  origin: PeerId,
  before: ReadonlyMap<string, RunClaims> = new Map(),
): TrainingClaims {
  const runs = new Map(before);
  return {
    take({ kind, body }) {
      if (kind === trainingCommitKind) takeCommit(runs, decodeTrainingCommit(body));
      else if (kind === trainingRevealKind) takeReveal(crypto, origin, runs, decodeTrainingReveal(body));
      else if (kind === trainingRoundKind) takeResult(crypto, origin, runs, body);
    },
    fork: () => createTrainingClaims(crypto, origin, runs),
  };
}

function takeCommit(runs: Map<string, RunClaims>, commit: TrainingCommit): void {
  const { round, base, commitment, instead } = commit;
  const run = toHex(commit.run);
  const { live, revealed } = runs.get(run) ?? { live: [], revealed: [] };
  const newest = live.at(-1);
  const next: Live = { round, base, commitment, isRevealed: false };
  if (newest === undefined || round > newest.round) {
    if (instead !== undefined) throw wrong(`the commitment to round ${round} takes the place of one that it is not in`);
    runs.set(run, { live: [next], revealed: [] });
    return;
  }
  if (instead === undefined || !equalBytes(instead, newest.commitment))
    throw wrong(`a second commitment to round ${round}, which does not name the one before it`);
  if (live.some((one) => equalBytes(one.commitment, commitment)))
    throw wrong(`the same commitment to round ${round} twice`);
  runs.set(run, { live: [...live, next].slice(-limits.commitmentsLiveMax), revealed });
}

function takeReveal(
  crypto: CryptoProvider,
  origin: PeerId,
  runs: Map<string, RunClaims>,
  { salt, receipt }: TrainingReveal,
): void {
  const said = openRevealed(crypto, receipt);
  if (said.signer !== origin) throw wrong('it reveals another peer’s update');
  const run = toHex(said.run);
  const { live, revealed } = runs.get(run) ?? { live: [], revealed: [] };
  const commitment = updateCommitment(crypto, salt, receipt);
  const meant = live.find((one) => equalBytes(one.commitment, commitment));
  if (meant === undefined) throw wrong(`it reveals what was not committed to in round ${said.round}`);
  if (meant.round !== said.round || !equalBytes(meant.base, said.base))
    throw wrong(`it reveals an update of round ${said.round} that was committed to as one of round ${meant.round}`);
  if (meant.isRevealed) throw wrong(`a second reveal of one commitment to round ${said.round}`);
  runs.set(run, {
    live: live.map((one) => (one === meant ? { ...one, isRevealed: true } : one)),
    revealed: [...revealed, receipt].slice(-limits.commitmentsLiveMax),
  });
}

/** From the first commitment of a run on, a log claims no update that it has not revealed. */
function takeResult(
  crypto: CryptoProvider,
  origin: PeerId,
  runs: ReadonlyMap<string, RunClaims>,
  body: Uint8Array,
): void {
  const { run, round, own } = decodeTrainingRound(body);
  const claims = runs.get(toHex(run));
  checkTrainingRound(crypto, body, origin);
  if (own === undefined || claims === undefined) return;
  if (!claims.revealed.some((receipt) => equalBytes(receipt, own)))
    throw wrong(`the result of round ${round} counts an update that was not revealed`);
}

function checkReveal({ salt, receipt }: Omit<TrainingReveal, 'version'>): void {
  if (salt.length !== saltBytes) throw new PeerAiError('INVALID_FORMAT', `a salt has ${saltBytes} bytes`);
  if (receipt.length > limits.updateReceiptBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `an update’s receipt has at most ${limits.updateReceiptBytesMax} bytes`);
}

const wrong = (reason: string): PeerAiError => new PeerAiError('RECEIPT_WRONG', reason);
const unknownVersion = (what: string, version: number): PeerAiError =>
  new PeerAiError('INVALID_VERSION', `training ${what} version ${version}; this program reads 1`);
