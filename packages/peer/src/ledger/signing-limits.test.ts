import { type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, settle } from '@peerai/core-protocol/testing';
import type { ReceiptBook } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import { createSigning } from './signing.ts';

const provider = 'provider' as PeerId;
const question = {
  provider,
  lease: new Uint8Array([7]),
  model: 'm',
  prompt: { messages: [{ role: 'user' as const, text: 'hello' }] },
  maxTokens: 8,
};

/** A pen over these questions that were asked before, at a peer that nobody reaches. */
async function pen(before: readonly (readonly [id: string, agoMs: number])[] = []) {
  const [store, clock] = [new MemoryStore(), new ManualClock()];
  const [room, rows] = [store.room('asked'), records<{ readonly atMs: number }>(store.room('asked'), 'request')];
  const put = (all: typeof before) =>
    room.commit(all.map(([id, agoMs]) => rows.put(id, { atMs: clock.nowMs() - agoMs })));
  await put(before);
  const tries: number[] = [];
  const network = {
    open: async () => {
      tries.push(clock.elapsedMs());
      throw new PeerAiError('PEER_UNREACHABLE', 'away');
    },
  } as unknown as Network;
  const stopping = new AbortController();
  const receipts = {} as ReceiptBook;
  const signing = createSigning({ store, network, clock, receipts, stopping: stopping.signal });
  const kept = async () => new Set((await Array.fromAsync(rows.all())).map(([id]) => id));
  return { clock, signing, tries, stopping, kept, put };
}

test('questions without a receipt are remembered for `askedKeptMs`', async () => {
  const { signing, stopping, kept } = await pen([
    ['young', limits.askedKeptMs],
    ['old', limits.askedKeptMs + 1],
  ]);
  await signing.asked('new', question);
  expect(await kept()).toEqual(new Set(['new', 'young']));
  stopping.abort();
});

test.each([0, 1])('`askedKeptMax` of them are remembered, the oldest go first (%d more)', async (more) => {
  const all = Array.from({ length: limits.askedKeptMax + more }, (_, at) => [`${at}`, at] as const);
  const { signing, stopping, kept } = await pen(all);
  await signing.asked('new', question);
  const left = await kept();
  expect(left.size).toBe(limits.askedKeptMax + 1);
  expect([left.has(`${limits.askedKeptMax - 1}`), left.has(`${limits.askedKeptMax}`)]).toEqual([true, false]);
  stopping.abort();
});

test('they are looked for at the first question, and then after each `askedSweepEvery`', async () => {
  const { signing, stopping, kept, put } = await pen();
  await signing.asked('first', question);
  await put([['old', limits.askedKeptMs + 1]]);
  for (let count = 1; count < limits.askedSweepEvery; count += 1) await signing.asked(`${count}`, question);
  expect((await kept()).has('old')).toBe(true);
  await signing.asked('last', question);
  expect((await kept()).has('old')).toBe(false);
  stopping.abort();
});

test('a peer that is away is asked what is owed to it after waits that grow from `lookBackMs` to `lookBackMsMax`', async () => {
  const { clock, signing, tries, stopping } = await pen();
  await signing.asked('one', question);
  await clock.advance(limits.lookBackMs - 1);
  await settle();
  expect(tries).toEqual([]);
  await clock.advance(20 * limits.lookBackMsMax);
  const waits = tries.map((ms, at) => ms - (tries[at - 1] ?? 0));
  const grown: number[] = [limits.lookBackMs];
  for (let waitMs: number = limits.lookBackMs; grown.length < waits.length; waitMs *= 2)
    grown.push(Math.min(waitMs, limits.lookBackMsMax));
  expect(waits).toEqual(grown);
  expect(waits.at(-1)).toBe(limits.lookBackMsMax);
  stopping.abort();
});
