import { callMethod, type PeerId } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { begin, join, latest, trainingTown, untilTrained, whileTimeGoes } from '../testing/training-town.ts';
import { offersMethod } from './training-protocol.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the right to train', { timeout: 60_000 }, () => {
  test('is needed for what is offered: a paired device without it is told so', async () => {
    const { world, at } = await trainingTown(2, ['chat']);
    await begin(world, at(0));
    await at(1).peer.peers.change('peer-0', { allow: ['chat', 'train'] });
    const { offers, unanswered } = await whileTimeGoes(world.clock, at(1).peer.training.offers(live()));
    expect({ offers, unanswered }).toMatchObject({ offers: [], unanswered: [{ name: 'peer-0', code: 'NOT_GRANTED' }] });
    await expect(join(world, at(1))).rejects.toThrow(code('OFFER_UNKNOWN'));
    await at(0).peer.peers.change('peer-1', { allow: ['chat', 'train'] });
    await join(world, at(1));
    await untilTrained(world.clock, async () => (await latest(at(1))).round >= 2);
  });

  test('is needed on both sides: who may not train here is not asked', async () => {
    const { world, at } = await trainingTown(2);
    await begin(world, at(0));
    await at(1).peer.peers.change('peer-0', { allow: ['chat'] });
    expect(await at(1).peer.training.offers(live())).toEqual({ v: 1, offers: [], unanswered: [] });
  });

  test('keeps the protocols of a run from a paired device without it, and all of it from a stranger', async () => {
    const { world, at } = await trainingTown(2, ['chat']);
    const { id } = await begin(world, at(0));
    expect(id).toHaveLength(64);
    const [host, one] = [at(0).identity.peer, at(1).identity.peer];
    for (const protocol of ['/peerai/train/watch/1', '/peerai/train/commit/1', '/peerai/train/submit/1'])
      expect([at(0).peer.isGranted(one, protocol), at(0).peer.isGranted(one, '/peerai/chat/1')]).toEqual([false, true]);
    const network = world.networks.join('stranger' as PeerId);
    const ask = callMethod({ network, clock: world.clock }, host, offersMethod, { version: 1 }, { signal: live() });
    await expect(world.clock.until(ask)).rejects.toThrow(code('REFUSED'));
  });

  test('taken away ends what the device has open in a run', async () => {
    const { world, at } = await trainingTown(3);
    await begin(world, at(0), { rounds: 400, localSteps: 5 });
    await join(world, at(1));
    await join(world, at(2));
    await untilTrained(world.clock, async () => (await latest(at(0))).members.length === 3);
    await at(0).peer.peers.change('peer-2', { allow: ['chat'] });
    // On a busy machine another member may be away for a moment: who may take part comes back.
    const names = async () => (await latest(at(0))).members.map(({ name }) => name).toSorted();
    await untilTrained(world.clock, async () => (await names()).join(' ') === 'peer-0 peer-1');
    for (const index of [0, 1, 2]) await whileTimeGoes(world.clock, at(index).peer.training.stop('signs'));
  });
});
