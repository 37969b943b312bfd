import { nobleCrypto, type PeerAiError } from '@peerai/core-protocol';
import { memoryWorld, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { decisionEntry, readDecisionEntry } from '../ledger/decision-statement.ts';
import { openOwnLedger } from '../ledger/own-ledger.ts';
import { createStatedDecisions } from './stated.ts';

const at = (height: number, group = 'ab') => ({ group: group.repeat(32), height, block: 'cd'.repeat(32) });

test('a decided block is said once, also when all blocks are read again at the next start; and no gap is left when the log fails', async () => {
  const world = memoryWorld({ seed: 1, crypto: nobleCrypto });
  const { ledger } = await openOwnLedger(world);
  let isFull = false;
  const deps = {
    store: world.store,
    logger: silentLogger,
    ledger: {
      append: (...given: Parameters<typeof ledger.append>) =>
        isFull ? Promise.reject(new Error('no room')) : ledger.append(...given),
    },
  };
  const first = createStatedDecisions(deps);
  for (const height of [1, 2]) await first(at(height));
  await first(at(1, 'ef'));
  isFull = true;
  await first(at(3));
  isFull = false;
  await first(at(4));
  expect(ledger.size).toBe(3n);
  const second = createStatedDecisions(deps);
  for (const height of [1, 2, 3, 4]) await second(at(height));
  const heights: number[] = [];
  for await (const { entry } of ledger.entries(0n, ledger.size)) heights.push(readDecisionEntry(entry.body).height);
  expect(heights).toEqual([1, 2, 1, 3, 4]);
});

test('an entry of a decision is read whole or not at all', () => {
  const { body } = decisionEntry(at(7));
  expect(readDecisionEntry(body)).toEqual(at(7));
  const newer = body.slice();
  newer[1] = 2;
  const short = decisionEntry({ ...at(7), block: 'cd' }).body;
  for (const [bytes, code] of [
    [newer, 'INVALID_VERSION'],
    [short, 'INVALID_FORMAT'],
    [decisionEntry(at(0)).body, 'INVALID_FORMAT'],
    [body.slice(0, -1), 'INVALID_FORMAT'],
  ] as const)
    expect(() => readDecisionEntry(bytes)).toThrow(expect.objectContaining({ code }) as PeerAiError);
});
