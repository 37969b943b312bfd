import { type Channel, type Link, type Network, type PeerId, toHex } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { testWorld } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import { village } from '../testing/village.ts';
import { governanceProposeSchema } from './governance.schema.ts';
import { agreementProtocol, lineFrame } from './governance-protocol.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { createLines } from './lines.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

test('a peer is in as many groups as the limit allows; one more is refused, made or invited to, until it leaves one', async () => {
  const world = testWorld();
  const { peer } = await world.peer('p0', { engine: false });
  // Its room is loaded: that takes real time, of which the test's clock knows nothing.
  await peer.governance.list();
  for (let count = 0; count < limits.groupsMax; count += 1)
    await world.clock.until(peer.governance.create(`group ${count}`, []));
  await expect(world.clock.until(peer.governance.create('one more', []))).rejects.toThrow(code('LIMIT_REACHED'));
  await peer.governance.leave('group 3');
  await world.clock.until(peer.governance.create('one more', []));
  expect((await peer.governance.list()).groups).toHaveLength(limits.groupsMax);
  await peer.stop();
});

test('a page of the chain has as many blocks as the limit allows, and names the next when there is one', async () => {
  const made = await village(1);
  const { governance } = made.at(0).peer;
  const wish = governanceProposeSchema.parse({ title: 'x', action: { type: 'text' } });
  // What the group refuses, as too many are open, is in the chain too.
  const say = () => made.world.clock.until(governance.propose('village', wish, live()).catch(() => undefined));
  const heightOf = async () => (await governance.show('village')).group.height;
  while ((await heightOf()) < limits.blocksPageMax - 1) await say();
  const before = await governance.chain('village', 1);
  expect([before.blocks.length, before.next]).toEqual([limits.blocksPageMax - 1, null]);
  while ((await heightOf()) < limits.blocksPageMax + 1) await say();
  const page = await governance.chain('village', 1);
  expect([page.blocks.length, page.next]).toEqual([limits.blocksPageMax, limits.blocksPageMax + 1]);
  expect((await governance.chain('village', limits.blocksPageMax + 1)).blocks.length).toBeGreaterThan(0);
  await made.stop();
});

test('as many messages wait for a member’s channel as the limit allows; then the oldest goes', async () => {
  const sent: number[] = [];
  const opening = Promise.withResolvers<Channel>();
  const stopping = new AbortController();
  const network: Pick<Network, 'open' | 'self'> = { self: 'me' as PeerId, open: () => opening.promise };
  const lines = createLines({ network, clock: new ManualClock(), stopping: stopping.signal }, agreementProtocol);
  const link = lines.link('ab'.repeat(32));
  for (let count = 0; count < limits.lineWaitingMax + 1; count += 1)
    link.send('other' as PeerId, Uint8Array.of(count >> 8, count & 255));
  const channel: Channel = {
    link: { peer: 'other' as PeerId, address: '', path: 'direct', direction: 'out', state: 'up' } as unknown as Link,
    async *[Symbol.asyncIterator]() {
      yield* [];
    },
    signal: stopping.signal,
    async send(bytes: Uint8Array) {
      const { group, message } = lineFrame.decode(bytes);
      expect(toHex(group)).toBe('ab'.repeat(32));
      sent.push(((message[0] ?? 0) << 8) | (message[1] ?? 0));
    },
    close: async () => undefined,
  };
  opening.resolve(channel);
  for (let turn = 0; turn < 2 * limits.lineWaitingMax; turn += 1) await Promise.resolve();
  stopping.abort();
  expect(sent.length).toBe(limits.lineWaitingMax);
  expect([sent[0], sent.at(-1)]).toEqual([1, limits.lineWaitingMax]);
});
