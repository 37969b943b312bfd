import type { Visit, VisitOptions, TrainingRunView } from '@peerai/peer/visitor';
import type { EngineChoice } from './engine.ts';

/** What a link says before anybody is asked. */
export interface Invitation {
  readonly name: string;
  readonly expiresMs: number;
  readonly emoji: readonly string[];
  readonly words: readonly string[];
}

/** A visitor's side of a run, as far as the page needs it. */
export interface Session {
  /** Throws PEER_UNREACHABLE or the link's refusal. */
  look(signal: AbortSignal): Promise<Visit>;
  train(options: Omit<VisitOptions, 'runtime' | 'threads'> & EngineChoice): Promise<TrainingRunView>;
  /** Share of the last seconds in which this tab computed, 0 to 1. */
  busy(): number;
  /** Bytes that the engine would take, asked of the page's host without fetching it; undefined when the host does not say. */
  engineBytes(signal: AbortSignal): Promise<number | undefined>;
  /** Bytes that computing on the graphics card would add; undefined where it cannot be offered. */
  graphicsBytes(signal: AbortSignal): Promise<number | undefined>;
  /** Ends the links and gives the store back. */
  close(): Promise<void>;
}

/** The heavy parts, each fetched when it is needed. */
export interface TabLoader {
  /** Throws TICKET_INVALID. */
  read(ticket: string): Promise<Invitation>;
  open(ticket: string): Promise<Session>;
}
