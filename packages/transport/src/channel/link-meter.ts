import type { Link } from '@peerai/core-protocol';

/** What the channel layer tells the link table about one connection. */
export interface LinkMeter {
  readonly link: Link;
  sent(bytes: number): void;
  received(bytes: number): void;
}
