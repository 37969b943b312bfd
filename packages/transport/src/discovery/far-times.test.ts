import type { QueryEvent, SingleKadDHT } from '@libp2p/kad-dht';
import { createIdentity, nobleCrypto, openRecord, signRecord } from '@peerai/core-protocol';
import { ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createFarDirectory } from './far.ts';

type Asked = { readonly signal: AbortSignal };

/** A DHT of `size` peers that takes what is put at once, or does nothing until it is told to stop. */
function far(size: number, answers: boolean) {
  const clock = new ManualClock();
  const [putMs, endedMs, crawls] = [[] as number[], [] as number[], [] as number[]];
  const ask = async function* ask({ signal }: Asked, messageName = ''): AsyncGenerator<QueryEvent> {
    if (answers) return yield { name: 'PEER_RESPONSE', messageName } as QueryEvent;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    endedMs.push(clock.elapsedMs());
    throw signal.reason;
  };
  const dht = {
    routingTable: { size },
    put(_: unknown, __: unknown, options: Asked) {
      putMs.push(clock.elapsedMs());
      return ask(options, 'PUT_VALUE');
    },
    provide: (_: unknown, options: Asked) => ask(options, 'ADD_PROVIDER'),
    get: (_: unknown, options: Asked) => ask(options),
    async *getClosestPeers() {
      crawls.push(clock.elapsedMs());
      yield* [];
    },
  } as unknown as SingleKadDHT;
  const random = seededRandom(1);
  const directory = createFarDirectory({ dht, crypto: nobleCrypto, clock, logger: silentLogger, random });
  const announce = () => {
    const body = { addresses: [], name: '', sequence: 1, expiresMs: clock.nowMs() + 60_000, models: [], agent: '' };
    const bytes = signRecord(createIdentity(nobleCrypto, random.bytes(32)), body);
    directory.announce(bytes, openRecord(nobleCrypto, bytes, clock.nowMs()));
  };
  return { clock, directory, announce, putMs, endedMs, crawls, stopping: new AbortController() };
}

test('a search ends by itself after `dhtFindMs`, not a millisecond before', async () => {
  const { clock, directory, endedMs, stopping } = far(1, false);
  let isOver = false;
  void directory.find('p', () => undefined, stopping.signal).then(() => (isOver = true));
  await clock.advance(limits.dhtFindMs - 1);
  expect([isOver, endedMs]).toEqual([false, []]);
  await clock.advance(1);
  expect([isOver, endedMs]).toEqual([true, [limits.dhtFindMs]]);
});

test('an announcement is given up after `dhtAnnounceMs`, not a millisecond before', async () => {
  const { clock, directory, announce, endedMs, stopping } = far(1, false);
  announce();
  directory.run(stopping.signal);
  await clock.advance(limits.dhtAnnounceMs - 1);
  expect(endedMs).toEqual([]);
  await clock.advance(1);
  expect(endedMs).toEqual([limits.dhtAnnounceMs]);
  stopping.abort();
});

test('a DHT that has as many peers as hold a record is told again after `dhtAnnounceAgainMs`, at a look', async () => {
  const { clock, directory, announce, putMs, stopping } = far(limits.dhtCopies, true);
  announce();
  directory.run(stopping.signal);
  const dueMs = Math.ceil(limits.dhtAnnounceAgainMs / limits.dhtLookMs) * limits.dhtLookMs;
  await clock.advance(dueMs - 1);
  expect(putMs).toEqual([0]);
  await clock.advance(1);
  expect(putMs).toEqual([0, dueMs]);
  stopping.abort();
});

test('a crawl looks at `crawlSearchesMax` places', async () => {
  const { directory, crawls, stopping } = far(1, true);
  await directory.named(() => undefined, stopping.signal);
  expect(crawls).toHaveLength(limits.crawlSearchesMax);
});
