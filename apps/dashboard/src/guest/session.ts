import type { ChatEvent, ServedBy } from '@peerai/peer/control';

/** What a link says before anybody is asked. */
export interface Invitation {
  readonly name: string;
  readonly models: readonly string[];
  readonly expiresMs: number;
  readonly emoji: readonly string[];
  readonly words: readonly string[];
  /** The provider's key, hex digits. */
  readonly hex: string;
}

/** Both sides see the same counters. */
export interface ShareState {
  readonly models: readonly string[];
  readonly tokensBudget: number;
  readonly tokensUsed: number;
  readonly expiresMs: number;
}

export interface GuestLink {
  readonly path: ServedBy['path'];
  readonly roundTripMs: number;
}

/** A guest's side of a share, as far as the page needs it. */
export interface Session {
  /** Throws PEER_UNREACHABLE or the ticket's refusal. */
  connect(signal: AbortSignal): Promise<ShareState>;
  state(signal: AbortSignal): Promise<ShareState>;
  /** `start`, then `delta`s, then `finish` or `error`. */
  ask(
    messages: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[],
    options: { readonly model?: string },
    signal: AbortSignal,
  ): AsyncIterable<ChatEvent>;
  /** The link now and at each change; `undefined` while there is none. */
  link(signal: AbortSignal): AsyncIterable<GuestLink | undefined>;
  /** Ends the links and gives the store back. */
  close(): Promise<void>;
}

/** The heavy parts, each fetched when it is needed: reading a link is small, a network is not. */
export interface GuestLoader {
  /** Throws TICKET_INVALID. */
  read(ticket: string): Promise<Invitation>;
  open(ticket: string): Promise<Session>;
}
