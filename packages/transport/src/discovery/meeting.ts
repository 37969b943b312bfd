import type { Clock, Crawler, Network, PeerId, Random } from '@peerai/core-protocol';
import { createCrawler } from './crawl.ts';
import { createExchange } from './exchange.ts';
import type { FarDirectory } from './far.ts';
import { createReachability } from './reachability.ts';
import type { RecordBook } from './record-book.ts';

export interface MeetingDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly book: RecordBook;
  readonly learn: (bytes: Uint8Array, source: PeerId) => boolean;
  /** Peers with a live link, and the address of each. */
  readonly links: () => ReadonlyMap<PeerId, string>;
  /** The DHT, where there is one. */
  readonly far?: Pick<FarDirectory, 'named'> | undefined;
}

/** Meeting peers by way of other peers. */
export interface Meeting {
  readonly crawler: Crawler;
  /** Until the signal. */
  run(signal: AbortSignal): void;
}
export type MakeMeeting = (deps: MeetingDeps) => Meeting;

/** `asks`: only when its owner has it crawl. `answers`: also passes on what it knows. `meets`: also asks and tries others by itself. */
export function meetingPart(role: 'asks' | 'answers' | 'meets'): MakeMeeting {
  return (deps) => {
    const known = () => deps.book.all();
    const exchange = createExchange({ ...deps, known, reachability: createReachability(deps.clock) });
    return {
      crawler: createCrawler({ ...deps, exchange, known, named: deps.far?.named.bind(deps.far) }),
      run(signal) {
        if (role !== 'asks') exchange.serve(signal);
        if (role === 'meets') exchange.run(signal);
      },
    };
  };
}
