import type { Clock, CryptoProvider, Network, PeerId, Random, Store } from '@peerai/core-protocol';
import type { Ticket } from '@peerai/core-protocol/access';
import type { ChatEvent, ServedBy } from '../chat/chat.schema.ts';

/** The parts of a world that a guest's tab has. */
export interface GuestWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly store: Store;
  readonly network: Network;
}

/** What the provider says of the share, asked over the link; both sides see the same counters. */
export interface ShareState {
  readonly models: readonly string[];
  readonly tokensBudget: number;
  readonly tokensUsed: number;
  readonly expiresMs: number;
}

/** One guest with one link: connects, asks, countersigns, keeps its copies. */
export interface Guest {
  readonly ticket: Ticket;
  readonly self: PeerId;
  /** Reaches the provider: relay first, then the direct path. Throws PEER_UNREACHABLE or the ticket's refusal. */
  connect(signal: AbortSignal): Promise<ShareState>;
  state(signal: AbortSignal): Promise<ShareState>;
  /** `start`, then `delta`s, then `finish` or `error`; never throws. */
  ask(
    messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly text: string }[],
    options: { readonly model?: string; readonly maxTokens?: number },
    signal: AbortSignal,
  ): AsyncIterable<ChatEvent>;
  /** Path and round trip now and at each change; `undefined` while there is no link. */
  link(signal: AbortSignal): AsyncIterable<(Pick<ServedBy, 'path'> & { readonly roundTripMs: number }) | undefined>;
  /** Receipts this tab holds, newest first, as full bytes. */
  receipts(): Promise<readonly Uint8Array[]>;
}
