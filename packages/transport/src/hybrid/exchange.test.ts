import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom, settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { answerExchange, beginExchange, exchangeProtocol } from './exchange.ts';
import { limits } from './limits.ts';

const random = seededRandom(31);
const signal = new AbortController().signal;
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Two peers, and what an exchange needs at either. */
function two() {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random });
  const side = () => {
    const identity = createIdentity(crypto, random.bytes(32));
    return { clock, crypto, random, identity, network: networks.join(identity.peer) };
  };
  return [side(), side()] as const;
}

test('the messages of an exchange fit their bound, and none that is longer is sent or taken', async () => {
  const [here, there] = two();
  const lengths: number[] = [];
  there.network.answer(exchangeProtocol, async (channel) => void (await answerExchange(there, channel)));
  await beginExchange(here, there.identity.peer, async (offer) => {
    const channel = await here.network.open(there.identity.peer, exchangeProtocol, { signal });
    lengths.push(offer.length);
    await channel.send(offer);
    return channel;
  });
  expect(Math.max(...lengths)).toBeGreaterThan(1_184);
  const channel = await here.network.open(there.identity.peer, exchangeProtocol, { signal });
  await channel.send(new Uint8Array(limits.exchangeMessageBytesMax));
  const another = await here.network.open(there.identity.peer, exchangeProtocol, { signal });
  await expect(another.send(new Uint8Array(limits.exchangeMessageBytesMax + 1))).rejects.toEqual(
    code('LIMIT_EXCEEDED'),
  );
  await settle();
});

test('so many exchanges of one peer are under way at the same time', async () => {
  const [here, there] = two();
  there.network.answer(exchangeProtocol, () => new Promise(() => undefined));
  const open = () => here.network.open(there.identity.peer, exchangeProtocol, { signal });
  for (let count = 0; count < limits.exchangesPerPeerMax; count += 1) await open();
  await expect(open()).rejects.toEqual(code('LIMIT_REACHED'));
});
