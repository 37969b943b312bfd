import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { PrivacyBudget } from '../privacy/budget.ts';
import type { Refusal } from './aggregate.ts';
import type { BlobTable } from './blob-table.ts';
import type { ClosedRound } from './messages.ts';
import type { SharedState } from './outer.ts';
import type { Run } from './run-spec.ts';

/** What training asks of the world. `blobs` must be served to the run's members (`serveBlobs` of core-protocol). */
export interface RunDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly blobs: BlobTable;
  /** Fit for secrets. Needed for private runs and for noise. */
  readonly random?: Random;
  /** Whether a peer may take part in this run here (its hash); all may that the network lets in, unless said. */
  readonly mayJoin?: (peer: PeerId, run: Uint8Array) => boolean;
}

/** Throws INVALID_OPTION where there is none. */
export function randomOf({ random }: RunDeps): Random {
  if (random === undefined)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Masks and noise need a source of randomness.');
  return random;
}

/**
 * Differential privacy of one peer's own updates: each is shortened to an L2 norm of `clip` and gets Gaussian noise of deviation `noise · clip` before
 * anybody sees it, masked or not. One step of the budget is booked for each; the loss is not told.
 */
export interface UpdatePrivacy {
  readonly clip: number;
  readonly noise: number;
  readonly budget: PrivacyBudget;
}

/**
 * States from which this peer's update was unmasked before, as hashes in hex. Who goes on with a private run after its program ended has to know
 * them: two sums from one state can show an update.
 */
export interface UnmaskedStates {
  readonly known: Iterable<string>;
  /** Durable when it resolves; the shares leave after that. */
  note(base: string): Promise<void>;
}

/**
 * Binds this peer to an update before anything of it leaves. Durable when it resolves, with the salt that opens the commitment (`updateCommitment`). What it throws ends this peer's part; a LIMIT_REACHED or ABORTED only costs the round this update.
 *
 * @param receipt - the update's signed receipt; in a private run that of the masked row.
 */
export type CommitUpdate = (receipt: Uint8Array) => Promise<Uint8Array>;

/** Who makes the local steps: a trainer with this peer's own data, which never leaves it. */
export interface Learner {
  /**
   * @param weights - where the steps begin; not to be changed.
   * @returns the weights after `localSteps` steps, and the mean loss of those steps in nats.
   */
  learn(
    weights: Float32Array,
    context: { readonly round: number; readonly localSteps: number; readonly signal: AbortSignal },
  ): Promise<{ readonly weights: Float32Array; readonly loss: number }>;
}

/** What a person who watches a run sees. */
export type RunEvent =
  | { readonly type: 'coordinator'; readonly peer: PeerId; readonly term: number }
  | { readonly type: 'opened'; readonly round: number; readonly members: number }
  | { readonly type: 'received'; readonly round: number; readonly received: number; readonly needed: number }
  | { readonly type: 'learned'; readonly round: number; readonly loss: number }
  | { readonly type: 'submitted'; readonly round: number; readonly bytes: number; readonly late: boolean }
  | { readonly type: 'refused'; readonly round: number; readonly reason: string }
  | {
      readonly type: 'closed';
      readonly round: number;
      /** SHA-256 of the state the round began at. */
      readonly base: Uint8Array;
      /** SHA-256 of the state all members hold now. */
      readonly hash: Uint8Array;
      /** Mean of the losses the members reported, nats; NaN where none did. */
      readonly loss: number;
      readonly peers: readonly PeerId[];
      readonly refused: readonly Refusal[];
      /** Signed receipts of the updates: what goes into each log. */
      readonly receipts: readonly Uint8Array[];
    };

/** One peer's part in a run, shared by leading and following. */
export interface Participant {
  readonly run: Run;
  readonly learner: Learner;
  readonly onEvent: (event: RunEvent) => void;
  readonly privacy: UpdatePrivacy | undefined;
  /** Keeps that an update was unmasked, where the peer may come back to the run. */
  readonly noteUnmasked?: ((base: string) => Promise<void>) | undefined;
  readonly commit?: CommitUpdate | undefined;
  /** The state this peer holds, its bytes' hash, and what its last packing left out. */
  readonly held: Held;
}

export interface Held {
  state: SharedState;
  hash: Uint8Array;
  residual: Float32Array | undefined;
  term: number;
  /** Who claimed that term, as far as known. */
  termOf: PeerId | undefined;
  /** Hashes of the states from which this peer's update was unmasked, as hex. */
  readonly unmasked: Set<string>;
  /** The round that closed last, as the coordinator told it. */
  closed: ClosedRound | undefined;
  /** Everybody who was ever in the run, as far as known, sorted: the order in which they take over. */
  members: readonly PeerId[];
}
