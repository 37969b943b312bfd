import type { Channel, Link, PeerId } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom, settle, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createAgentNat } from './agent-nat.ts';
import { createDoorBook } from './door-book.ts';
import { doorsProtocol } from './doors.ts';
import { limits } from './limits.ts';

const relay = 'relay' as PeerId;
const { signal } = new AbortController();

/** A relay that is asked and never answers: when it was asked, and how its channels were closed. */
function silentRelay() {
  const clock = new ManualClock();
  const askedMs: number[] = [];
  const closed: (string | undefined)[] = [];
  let told = Promise.withResolvers<Link>();
  const channel = (): Channel => {
    const over = new AbortController();
    return {
      signal: over.signal,
      send: async () => undefined,
      async close(code?: string) {
        closed.push(code);
        over.abort();
      },
      async *[Symbol.asyncIterator]() {
        await new Promise((resolve) => {
          over.signal.addEventListener('abort', resolve, { once: true });
        });
        yield* [];
      },
    } as unknown as Channel;
  };
  const book = createDoorBook({
    clock,
    logger: silentLogger,
    isRelay: () => true,
    listened: () => ['/ip4/0.0.0.0/tcp/4001'],
    network: {
      open: async () => {
        askedMs.push(clock.elapsedMs());
        return channel();
      },
      async *links() {
        for (;;) {
          const link = await told.promise;
          told = Promise.withResolvers();
          yield link;
        }
      },
    },
  });
  void book.run(signal);
  const link = async (state: 'up' | 'down'): Promise<void> => {
    told.resolve({ peer: relay, path: 'direct', state, address: '', roundTripMs: 1, bytesSent: 0, bytesReceived: 0 });
    await settle();
  };
  return { clock, askedMs, closed, link };
}

test('a relay that does not answer is given up after `askMs`, not a millisecond before', async () => {
  const { clock, closed, link } = silentRelay();
  await link('up');
  await clock.advance(limits.askMs - 1);
  expect(closed).toEqual([]);
  await clock.advance(1);
  expect(closed).toEqual(['ABORTED']);
});

test.each([
  ['askAgainMs', limits.askAgainMs, ['up']],
  ['askSoonMs', limits.askSoonMs, ['down']],
] as const)('a relay whose link comes up is asked again after `%s` of %i milliseconds', async (_, ms, before) => {
  const { clock, askedMs, link } = silentRelay();
  await link('up');
  for (const state of before) await link(state);
  await clock.advance(ms - 1);
  await link('up');
  expect(askedMs).toEqual([0]);
  await clock.advance(1);
  await link('up');
  expect(askedMs).toEqual([0, ms]);
});

test('a question about doors has `messageBytesMax` bytes, and not one more', async () => {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  const [here, there] = [networks.join('a' as PeerId), networks.join('b' as PeerId)];
  const arrived: number[] = [];
  there.answer(doorsProtocol, async (channel) => {
    for await (const message of channel) arrived.push(message.length);
  });
  const channel = await here.open('b' as PeerId, doorsProtocol, { signal });
  await channel.send(new Uint8Array(limits.messageBytesMax));
  await expect(channel.send(new Uint8Array(limits.messageBytesMax + 1))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
  expect(arrived).toEqual([limits.messageBytesMax]);
});

test('`turnServersMax` of the owner’s TURN servers are used, the first ones', () => {
  const deps = { clock: new ManualClock(), random: seededRandom(1), logger: silentLogger };
  const used = (count: number) => {
    const turn = Array.from({ length: count }, (_, at) => ({
      host: `turn${at}.example`,
      port: 3_478,
      username: 'u',
      password: 'p',
    }));
    return createAgentNat(deps, { stun: [], turn } as never).facts().turnServers;
  };
  expect(used(limits.turnServersMax)).toHaveLength(limits.turnServersMax);
  expect(used(limits.turnServersMax + 1)).toEqual(used(limits.turnServersMax));
});
