import { type CryptoProvider, equalBytes, PeerAiError, saltBytes } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { clipAndAddNoise } from '../privacy/noise.ts';
import { signReceipt, type UpdateReceipt } from './messages.ts';
import type { SharedState } from './outer.ts';
import { updatePacking } from './packing.ts';
import { type Participant, randomOf, type RunDeps } from './participant.ts';
import type { Change } from './private/input.ts';
import { encodeState } from './shared-state.ts';

/** A member's own update of one round. */
export interface LocalUpdate {
  readonly receipt: Uint8Array;
  /** Opens the commitment that was made to the receipt; absent where none was. */
  readonly salt: Uint8Array | undefined;
  readonly packed: Uint8Array;
  readonly loss: number;
  /** What packing left out; kept once the update is in. */
  readonly residual: Float32Array;
}

/**
 * Local steps from the shared weights, and what they changed; clipped and noisy where this peer asks for it.
 *
 * Throws what the learner throws; SHAPE_MISMATCH; PRIVACY_SPENT when the budget allows no further update.
 */
export async function learnChange(deps: RunDeps, part: Participant, signal: AbortSignal): Promise<Change> {
  const { run, learner, held, onEvent, privacy } = part;
  const { state } = held;
  const learned = await learner.learn(state.weights, { round: state.round, localSteps: run.localSteps, signal });
  if (learned.weights.length !== run.size)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The learner gave back another number of weights.', {
      expected: run.size,
      received: learned.weights.length,
    });
  const delta = state.weights.map((value, index) => value - (learned.weights[index] ?? 0));
  onEvent({ type: 'learned', round: state.round, loss: learned.loss });
  if (privacy === undefined) return { delta, loss: learned.loss };
  const { clip, noise, budget } = privacy;
  await budget.spend({ noise, sampleRate: 1, steps: 1 });
  return { delta: clipAndAddNoise(delta, { clip, noise }, randomOf(deps)), loss: Number.NaN };
}

/** The change of this peer's local steps, packed, signed and committed to. Throws what `learnChange` and `commit` throw, NOT_FINITE. */
export async function learnLocally(deps: RunDeps, part: Participant, signal: AbortSignal): Promise<LocalUpdate> {
  const { run, held } = part;
  const { state, hash, term, residual: before } = held;
  const { delta, loss } = await learnChange(deps, part, signal);
  const { bytes: packed, residual } = updatePacking(run).pack(delta, before);
  const receipt: UpdateReceipt = {
    run: run.hash,
    term,
    round: state.round,
    base: hash,
    update: deps.crypto.sha256(packed),
    updateBytes: packed.length,
    loss,
  };
  const sealed = signReceipt(deps.identity, receipt);
  const salt = part.commit === undefined ? saltFor(deps, part) : await part.commit(sealed);
  return { receipt: sealed, salt, packed, loss, residual };
}

/** Of a peer without a log, as a tab is: what it commits to is said on the wire alone. */
function saltFor(deps: RunDeps, { run }: Participant): Uint8Array | undefined {
  return run.sealed === true ? randomOf(deps).bytes(saltBytes) : undefined;
}

/** A state with the bytes others fetch and the hash that names it. */
export interface NamedState {
  readonly state: SharedState;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

export function named(crypto: CryptoProvider, state: SharedState): NamedState {
  const bytes = encodeState(state);
  return { state, bytes, hash: crypto.sha256(bytes) };
}

/** Takes a new shared state: its bytes replace the old ones where others fetch them. */
export function adopt(
  { blobs }: Pick<RunDeps, 'blobs'>,
  { held }: Participant,
  { state, bytes, hash }: NamedState,
): void {
  blobs.put(bytes, hash);
  if (!equalBytes(hash, held.hash)) blobs.delete(held.hash);
  held.state = state;
  held.hash = hash;
}

/** Mean of what the members say of their own steps, nats; NaN where none says it. */
export function meanLoss(updates: readonly { readonly loss: number }[]): number {
  const told = updates.filter(({ loss }) => !Number.isNaN(loss));
  return told.reduce((sum, { loss }) => sum + loss, 0) / told.length;
}
