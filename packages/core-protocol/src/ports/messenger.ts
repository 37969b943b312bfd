import type { PeerId } from './brand.ts';
import type { Change } from './store.ts';

export interface Opened {
  readonly id: string;
  readonly sender: PeerId;
  readonly kind: string;
  readonly payload: unknown;
  readonly sentMs: number;
  /** Names of the fields a signature covered. */
  readonly proven: ReadonlySet<string>;
}
export type MessagePriority = 'high' | 'normal' | 'low';
export interface Outgoing {
  readonly to: PeerId;
  readonly kind: string;
  /** JSON. */
  readonly payload: unknown;
  readonly expiresMs?: number;
  /** `normal` unless said. What is higher overtakes what waits for the same peer; messages of one priority keep their order. */
  readonly priority?: MessagePriority;
}
/** Messages that outlive a link: kept in order, handled once. */
export interface Messenger {
  /** Durable when it resolves; returns the message id. */
  send(message: Outgoing): Promise<string>;
  /** The changes returned are committed together with the inbox mark. */
  handle(kind: string, handler: (message: Opened, signal: AbortSignal) => Promise<readonly Change[]>): Disposable;
}
