import { fromHex, nobleCrypto, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore } from '@peerai/core-protocol/testing';
import type { LeaseRecord } from '@peerai/ledger/lease';
import { expect, test } from 'vitest';
import { createDesk, type DeskDeps } from './desk.ts';
import { plainQuestion } from './lending-protocol.ts';

test('no run is done while too much of what was done is not endorsed for the contract', async () => {
  const [id, peer] = ['ab'.repeat(32), 'borrower' as PeerId];
  const clock = new ManualClock(0);
  const progress = { role: 'lender', state: 'active', issued: { n: 0, due: 0n }, signed: { n: 0, due: 0n } };
  const lease = { id, peer, progress, terms: { nodes: 1, minutes: 1 }, sinceMs: 0, heardMs: 0 } as LeaseRecord;
  const book = { get: () => lease, list: () => [lease] };
  let isCovered = false;
  const deps = {
    clock,
    book,
    crypto: nobleCrypto,
    store: new MemoryStore(),
    escrows: { isCovered: () => isCovered, check: async () => undefined },
  };
  const desk = createDesk(deps as unknown as DeskDeps);
  const run = () => desk.answer(peer, { ...plainQuestion, kind: 'run', id: fromHex(id), n: 1 });
  await expect(run()).rejects.toThrow(expect.objectContaining({ code: 'ANSWERS_UNENDORSED' }));
  isCovered = true;
  await expect(run()).rejects.toThrow('the first run brings the cluster');
});
