import { fromHex, nobleCrypto, serveMethod, toHex } from '@peerai/core-protocol';
import { memoryWorld, MemoryStore } from '@peerai/core-protocol/testing';
import {
  challengedLeaves,
  checkEvidence,
  encodeShown,
  falseAnswerEntry,
  judgeLease,
  showLeaf,
  signStorageAnswer,
  type StoredChunk,
} from '@peerai/ledger/market';
import { afterEach, expect, test } from 'vitest';
import { closeFair, fair, only } from '../testing/storage-fair.ts';
import { falseAnswersOf, keepFalseAnswer } from './false-answers.ts';
import { storageLimits as limits } from './limits.ts';
import { plainStorageAnswer, storageMethod } from './storage-protocol.ts';

afterEach(closeFair);
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A lender with the right key and other bytes, or that stands by nothing it shows. */
async function liar(change: (leaf: Uint8Array) => Uint8Array, signs = true) {
  const { world, shelf, lender, borrower, lease, put, prove } = await fair();
  const { id } = await lease();
  await put(id);
  const wholes = new Map<string, Uint8Array>();
  for (const name of await shelf.list(`storage/${id}`))
    wholes.set(name, await shelf.read(`storage/${id}/${name}`, 0, 300_000));
  const chunks: StoredChunk[] = [...wholes].map(([chunk, { length }]) => ({ id: chunk, bytes: length }));
  world.kill(lender);
  const { clock, networks } = world;
  const { network, identity } = memoryWorld({
    seed: 77,
    identity: lender.identity,
    clock,
    networks,
    isGranted: () => true,
  });
  const sides = { lender: identity.peer, borrower: borrower.identity.peer };
  serveMethod(
    network,
    storageMethod,
    async ({ kind, nonce = new Uint8Array(32) }) => {
      if (kind !== 'challenge') return plainStorageAnswer;
      const asked = challengedLeaves(nobleCrypto, nonce, chunks);
      const leaves = await Promise.all(
        asked.map(({ chunk, index }) => showLeaf(nobleCrypto, chunk, wholes.get(chunk) ?? new Uint8Array(), index)),
      );
      const shown = leaves.map((one) => ({ ...one, leaf: change(one.leaf) }));
      const facts = { version: 1 as const, lease: fromHex(id), ...sides, n: 2, nonce };
      const hash = nobleCrypto.sha256(encodeShown(shown, chunks));
      return {
        ...plainStorageAnswer,
        document: new Uint8Array(),
        leaves: shown.map((one) => ({ ...one, path: [...one.path], chunk: fromHex(one.chunk) })),
        ...(signs ? { answered: signStorageAnswer({ identity }, { ...facts, shown: hash }) } : {}),
      };
    },
    { clock },
  );
  const evidence = async () => (await borrower.peer.market.evidence(id, 'it lost my file')).evidence;
  return { borrower, lender, id, prove, evidence };
}

test('a lender that signs a wrong answer is convicted by anybody who gets the file', async () => {
  const { id, prove, evidence, lender, borrower } = await liar((leaf) => leaf.map((byte) => byte ^ 1));
  await expect(prove(id)).rejects.toThrow(code('RECEIPT_WRONG'));
  const text = await evidence();
  const { evidence: found, refused } = checkEvidence(nobleCrypto, text, 0);
  const verdict = judgeLease(nobleCrypto, id, found.documents);
  expect([refused, [...verdict.faults]]).toEqual([0, [[lender.identity.peer, 'false-answer']]]);
  const faults = [{ fault: 'false-answer', name: 'lender', counted: true }];
  expect(await borrower.peer.market.judge(text)).toMatchObject({ faults, winner: { name: 'borrower' } });
});

test('one that does not sign what it shows is not paid for it, and nothing proves anything against it', async () => {
  const { id, prove, evidence, borrower } = await liar((leaf) => leaf, false);
  await expect(prove(id)).rejects.toThrow(code('ANSWER_UNSIGNED'));
  expect(await only(borrower)).toMatchObject({ state: 'active', dueMicro: '0' });
  expect(
    judgeLease(nobleCrypto, id, checkEvidence(nobleCrypto, await evidence(), 0).evidence.documents).faults.size,
  ).toBe(0);
});

test(`the first false answer of ${limits.falseAnswersKept} leases is kept, the rest goes`, async () => {
  const store = new MemoryStore();
  const { identity } = memoryWorld({ seed: 5 });
  const other = memoryWorld({ seed: 6 }).identity;
  const leaf = { chunk: 'aa'.repeat(32), index: 0, leaf: new Uint8Array(1), path: [] };
  const shown = encodeShown([leaf], [{ id: leaf.chunk, bytes: 1 }]);
  const ids = Array.from({ length: limits.falseAnswersKept + 1 }, (_, index) => toHex(new Uint8Array(32).fill(index)));
  const facts = { version: 1 as const, lender: identity.peer, borrower: other.peer, n: 1, nonce: new Uint8Array(32) };
  for (const id of ids) {
    const said = { ...facts, lease: fromHex(id), shown: nobleCrypto.sha256(shown) };
    const entry = falseAnswerEntry(signStorageAnswer({ identity }, said), shown);
    await keepFalseAnswer(nobleCrypto, store, id, entry);
  }
  const kept = await Promise.all(ids.map((id) => falseAnswersOf(store, id)));
  expect(kept.flat()).toHaveLength(limits.falseAnswersKept);
  // What others cannot check is not kept.
  await keepFalseAnswer(nobleCrypto, store, 'bb', { kind: 'false-storage-answer', body: new Uint8Array(8) });
  expect(await falseAnswersOf(store, 'bb')).toEqual([]);
});
