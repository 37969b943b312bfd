import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes.ts';
import type { Channel, PeerId, Protocol } from '../ports/index.ts';
import { ManualClock } from './clock.ts';
import { networkContract } from './contracts/network.ts';
import { topicsContract } from './contracts/topics.ts';
import { createMemoryNetworks } from './network.ts';
import { seededRandom } from './random.ts';
import { memoryTopics } from './topics.ts';

const [a, b, c] = ['a', 'b', 'c'] as PeerId[] as [PeerId, PeerId, PeerId];
const signal = new AbortController().signal;
const echo: Protocol = {
  id: '/echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 64,
};
const answerEcho = async (channel: Channel): Promise<void> => {
  for await (const message of channel) await channel.send(message);
};

networkContract('The memory network', () => {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  let granted = false;
  return {
    a: networks.join(a),
    b: networks.join(b, { isGranted: () => granted }),
    stranger: c,
    grant: (value) => void (granted = value),
  };
});

topicsContract('The memory topics', () => {
  const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
  networks.join(a);
  networks.join(b);
  return { a: memoryTopics(networks, a), b: memoryTopics(networks, b), aPeer: a };
});

describe('The weather between memory peers', () => {
  it('delays each message by the latency, all of them in order', async () => {
    const clock = new ManualClock();
    const networks = createMemoryNetworks({ clock, random: seededRandom(1), latencyMs: 50 });
    networks.join(b).answer(echo, answerEcho);
    const opening = networks.join(a).open(b, echo, { signal });
    const channel = await clock.until(opening);
    expect([clock.elapsedMs(), channel.link.roundTripMs]).toEqual([100, 100]);
    for (const text of ['1', '2', '3']) await channel.send(utf8(text));
    const iterator = channel[Symbol.asyncIterator]();
    const answers = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    await clock.advance(99);
    await expect(Promise.race([answers, Promise.resolve('none yet')])).resolves.toBe('none yet');
    await clock.advance(1);
    expect((await answers).map(({ value }) => value)).toEqual(['1', '2', '3'].map(utf8));
  });

  it('ends channels and refuses new ones while the line is cut, and serves again when it heals', async () => {
    const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
    networks.join(b).answer(echo, answerEcho);
    const from = networks.join(a);
    const channel = await from.open(b, echo, { signal });
    networks.cut(b, a);
    expect(channel.signal.reason).toMatchObject({ code: 'CHANNEL_CLOSED' });
    expect(channel.link.state).toBe('down');
    await expect(from.open(b, echo, { signal })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    networks.heal(a, b);
    await expect(from.open(b, echo, { signal })).resolves.toBeDefined();
  });

  it('takes a killed peer out of the world until it joins again', async () => {
    const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(1) });
    const dead = networks.join(b);
    dead.answer(echo, answerEcho);
    const from = networks.join(a);
    const channel = await from.open(b, echo, { signal });
    networks.kill(b);
    expect(channel.signal.aborted).toBe(true);
    await expect(from.open(b, echo, { signal })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await expect(dead.open(a, echo, { signal })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    networks.join(b).answer(echo, answerEcho);
    await expect(from.open(b, echo, { signal })).resolves.toBeDefined();
  });

  it('loses channels at the given rate, the same ones for the same seed', async () => {
    const survivors = async (seed: number): Promise<number[]> => {
      const networks = createMemoryNetworks({ clock: new ManualClock(), random: seededRandom(seed), lossRate: 0.3 });
      networks.join(b).answer(echo, answerEcho);
      const from = networks.join(a);
      const alive: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const channel = await from.open(b, echo, { signal });
        const sent = await channel.send(utf8('x')).then(
          () => true,
          () => false,
        );
        if (sent) alive.push(index);
        await channel.close('DONE');
      }
      return alive;
    };
    const first = await survivors(7);
    expect(first).toEqual(await survivors(7));
    expect(first).not.toEqual(await survivors(8));
    expect(first.length).toBeGreaterThan(15);
    expect(first.length).toBeLessThan(40);
  });
});
