import { decodeTicket, parseLink } from '@peerai/core-protocol/access';
import { nobleCrypto } from '@peerai/core-protocol';
import { startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { createTcpProxy, type TcpProxy } from '@peerai/transport/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openGuest, type RunningGuest } from './guest.ts';

/** Longer than an agent takes to be ready and to answer its first request, milliseconds. */
const holdMs = 3_000;

let relays: Testnet;
let slow: TcpProxy;
let testnet: Testnet;
let provider: RunningAgent;
let guest: RunningGuest | undefined;
beforeAll(async () => {
  relays = await startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {} });
  const { addresses, peerId } = relays.relays[0]?.info ?? { addresses: [], peerId: '' };
  slow = await createTcpProxy(addresses.find((address) => address.includes('/ws')) ?? '', holdMs);
  const env = { PEERAI_NETWORK__RELAYS: `${slow.address}/ws/p2p/${peerId}` };
  testnet = await startTestnet({ agents: 1, relays: 0, engine: 'scripted', env, names: ['study-pc'] });
  const [first] = testnet.agents;
  if (first === undefined) throw new Error('one agent was asked for');
  provider = first;
}, 60_000);
afterAll(async () => {
  await guest?.stop();
  await provider?.child.stop();
  await testnet?.stop();
  slow?.close();
  await relays?.stop();
}, 30_000);

const addressesOf = (link: string): string => {
  const parsed = parseLink(link);
  return decodeTicket(nobleCrypto, parsed.kind === 'seed' ? '' : parsed.ticket).addresses.join(' ');
};

test('links made before the relay has answered lead through it, also to a provider that was killed and listens elsewhere since', async () => {
  const [share, invite] = await Promise.all([
    provider.client.share({ model: 'echo', guests: 1 }),
    provider.client.invite(['chat']),
  ]);
  expect(addressesOf(share.link)).toContain('/p2p-circuit');
  expect(addressesOf(invite.link)).toContain('/p2p-circuit');
  expect(share).toMatchObject({ reach: 'relay' });
  expect(share.link.startsWith(relays.relays[0]?.info.http ?? 'none')).toBe(true);

  await provider.child.kill();
  provider = await provider.restart();
  // Somebody who has nothing but the link.
  guest = await openGuest(share.link);
  const ask = async () => guest?.ask('hello');
  await vi.waitFor(async () => expect(await ask()).toEqual({ text: 'echo: hello', code: undefined }), {
    timeout: 15_000,
    interval: 250,
  });
}, 60_000);
