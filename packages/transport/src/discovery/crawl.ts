import type { Clock, CrawledPeer, Crawler, Network, PeerId } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Exchange } from './exchange.ts';
import { safeToDial } from './reachability.ts';
import type { ToldRecord } from './record-book.ts';

/** A peer that somebody else named, with the addresses it was named with. */
export interface NamedPeer {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  /** Who named it. */
  readonly source: PeerId;
}

export interface CrawlDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly exchange: Pick<Exchange, 'ask'>;
  readonly known: () => readonly ToldRecord[];
  /** Peers with a live link, and the address of each. */
  readonly links: () => ReadonlyMap<PeerId, string>;
  /** Peers that the DHT's servers name; absent where this node is not in it. */
  readonly named?: ((found: (one: NamedPeer) => void, signal: AbortSignal) => Promise<void>) | undefined;
}

interface Place {
  readonly addresses: readonly string[];
  readonly via: CrawledPeer['via'];
  /** The address of the link to who told of it. */
  readonly toldOver: string | undefined;
}

/** Asks each peer for the records it knows, and those peers for theirs. */
export function createCrawler(deps: CrawlDeps): Crawler {
  const { network, clock, exchange } = deps;
  let running = false;

  async function* walk(signal: AbortSignal): AsyncGenerator<CrawledPeer> {
    const stopping = new AbortController();
    const bounded = clock.deadline(limits.crawlMs, AbortSignal.any([signal, stopping.signal]));
    const seen = new Set<PeerId>([network.self]);
    const waiting: (Place & { readonly peer: PeerId })[] = [];
    const done: CrawledPeer[] = [];
    const linked = deps.links();
    let busy = 0;
    let wake = Promise.withResolvers<void>();

    const add = (peer: PeerId, place: Place): void => {
      if (seen.has(peer) || seen.size > limits.crawlPeersMax) return;
      seen.add(peer);
      waiting.push({ peer, ...place });
      wake.resolve();
    };
    const toldOver = (source: PeerId): string | undefined => deps.links().get(source) ?? linked.get(source);
    const addKnown = (): void => {
      for (const { record, source } of deps.known())
        add(record.peer, { addresses: record.addresses, via: 'record', toldOver: toldOver(source) });
    };
    const follow = async (work: Promise<void>): Promise<void> => {
      busy += 1;
      await work.catch(() => undefined);
      busy -= 1;
      wake.resolve();
    };
    const visit = async ({ peer, via, addresses, toldOver: over }: (typeof waiting)[number]): Promise<void> => {
      let told = 0;
      let state: CrawledPeer['state'] = 'untried';
      if (deps.links().has(peer) || safeToDial(addresses, over)) {
        const wasLinked = deps.links().has(peer);
        state = await there(
          exchange.ask(peer, bounded, addresses, () => (told += 1)),
          () => deps.links().has(peer),
        );
        addKnown();
        // What was dialled to look at it alone is let go again.
        if (!wasLinked && state === 'reachable') await network.disconnect(peer).catch(() => undefined);
      }
      const agent = deps.known().find(({ record }) => record.peer === peer)?.record.agent ?? '';
      done.push({ peer, addresses, agent, state, via, told });
    };

    for (const [peer, address] of linked) add(peer, { addresses: [address], via: 'link', toldOver: address });
    addKnown();
    const found = ({ peer, addresses, source }: NamedPeer): void =>
      add(peer, { addresses, via: 'dht', toldOver: toldOver(source) });
    bounded.addEventListener('abort', () => wake.resolve(), { once: true });
    if (deps.named !== undefined) void follow(deps.named(found, bounded));
    try {
      while (!bounded.aborted) {
        wake = Promise.withResolvers<void>();
        for (const one of done.splice(0)) yield one;
        while (busy < limits.crawlAtOnce && waiting.length > 0) {
          const one = waiting.shift();
          if (one !== undefined) void follow(visit(one));
        }
        if (busy === 0 && done.length === 0) return;
        if (done.length === 0) await wake.promise;
      }
      for (const one of done.splice(0)) yield one;
    } finally {
      stopping.abort();
    }
  }

  return {
    async *crawl(signal) {
      if (running) throw transportError('LIMIT_REACHED', 'a crawl is under way; wait for its end');
      running = true;
      try {
        yield* walk(signal);
      } finally {
        running = false;
      }
    },
  };
}

/** Who refuses the question is there all the same. */
async function there(asked: Promise<void>, isLinked: () => boolean): Promise<'reachable' | 'unreachable'> {
  try {
    await asked;
    return 'reachable';
  } catch {
    return isLinked() ? 'reachable' : 'unreachable';
  }
}
