import { TypedEventEmitter } from '@libp2p/interface';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { Components } from './components.ts';
import { noteProtocolsOnce } from './noted-protocols.ts';

type Id = Parameters<Components['peerStore']['merge']>[0];
const [a, b] = ['a', 'b'].map((name) => ({ toString: () => name })) as unknown as [Id, Id];

function scene() {
  const merged: string[] = [];
  const events = new TypedEventEmitter();
  const peerStore = {
    merge: async (peer: Id, data: object) => {
      merged.push(`${peer.toString()} ${JSON.stringify(data)}`);
      return { id: peer };
    },
  };
  const clock = new ManualClock();
  const components = { events, peerStore } as unknown as Components;
  noteProtocolsOnce(components, clock);
  const note = (peer: Id, ...protocols: string[]) => components.peerStore.merge(peer, { protocols });
  return { merged, events, components, clock, note };
}

test('a protocol is noted once for each peer, and again after a while', async () => {
  const { merged, clock, note } = scene();
  for (let stream = 0; stream < 3; stream += 1) expect((await note(a, '/x/1')).id).toBe(a);
  await note(a, '/y/1');
  await note(b, '/x/1');
  expect(merged).toHaveLength(3);
  await clock.advance(limits.protocolNotedMs - 1);
  await note(a, '/x/1');
  expect(merged).toHaveLength(3);
  await clock.advance(1);
  await note(a, '/x/1');
  expect(merged).toHaveLength(4);
});

test('a peer that left is noted anew; whatever is more than one protocol always', async () => {
  const { merged, events, components, note } = scene();
  await note(a, '/x/1');
  events.dispatchEvent(Object.assign(new Event('peer:disconnect'), { detail: a }));
  await note(a, '/x/1');
  expect(merged).toHaveLength(2);
  await note(a, '/x/1', '/y/1');
  await note(a, '/x/1', '/y/1');
  await components.peerStore.merge(a, { protocols: ['/x/1'], tags: {} });
  await components.peerStore.merge(a, {});
  expect(merged).toHaveLength(6);
});
