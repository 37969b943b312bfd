import type { Link } from '@peerai/core-protocol';
import type { LinkTurns } from './link-turns.ts';

/** What the channel layer tells the link table about one connection. */
export interface LinkMeter {
  readonly link: Link;
  /** Ticks of the heartbeat that this link's round trip asks for beyond the usual ones. */
  readonly lateTicks: number;
  sent(bytes: number): void;
  received(bytes: number): void;
  /** Through these everything leaves that is longer than a word: at the link's rate, and the urgent first. */
  readonly turns: LinkTurns;
}
