import type { PeerId } from '@peerai/core-protocol';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createFairQueue, type FairQueue, type Slot } from './fair-queue.ts';

const never = new AbortController().signal;
const [alice, bob, carol] = ['alice', 'bob', 'carol'] as PeerId[] as [PeerId, PeerId, PeerId];
const queueOf = (over: object = {}, clock = new ManualClock()): FairQueue =>
  createFairQueue(clock, { concurrency: 1, lengthMax: 8, perPeerMax: 4, ...over });

/** Enters and notes who was served, in order. */
function entering(queue: FairQueue): {
  readonly served: string[];
  readonly slots: Slot[];
  readonly enter: (peer: PeerId, name: string, signal?: AbortSignal) => Promise<string>;
} {
  const served: string[] = [];
  const slots: Slot[] = [];
  return {
    served,
    slots,
    enter: (peer, name, signal = never) =>
      queue.enter(peer, signal).then(
        (slot) => {
          served.push(name);
          slots.push(slot);
          return 'served';
        },
        (error: { readonly code: string }) => error.code,
      ),
  };
}

describe('The fair queue', () => {
  it('lets peers take turns, each in its own order', async () => {
    const queue = queueOf();
    const { enter, served, slots } = entering(queue);
    for (const name of ['a1', 'a2', 'a3']) void enter(alice, name);
    for (const name of ['b1', 'b2']) void enter(bob, name);
    void enter(carol, 'c1');
    for (let turn = 0; turn < 6; turn += 1) {
      await settle();
      slots.at(-1)?.free();
    }
    expect(served).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });

  it('serves as many at once as it may, and a slot freed twice counts once', async () => {
    const queue = queueOf({ concurrency: 2 });
    const { enter, slots } = entering(queue);
    for (const name of ['1', '2', '3', '4']) void enter(alice, name);
    await settle();
    expect([queue.running, queue.waiting]).toEqual([2, 2]);
    slots[0]?.free();
    slots[0]?.free();
    await settle();
    expect([queue.running, queue.waiting]).toEqual([2, 1]);
  });

  it('tells everybody’s place, and each change', async () => {
    const queue = queueOf();
    const first = await queue.enter(alice, never);
    const places: Record<string, number[]> = { a: [], b: [] };
    const hear = (name: string) => (position: number) => void places[name]?.push(position);
    void queue.enter(alice, never, hear('a'));
    void queue.enter(bob, never, hear('b'));
    first.free();
    await settle();
    expect(places['a']?.at(0)).toBe(0);
    expect(places['b']).toEqual([1, 0]);
  });

  it('gives a full queue’s last place to the better standing, and to nobody of the same', async () => {
    const names: Record<string, number> = { alice: 0.4, bob: 0.2, carol: 0.3, dora: 0.3, emil: 0.2 };
    const queue = queueOf({ lengthMax: 3, standing: (peer: PeerId) => names[peer] ?? 0 });
    const { enter, served, slots } = entering(queue);
    await enter('first' as PeerId, 'first');
    const waits = new Map([alice, bob, carol].map((peer) => [peer, enter(peer, peer)]));
    expect(await enter('emil' as PeerId, 'emil')).toBe('QUEUE_FULL');
    const dora = enter('dora' as PeerId, 'dora');
    expect(await waits.get(bob)).toBe('QUEUE_FULL');
    expect(await enter(bob, 'bob again')).toBe('QUEUE_FULL');
    // One that has a place has no second one of it, however well it stands.
    expect(await enter(alice, 'alice again')).toBe('QUEUE_FULL');
    for (let turn = 0; turn < 4; turn += 1) {
      await settle();
      slots.at(-1)?.free();
    }
    await dora;
    expect(served).toEqual(['first', 'alice', 'carol', 'dora']);
  });

  it('takes as many of one peer as its share, and refuses one more', async () => {
    const queue = queueOf({ perPeerMax: 3 });
    const { enter } = entering(queue);
    await enter(alice, 'running');
    for (const name of ['1', '2', '3']) void enter(alice, name);
    expect([await enter(alice, '4'), queue.waiting]).toEqual(['QUEUE_FULL', 3]);
    void enter(bob, 'b');
    expect(queue.waiting).toBe(4);
  });

  it('when full takes the place of whoever has most, never of one with as few', async () => {
    const queue = queueOf({ lengthMax: 3, perPeerMax: 3 });
    const { enter } = entering(queue);
    await enter(alice, 'running');
    const [, , last] = [enter(alice, '1'), enter(alice, '2'), enter(alice, '3')];
    void enter(bob, 'b');
    expect(await last).toBe('QUEUE_FULL');
    void enter(carol, 'c');
    await settle();
    expect(queue.waiting).toBe(3);
    const refused = await queue.enter('dave' as PeerId, never).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'QUEUE_FULL', details: { retryAfterMs: expect.any(Number) } });
    const { retryAfterMs } = (refused as { readonly details: { readonly retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThanOrEqual(limits.retryAfterMsMin);
    expect(retryAfterMs).toBeLessThanOrEqual(limits.retryAfterMsMax);
  });

  it('forgets who leaves, waiting or not yet', async () => {
    const queue = queueOf();
    const { enter } = entering(queue);
    await enter(alice, 'running');
    const leaving = new AbortController();
    const waiting = enter(bob, 'b', leaving.signal);
    leaving.abort();
    expect([await waiting, queue.waiting]).toEqual(['ABORTED', 0]);
    expect(await enter(bob, 'b', AbortSignal.abort())).toBe('ABORTED');
  });

  it('never serves more at once than it may and never loses a slot, in any order of events', async () => {
    const event = fc.record({ peer: fc.nat(3), does: fc.constantFrom('enter', 'free', 'leave') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        async (events, concurrency) => {
          const queue = queueOf({ concurrency, lengthMax: 5, perPeerMax: 3 });
          const held: Slot[] = [];
          const waiting: AbortController[] = [];
          for (const { peer, does } of events) {
            if (does === 'free') held.shift()?.free();
            else if (does === 'leave') waiting.shift()?.abort();
            else {
              const leaving = new AbortController();
              waiting.push(leaving);
              queue.enter(`p${peer}` as PeerId, leaving.signal).then(
                (slot) => held.push(slot),
                () => undefined,
              );
            }
            await Promise.resolve().then(() => undefined);
            await settle();
            expect(queue.running).toBe(held.length);
            expect(queue.running).toBeLessThanOrEqual(concurrency);
            expect(queue.waiting).toBeLessThanOrEqual(5);
            if (queue.waiting > 0) expect(queue.running).toBe(concurrency);
          }
          for (const leaving of waiting) leaving.abort();
          for (const slot of held) slot.free();
          await settle();
          expect([queue.running, queue.waiting]).toEqual([0, 0]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
