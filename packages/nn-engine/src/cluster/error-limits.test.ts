import {
  type Channel,
  createIdentity,
  type Identity,
  type Network,
  type OpenOptions,
  type PeerId,
} from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

import { limits } from '../limits.ts';
import { createErrorExchange, errorProtocol } from './error-exchange.ts';
import type { Received } from './error-relay.ts';
import { latencyWeight, signErrorSignal } from './error-signal.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

/** A peer that hears error signals, and others that say what they like, with no time between them. */
function hearing() {
  const clock = new ManualClock();
  const random = seededRandom(7);
  const networks = createMemoryNetworks({ clock, random });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const { signal } = stop;
  const join = () => {
    const identity = createIdentity(crypto, random.bytes(32));
    return { identity, network: networks.join(identity.peer, { isGranted: () => true }) };
  };
  const here = join();
  const heard: Received[] = [];
  const onSignal = (received: Received) => void heard.push(received);
  createErrorExchange({ ...here, crypto, clock }, { onSignal, signal });
  const speaker = async () => {
    const { identity, network } = join();
    const channel = await clock.until(network.open(here.identity.peer, errorProtocol, { signal }));
    return { identity, channel };
  };
  let sequence = 0;
  const say = async (channel: Channel, identity: Identity, count = 1) => {
    for (let sent = 0; sent < count; sent += 1) {
      sequence += 1;
      const told = clock.until(channel.send(signErrorSignal(identity, { cluster: 'main', error: [0], sequence })));
      await told;
    }
    await clock.advance(0);
  };
  return { clock, networks, here, heard, signal, speaker, say };
}

describe('What one neighbour may say', () => {
  it('is `errorSignalsBurst` signals at once, and `errorSignalsPerMinute` of them a minute after', async () => {
    const { clock, heard, speaker, say } = hearing();
    const { identity, channel } = await speaker();
    await say(channel, identity, limits.errorSignalsBurst);
    expect(heard).toHaveLength(limits.errorSignalsBurst);
    await say(channel, identity);
    expect(heard).toHaveLength(limits.errorSignalsBurst);
    const oneMoreMs = 60_000 / limits.errorSignalsPerMinute;
    await clock.advance(oneMoreMs - 1);
    await say(channel, identity);
    expect(heard).toHaveLength(limits.errorSignalsBurst);
    await clock.advance(1);
    await say(channel, identity, 2);
    expect(heard).toHaveLength(limits.errorSignalsBurst + 1);
  });

  it('is counted of `errorOriginsMax` neighbours, and of who spoke last at the end', async () => {
    const { clock, networks, here, heard, signal, speaker, say } = hearing();
    let joined = 0;
    const [loud, quiet] = [await speaker(), await speaker()];
    for (const { channel, identity } of [quiet, loud]) await say(channel, identity, limits.errorSignalsBurst);
    const rest = async (count: number) => {
      // What is no signal is counted too, and needs no key.
      for (let each = 0; each < count; each += 1) {
        const network = networks.join(`neighbour ${(joined += 1)}` as PeerId);
        const channel = await clock.until(network.open(here.identity.peer, errorProtocol, { signal }));
        await clock.until(channel.send(Uint8Array.of(1)));
      }
    };
    await rest(limits.errorOriginsMax - 2);
    heard.splice(0);
    await say(quiet.channel, quiet.identity);
    expect(heard).toEqual([]);
    // The loud one is now the least recently heard: one more neighbour, and it is forgotten.
    await rest(1);
    await say(quiet.channel, quiet.identity);
    expect(heard).toEqual([]);
    await say(loud.channel, loud.identity);
    expect(heard.map(({ origin }) => origin)).toEqual([loud.identity.peer]);
  });

  it('is `errorSignalBytesMax` long: a channel takes so many bytes and not one more', async () => {
    const { speaker } = hearing();
    const { channel } = await speaker();
    await channel.send(new Uint8Array(limits.errorSignalBytesMax));
    const more = (await speaker()).channel.send(new Uint8Array(limits.errorSignalBytesMax + 1));
    await expect(more).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  it('counts half after `errorLatencyUnitMs`, and less after that', () => {
    expect(latencyWeight(limits.errorLatencyUnitMs)).toBe(0.5);
    expect(latencyWeight(limits.errorLatencyUnitMs + 1)).toBeLessThan(0.5);
  });
});

it('A neighbour that does not answer is waited for `errorOpenMs`, and left alone for `errorRetryMs`', async () => {
  const clock = new ManualClock();
  const random = seededRandom(8);
  const identity = createIdentity(crypto, random.bytes(32));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const asked: AbortSignal[] = [];
  const silent = {
    answer: () => ({ [Symbol.dispose]: () => undefined }),
    open: (_: PeerId, __: unknown, { signal }: OpenOptions) =>
      new Promise<Channel>((_resolve, reject) => {
        asked.push(signal);
        signal.addEventListener('abort', () => reject(new Error('late')), { once: true });
      }),
  } as unknown as Network;
  const deps = { network: silent, crypto, identity, clock };
  const exchange = createErrorExchange(deps, { onSignal: () => undefined, signal: stop.signal });
  exchange.setNeighbours([createIdentity(crypto, random.bytes(32)).peer]);
  exchange.send('main', [0]);
  await clock.advance(limits.errorOpenMs - 1);
  expect(asked.map(({ aborted }) => aborted)).toEqual([false]);
  await clock.advance(1);
  expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
  await clock.advance(limits.errorRetryMs - 1);
  exchange.send('main', [0]);
  await clock.advance(0);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  exchange.send('main', [0]);
  await clock.advance(0);
  expect(asked).toHaveLength(2);
});
