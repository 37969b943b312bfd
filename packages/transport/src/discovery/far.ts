import type { QueryEvent, SingleKadDHT } from '@libp2p/kad-dht';
import {
  type Clock,
  type CryptoProvider,
  type Logger,
  type PeerId,
  type PeerRecord,
  type Random,
} from '@peerai/core-protocol';
import { reasonOf } from '../errors.ts';
import { limits } from '../limits.ts';
import type { NamedPeer } from './crawl.ts';
import { offerKey, recordKey } from './kad-rules.ts';

/** A record nobody has checked yet, and the peer that gave it. */
export interface FarRecord {
  readonly bytes: Uint8Array;
  readonly source: PeerId;
}

/** Records in the DHT: each under its peer, and its peer listed under each model and name in it. */
export interface FarDirectory {
  /** From now on this is what others find; told again from time to time, and when the DHT has grown. */
  announce(bytes: Uint8Array, record: PeerRecord): void;
  /** Records of this peer, or of peers that say they have what is looked for. Ends by itself after `dhtFindMs`; never throws. */
  find(what: string, found: (record: FarRecord) => void, signal: AbortSignal): Promise<void>;
  /** Peers that servers name when asked about random places. Ends by itself; never throws. */
  named(found: (one: NamedPeer) => void, signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): void;
}

export interface FarDeps {
  readonly dht: SingleKadDHT;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

export function createFarDirectory(deps: FarDeps): FarDirectory {
  const { dht, crypto, clock, logger } = deps;
  let own: { readonly bytes: Uint8Array; readonly record: PeerRecord } | undefined;
  let told: { readonly bytes: Uint8Array; readonly tableSize: number; readonly atMs: number } | undefined;
  let againMs: number = limits.dhtAnnounceSoonMs;

  /** Something new, a DHT that has grown, or long ago: in a small one sooner, because who comes later is told by nobody else. */
  function isDue(): boolean {
    const { size } = dht.routingTable;
    if (own === undefined || size === 0) return false;
    if (told === undefined || told.bytes !== own.bytes) return true;
    const grown = told.tableSize < limits.dhtCopies ? told.tableSize + 1 : 2 * told.tableSize;
    const waitMs = size < limits.dhtCopies ? againMs : limits.dhtAnnounceAgainMs;
    return size >= grown || clock.elapsedMs() - told.atMs >= waitMs;
  }

  async function tell(signal: AbortSignal): Promise<void> {
    if (own === undefined) return;
    const { bytes, record } = own;
    const isSame = told?.bytes === bytes && dht.routingTable.size <= told.tableSize;
    againMs = isSame ? Math.min(2 * againMs, limits.dhtAnnounceAgainMs) : limits.dhtAnnounceSoonMs;
    const telling = { bytes, tableSize: dht.routingTable.size, atMs: clock.elapsedMs() };
    const bounded = clock.deadline(limits.dhtAnnounceMs, signal);
    let taken = await answered(dht.put(recordKey(record.peer), bytes, { signal: bounded }), 'PUT_VALUE');
    for (const what of offersOf(record))
      taken = (await answered(dht.provide(offerKey(crypto, what), { signal: bounded }), 'ADD_PROVIDER')) && taken;
    // What nobody took is told again at the next look.
    if (taken) told = telling;
    logger.debug('dht-announced', { offers: offersOf(record).length, tableSize: telling.tableSize, taken });
  }

  async function recordOf(peer: PeerId, found: (record: FarRecord) => void, signal: AbortSignal): Promise<void> {
    let answers = 0;
    for await (const event of quietly(dht.get(recordKey(peer), { signal }))) {
      if (event.name !== 'PEER_RESPONSE' || event.record === undefined) continue;
      found({ bytes: new Uint8Array(event.record.value), source: event.from.toString() as PeerId });
      answers += 1;
      if (answers >= limits.dhtAnswersEnough) return;
    }
  }

  async function offeredBy(what: string, found: (record: FarRecord) => void, signal: AbortSignal): Promise<void> {
    const asked = new Map<string, Promise<void>>();
    for await (const event of quietly(dht.findProviders(offerKey(crypto, what), { signal }))) {
      if (event.name !== 'PROVIDER' && event.name !== 'PEER_RESPONSE') continue;
      for (const { id } of event.providers) {
        const peer = id.toString() as PeerId;
        if (asked.size >= limits.recordsPerFindMax) break;
        if (!asked.has(peer)) asked.set(peer, recordOf(peer, found, signal));
      }
    }
    await Promise.all(asked.values());
  }

  return {
    announce(bytes, record) {
      own = { bytes, record };
    },
    async find(what, found, signal) {
      const bounded = clock.deadline(limits.dhtFindMs, signal);
      if (what.startsWith('topic:')) return;
      if (what.includes(':')) await offeredBy(what, found, bounded);
      else await recordOf(what as PeerId, found, bounded);
    },
    async named(found, signal) {
      for (let search = 0; search < limits.crawlSearchesMax && !signal.aborted; search += 1) {
        const place = deps.random.bytes(placeBytes);
        for await (const event of quietly(dht.getClosestPeers(place, { signal }))) {
          if (event.name !== 'PEER_RESPONSE') continue;
          const source = event.from.toString() as PeerId;
          for (const { id, multiaddrs } of event.closer) {
            const addresses = multiaddrs.map(String).slice(0, limits.dialAddressesMax);
            found({ peer: id.toString() as PeerId, addresses, source });
          }
        }
      }
    },
    run(signal) {
      void (async () => {
        while (!signal.aborted) {
          if (isDue()) await tell(signal).catch((error) => logger.debug('dht-failed', { reason: reasonOf(error) }));
          await clock.sleep(limits.dhtLookMs, signal).catch(() => undefined);
        }
      })();
    },
  };
}

/** Bytes of a random place in the DHT. */
const placeBytes = 32;

/** Under what a peer is listed, its name first. */
export function offersOf({ name, models }: PeerRecord): readonly string[] {
  const offers = [...(name === '' ? [] : [`node:${name}`]), ...models.map((model) => `model:${model}`)];
  return offers.slice(0, limits.dhtNamesMax);
}

/** Whether a peer answered this kind of message. */
async function answered(events: AsyncIterable<QueryEvent>, kind: 'PUT_VALUE' | 'ADD_PROVIDER'): Promise<boolean> {
  let isAnswered = false;
  for await (const event of events) isAnswered ||= event.name === 'PEER_RESPONSE' && event.messageName === kind;
  return isAnswered;
}

/** A search that fails has found what it has found. */
async function* quietly(events: AsyncIterable<QueryEvent>): AsyncGenerator<QueryEvent> {
  try {
    yield* events;
  } catch {
    // its time is up, or nobody is left to ask
  }
}
