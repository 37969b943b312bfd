import type { Link } from '@peerai/core-protocol';

/** What the channel layer tells the link table about one connection. */
export interface LinkMeter {
  readonly link: Link;
  sent(bytes: number): void;
  received(bytes: number): void;
  /** Resolves when so many bytes may leave for this peer; absent where nothing bounds it. */
  readonly pace?: (bytes: number, signal: AbortSignal) => Promise<void>;
}
