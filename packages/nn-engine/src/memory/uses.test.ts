import { type Change, PeerAiError } from '@peerai/core-protocol';
import { ManualClock, MemoryStore } from '@peerai/core-protocol/testing';
import { expect, it } from 'vitest';

import { createTurns } from '../turns.ts';
import type { Held } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';
import { readUses, usesKey } from './rows.ts';
import { createUses } from './uses.ts';

/** A disk that writes when it is let, or refuses. */
class SlowStore extends MemoryStore {
  written = Promise.withResolvers<void>();
  readonly commits: number[] = [];

  override async commit(changes: readonly Change[]): Promise<void> {
    this.commits.push(changes.length);
    await this.written.promise;
    await super.commit(changes);
  }
}

function counting() {
  const [clock, store, held] = [new ManualClock(), new SlowStore(), new Map<string, Held>()];
  const inner = {
    store,
    clock,
    closing: new AbortController(),
    inTurn: createTurns(),
    holdings: { get: (id: string) => held.get(id) },
  };
  const find = (id: string) => {
    const one = held.get(id) ?? ({ facts: { id }, uses: 0, of: undefined } as unknown as Held);
    held.set(id, one);
    return { held: one };
  };
  const kept = async (id: string) => readUses((await store.get(usesKey(id))) ?? new Uint8Array());
  return { clock, store, uses: createUses(inner), find, kept };
}

it('counts each find while a write is under way, also when more wait than `usesWaitingMax`', async () => {
  const { clock, store, uses, find, kept } = counting();
  const many = Array.from({ length: limits.usesWaitingMax }, () => find('often'));
  uses.note(many);
  await clock.advance(limits.usesDelayMs);
  expect(store.commits).toEqual([1]);
  // One more makes the list too long while the disk still writes what was noted before.
  uses.note([find('late')]);
  uses.note(many);
  store.written.resolve();
  await uses.settled();
  expect([await kept('often'), await kept('late')]).toEqual([2 * limits.usesWaitingMax, 1]);
  expect(store.commits).toEqual([1, 2]);
});

it('writes again what the disk refused, with what came meanwhile', async () => {
  const { clock, store, uses, find, kept } = counting();
  uses.note([find('early')]);
  await clock.advance(limits.usesDelayMs);
  uses.note([find('late')]);
  store.written.reject(new PeerAiError('STORE_FULL', 'The disk is full.'));
  await clock.advance(limits.usesDelayMs);
  store.written = Promise.withResolvers<void>();
  store.written.resolve();
  await uses.settled();
  expect([await kept('early'), await kept('late')]).toEqual([1, 1]);
});
