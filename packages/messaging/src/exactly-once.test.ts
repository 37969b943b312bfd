import type { PeerId } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MessageWorld, messageWorld, place } from '../test/world.ts';

const text = (to: PeerId, payload: unknown = 'hello') => ({ to, kind: 'text', payload });

describe('exactly once', () => {
  /** Loses the receiver's answer: its handler's commit is done, then the line is cut. */
  class CuttingStore extends MemoryStore {
    onCommitted: () => unknown = () => undefined;
    override room(name: string): MemoryStore {
      const room = super.room(name);
      const commit = room.commit.bind(room);
      if (name === 'messages') {
        room.commit = async (changes) => {
          await commit(changes);
          await this.onCommitted();
        };
      }
      return room;
    }
  }

  test('when the answer is lost', async () => {
    const here = place();
    const store = new CuttingStore();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { store })];
    store.onCommitted = () => {
      store.onCommitted = () => undefined;
      here.networks.cut(a.identity.peer, b.identity.peer);
      here.networks.heal(a.identity.peer, b.identity.peer);
    };
    const id = await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(0);
    expect(await a.messenger.status(id)).toMatchObject({ state: 'queued' });
    expect(await b.texts()).toHaveLength(1);
    await here.clock.advance(3_000);
    expect(await a.messenger.status(id)).toMatchObject({ state: 'delivered' });
    expect(await b.texts()).toHaveLength(1);
  });

  test('when the receiver dies after its commit, or before it', async () => {
    for (const isBefore of [false, true]) {
      const here = place();
      const store = new CuttingStore();
      let b: MessageWorld | undefined;
      const die = (): void => b?.die();
      const a = await messageWorld(1, here);
      b = await messageWorld(2, here, { store, handle: async () => (isBefore ? die() : undefined) });
      if (!isBefore) store.onCommitted = die;
      await a.messenger.send(text(b.identity.peer));
      await here.clock.advance(0);
      expect(await b.texts()).toHaveLength(isBefore ? 0 : 1);
      const again = await messageWorld(2, here, { store: store.reopen() });
      await here.clock.advance(3_000);
      expect(await again.texts()).toEqual(['"hello"']);
      expect(a.outcomes).toMatchObject([{ state: 'delivered' }]);
    }
  });

  test('when a commit fails on either side', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    b.store.failNextCommit('STORE_FULL');
    await a.messenger.send(text(b.identity.peer, 1));
    await here.clock.advance(0);
    expect(await b.texts()).toEqual([]);
    await here.clock.advance(3_000);
    expect(await b.texts()).toEqual(['1']);
    a.store.failNextCommit('STORE_FULL');
    await expect(a.messenger.send(text(b.identity.peer, 'never'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    await a.messenger.send(text(b.identity.peer, 2));
    a.store.failNextCommit('STORE_FULL');
    await here.clock.advance(5_000);
    expect(await b.texts()).toEqual(['1', '2']);
    expect(a.outcomes).toHaveLength(2);
  });

  test('when the messenger stops during a commit: it waits, so that the next one finds the mark', async () => {
    const here = place();
    const store = new CuttingStore();
    const written = Promise.withResolvers<void>();
    store.onCommitted = () => written.promise;
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { store })];
    await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(0);
    let isStopped = false;
    const stopping = b.stop().then(() => (isStopped = true));
    await here.clock.advance(0);
    expect(isStopped).toBe(false);
    written.resolve();
    await stopping;
    expect(await b.texts()).toHaveLength(1);
  });

  test('when the receiver goes on under another key: what waits for the old one goes to the new, in order', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    b.die();
    const ids = [];
    for (const payload of [1, 2, 3]) ids.push(await a.messenger.send(text(b.identity.peer, payload)));
    const next = await messageWorld(3, here, { store: b.store.reopen() });
    await a.messenger.send(text(next.identity.peer, 0));
    await a.messenger.readdress(b.identity.peer, next.identity.peer);
    expect(await a.messenger.status(ids[0] ?? '')).toMatchObject({ state: 'queued', to: next.identity.peer });
    await here.clock.advance(3_000);
    expect(await next.texts()).toEqual(['0', '1', '2', '3']);
    expect(await a.messenger.pending()).toEqual([]);
  });

  test('over a line that loses messages, with restarts of both sides, in order', async () => {
    const step = fc.constantFrom('send', 'send', 'wait', 'restart a', 'restart b');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(1_000), async (steps, seed) => {
        const here = place({ lossRate: 0.15, seed });
        let [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
        let sent = 0;
        for (const one of steps) {
          if (one === 'send') await a.messenger.send(text(b.identity.peer, sent++));
          else if (one === 'wait') await here.clock.advance(1_500);
          else if (one === 'restart a') {
            a.die();
            a = await messageWorld(1, here, { store: a.store.reopen() });
          } else {
            b.die();
            b = await messageWorld(2, here, { store: b.store.reopen() });
          }
        }
        await here.clock.advance(900_000);
        expect(await b.texts()).toEqual(Array.from({ length: sent }, (_, number) => String(number)));
        expect(await a.messenger.pending()).toEqual([]);
      }),
      // The example: a store that let the dead write on once lost a letter here.
      { numRuns: 100, examples: [[['send', 'restart b', 'send', 'send', 'restart b'], 0]] },
    );
  });
});
