import { createIdentity, nobleCrypto, relayInfoMethod, serveMethod } from '@peerai/core-protocol';
import { decodeTicket, parseLink } from '@peerai/core-protocol/access';
import { seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { limits } from '../limits.ts';
import { openDevices } from '../pairing/devices.ts';
import { shareMethod } from '../share/share-protocol.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

interface Scene {
  readonly world: TestWorld;
  readonly owner: TestPeer;
  readonly circuit: string;
  /** The owner's connection to the relay comes up. */
  readonly link: () => Promise<void>;
  /** The relay gives the owner a place. */
  readonly place: () => void;
}
/** An owner who knows one relay, to which nothing leads yet. */
async function scene(): Promise<Scene> {
  const world = testWorld();
  const { peer: relay } = createIdentity(nobleCrypto, seededRandom(500).bytes(32));
  const address = `/ip4/192.0.2.9/tcp/4100/ws/p2p/${relay}`;
  const circuit = `${address}/p2p-circuit`;
  const network = world.networks.join(relay);
  serveMethod(network, relayInfoMethod, async () => ({
    name: 'relay',
    version: '0',
    pageUrl: undefined,
    addresses: [address],
  }));
  const places: string[] = [];
  const owner = await world.peer('owner', { settings: { relays: [address] }, circuits: () => places });
  return {
    world,
    owner,
    circuit,
    link: async () => {
      // Any conversation makes a link in this network.
      const opening = network.open(owner.identity.peer, shareMethod.protocol, { signal: live() });
      await (await world.clock.until(opening)).close();
      await until(world.clock, async () => (await owner.peer.node()).relays[0]?.state === 'connected');
    },
    place: () => void places.push(circuit),
  };
}

const addressesOf = (link: string): readonly string[] => {
  const parsed = parseLink(link);
  return decodeTicket(nobleCrypto, parsed.kind === 'seed' ? '' : parsed.ticket).addresses;
};
const isDone = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => (done = true));
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return done;
};

test('an invite made right after the start waits for the relay, and names it once it keeps a place', async () => {
  const { world, owner, circuit, link, place } = await scene();
  const inviting = owner.peer.pairing.invite(['chat']);
  await world.clock.advance(1_000);
  await link();
  await world.clock.advance(1_000);
  expect(await isDone(inviting)).toBe(false);
  place();
  expect(addressesOf((await world.clock.until(inviting)).link)).toContain(circuit);
});

test('a share made right after the start waits for the relay too, and says that anybody can open it', async () => {
  const { world, owner, circuit, link, place } = await scene();
  const sharing = owner.peer.sharing.create({ model: 'echo' });
  await link();
  place();
  const share = await world.clock.until(sharing);
  expect(addressesOf(share.link)).toContain(circuit);
  expect(share).toMatchObject({ reach: 'relay' });
  expect(share).not.toHaveProperty('warning');
});

test('a relay that is connected and keeps no place is not named, and holds a link up for a bounded time only', async () => {
  const { world, owner, link } = await scene();
  await link();
  const begun = world.clock.elapsedMs();
  const share = await world.clock.until(owner.peer.sharing.create({ model: 'echo' }));
  expect(world.clock.elapsedMs() - begun).toBeLessThanOrEqual(limits.relaySettleMs + limits.relayLookMs);
  expect(addressesOf(share.link).join(' ')).not.toContain('p2p-circuit');
  expect(share).toMatchObject({ reach: 'lan', warning: expect.stringContaining('no relay') as string });
  expect(await owner.peer.node()).toMatchObject({ reach: 'lan', relays: [{ state: 'connected' }] });
  const { checks } = await owner.peer.doctor.check();
  expect(checks.find(({ id }) => id === 'relay')).toMatchObject({
    state: 'look',
    cause: expect.stringContaining('no place') as string,
  });
});

test('a relay that is away holds nobody up once the start is over', async () => {
  const { world, owner } = await scene();
  await world.clock.advance(limits.relaySettleMs);
  const begun = world.clock.elapsedMs();
  await world.clock.until(owner.peer.pairing.invite(['chat']));
  expect(world.clock.elapsedMs()).toBe(begun);
});

test('a place that came after the link is told to the paired devices and to whoever watches', async () => {
  const { world, owner, circuit, link, place } = await scene();
  const { peer: self } = owner.identity;
  await world.clock.advance(limits.relaySettleMs);
  const laptop = await world.peer('laptop');
  await pair(world, owner, laptop);
  await link();
  const told: ControlEvent[] = [];
  void collect(owner, told);
  place();
  await until(world.clock, () => told.some(({ type }) => type === 'relay-changed'));
  expect((await owner.peer.node()).reach).toBe('relay');
  const known = async () => (await openDevices(laptop.store)).get(self)?.addresses;
  await until(world.clock, async () => (await known())?.includes(`${circuit}/p2p/${self}`));
});

async function collect({ peer }: TestPeer, told: ControlEvent[]): Promise<void> {
  for await (const { event } of peer.events.subscribe(live())) told.push(event);
}
