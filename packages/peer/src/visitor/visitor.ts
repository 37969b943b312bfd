import type { Clock, CryptoProvider, Identity, Logger, Network, PeerId, Random, Runtime } from '@peerai/core-protocol';
import type { TrainingOfferView, TrainingRoundView, TrainingRunView } from '../training/training.schema.ts';

/** The parts of a world that a visitor's tab has. */
export interface VisitorWorld {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  /** Fit for secrets: a sealed run's commitments are salted with it. */
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
}

/** What taking part would mean, said before anything of it is fetched. */
export interface Visit {
  readonly offer: TrainingOfferView;
  readonly expiresMs: number;
  /** Data that is handed to this visitor; without it the visitor brings its own. */
  readonly handed: { readonly name: string; readonly bytes: number } | undefined;
}

export interface VisitOptions {
  /** The visitor's own data, which stays here; undefined for what is handed out. */
  readonly own: { readonly name: string; readonly text: string } | undefined;
  /** What computes, loaded when it is asked for. */
  readonly runtime: () => Promise<Runtime>;
  readonly threads: number;
  /** How much of the time may be computed, above 0 to 1; asked again and again. */
  readonly share: () => number;
  readonly changed: (run: TrainingRunView) => void;
  readonly closed: (round: TrainingRoundView) => void;
  /** Leaves the run. */
  readonly signal: AbortSignal;
}

/** Somebody with a link into one run: looks first, and takes part when told to. */
export interface Visitor {
  readonly self: PeerId;
  /** Throws PEER_UNREACHABLE, the ticket's refusal, RUN_OVER, NOT_LEADING, INVALID_FORMAT. */
  look(signal: AbortSignal): Promise<Visit>;
  /**
   * To the end of the run. Throws ABORTED when the visitor left, what `look` throws when it is turned out, DATA_INVALID, DATA_TOO_SMALL,
   * LIMIT_EXCEEDED, what the runtime throws.
   */
  train(options: VisitOptions): Promise<TrainingRunView>;
  /** Share of the last seconds in which it computed, 0 to 1. */
  busy(): number;
}
