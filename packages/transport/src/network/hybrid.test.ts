import type { Channel, Link, PeerId, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';

const protocol: Protocol = {
  id: '/peerai/test/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 10_000,
  channelsPerPeerMax: 3,
};
const raw: Protocol = { ...protocol, id: '/llama/1.0.0', framing: 'raw' };
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const soon = (): AbortSignal => AbortSignal.timeout(15_000);

const echo = async (channel: Channel): Promise<void> => {
  for await (const message of channel) await channel.send(message);
};
async function ask(from: TransportNode, to: TransportNode, what = protocol): Promise<Channel> {
  const channel = await from.network.open(to.network.self, what, {
    signal: soon(),
    addresses: to.network.addresses(),
    first: Promise.resolve(Uint8Array.of(1)),
  });
  const { value } = await channel[Symbol.asyncIterator]().next();
  expect(value).toEqual(Uint8Array.of(1));
  return channel;
}
/** The newest word on each link of a node. */
function linksOf(node: TransportNode): ReadonlyMap<PeerId, Link> {
  const links = new Map<PeerId, Link>();
  void (async () => {
    for await (const link of node.network.links(soon())) links.set(link.peer, link);
  })();
  return links;
}

test('two agents seal what they say, and each shows it of the other', async () => {
  const [a, b] = [await nodes.agent(), await nodes.agent()];
  b.network.answer(protocol, echo);
  const [ofA, ofB] = [linksOf(a), linksOf(b)];
  const channel = await ask(a, b);
  expect(channel.link.hybrid).toBe(true);
  await until(() => ofA.get(b.network.self)?.hybrid && ofB.get(a.network.self)?.hybrid);
});

test('whoever was dialled opens under the same exchange', async () => {
  const [a, b] = [await nodes.agent(), await nodes.agent()];
  for (const { network } of [a, b]) network.answer(protocol, echo);
  await ask(a, b);
  expect((await ask(b, a)).link.hybrid).toBe(true);
});

test('so do an agent and a relay, and two agents through one', async () => {
  const relay = await nodes.relay();
  relay.network.answer(protocol, echo);
  const transports = { tcp: true, websocket: false, webrtc: false };
  const a = await nodes.agent({ listen: [], transports });
  const b = await nodes.agent({ listen: [], transports, relays: [relayAddress(relay)] });
  b.network.answer(protocol, echo);
  await until(() => b.network.addresses().length > 0);
  expect((await ask(b, relay)).link.hybrid).toBe(true);
  expect((await ask(a, b)).link).toMatchObject({ path: 'relayed', hybrid: true });
});

test('an agent and one without it talk as ever, whoever opens, and it shows', async () => {
  const [a, old] = [await nodes.agent(), await nodes.agent({ postQuantum: 'off' })];
  for (const { network } of [a, old]) network.answer(protocol, echo);
  expect((await ask(a, old)).link.hybrid).toBe(false);
  expect((await ask(old, a)).link).not.toHaveProperty('hybrid');
});

test.each([
  ['a peer that was sealed before', {}, { isHybrid: () => true }],
  ['any peer, where it is required', { postQuantum: 'required' }, {}],
] as const)('%s is refused without, whoever opens', async (_, options, deps) => {
  const [a, old] = [await nodes.agent(options, deps), await nodes.agent({ postQuantum: 'off' })];
  for (const { network } of [a, old]) network.answer(protocol, echo);
  const refused = { code: 'POST_QUANTUM_REQUIRED' };
  await expect(ask(a, old)).rejects.toMatchObject(refused);
  await expect(ask(old, a)).rejects.toMatchObject(refused);
  expect(a.paths?.last(old.network.self)?.steps.at(-1)).toMatchObject({ step: 'protocol', ...refused });
});

test('a foreign protocol passes as it is, unless sealing is required', async () => {
  const [a, b, c] = [await nodes.agent(), await nodes.agent(), await nodes.agent({ postQuantum: 'required' })];
  for (const { network } of [b, c]) network.answer(raw, echo);
  await ask(a, b, raw);
  await expect(ask(c, b, raw)).rejects.toMatchObject({ code: 'POST_QUANTUM_REQUIRED' });
  await expect(ask(a, c, raw)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('sealed or not, a peer has the channels of a protocol once', async () => {
  const [a, b] = [await nodes.agent(), await nodes.agent()];
  b.network.answer(protocol, echo);
  const channels = [await ask(a, b), await ask(a, b), await ask(a, b)];
  await expect(ask(a, b)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await channels[0]?.close();
  await until(() => b.stats().channels === 2);
  await (await ask(a, b)).close();
});
