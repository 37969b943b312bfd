import { type CryptoProvider, equalBytes, PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { packDelta } from './delta.ts';
import { signReceipt, type UpdateReceipt } from './messages.ts';
import type { SharedState } from './outer.ts';
import type { Participant, RunDeps } from './participant.ts';
import { encodeState } from './shared-state.ts';

/** A member's own update of one round. */
export interface LocalUpdate {
  readonly receipt: Uint8Array;
  readonly packed: Uint8Array;
  readonly loss: number;
  /** What packing left out; kept once the update is in. */
  readonly residual: Float32Array;
}

/** Local steps from the shared weights, the change packed and signed. Throws what the learner throws, NOT_FINITE, SHAPE_MISMATCH. */
export async function learnLocally(deps: RunDeps, part: Participant, signal: AbortSignal): Promise<LocalUpdate> {
  const { run, learner, held, onEvent } = part;
  const { state, hash, term, residual: before } = held;
  const learned = await learner.learn(state.weights, { round: state.round, localSteps: run.localSteps, signal });
  if (learned.weights.length !== run.size)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The learner gave back another number of weights.', {
      expected: run.size,
      received: learned.weights.length,
    });
  const delta = state.weights.map((value, index) => value - (learned.weights[index] ?? 0));
  const { bytes: packed, residual } = packDelta(delta, run.bits, before);
  const receipt: UpdateReceipt = {
    run: run.hash,
    term,
    round: state.round,
    base: hash,
    update: deps.crypto.sha256(packed),
    updateBytes: packed.length,
    loss: learned.loss,
  };
  onEvent({ type: 'learned', round: state.round, loss: learned.loss });
  return { receipt: signReceipt(deps.identity, receipt), packed, loss: learned.loss, residual };
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

/** Mean of what the members say of their own steps, nats. */
export function meanLoss(updates: readonly { readonly loss: number }[]): number {
  return updates.reduce((sum, { loss }) => sum + loss, 0) / updates.length;
}
