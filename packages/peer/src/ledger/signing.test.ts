import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { createReceiptBook, type ReceiptBook } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { anyModel, modelToSign } from '../tasks/model-task.ts';
import { openOwnLedger } from './own-ledger.ts';
import { createSigning } from './signing.ts';

const crypto = nobleCrypto;
const [asker, provider] = [1, 2].map((byte) => createIdentity(crypto, new Uint8Array(32).fill(byte)));
const lease = new Uint8Array([7, 7]);

async function books(identity: NonNullable<typeof asker>) {
  const [store, clock] = [new MemoryStore(), new ManualClock()];
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const network = networks.join(identity.peer);
  const { ledger } = await openOwnLedger({ store, identity, crypto, clock });
  const receipts: ReceiptBook = createReceiptBook({ store: store.room('receipts'), ledger, identity, crypto, clock });
  const signing = createSigning({
    store,
    network,
    clock,
    receipts,
    modelOf: modelToSign,
    stopping: AbortSignal.abort(),
  });
  return { receipts, signing, clock };
}

test.each<readonly [asked: string, taken: string, signs: boolean]>([
  ['mistral', 'mistral', true],
  ['mistral', 'mistral:latest', false],
  [anyModel('mistral'), 'mistral:latest', true],
  [anyModel('mistral'), 'llama3', false],
  [anyModel(''), 'llama3', true],
  ['', 'llama3', false],
])('Asked for %j, a receipt for %s is signed: %s', async (model, taken, signs) => {
  if (asker === undefined || provider === undefined) throw new Error('no identities');
  const [mine, theirs] = [await books(asker), await books(provider)];
  const prompt = { messages: [{ role: 'user' as const, text: 'hello' }] };
  const question = { provider: provider.peer, lease, model, prompt, maxTokens: 8 };
  await mine.signing.asked('r1', question);
  const usage = { promptTokens: 1, answerTokens: 2 };
  const facts = { consumer: asker.peer, lease, requestId: 'r1', model: taken, usage, workHash: new Uint8Array(32) };
  const signed = mine.signing.sign(await theirs.receipts.issue(facts), { requestId: 'r1' });
  await (signs
    ? expect(signed).resolves.toBeInstanceOf(Uint8Array)
    : expect(signed).rejects.toMatchObject({ code: 'RECEIPT_WRONG' }));
});

test('a receipt whose predecessor never comes is given up after `countersignMs`, not a millisecond before', async () => {
  if (asker === undefined || provider === undefined) throw new Error('no identities');
  const [mine, theirs] = [await books(asker), await books(provider)];
  const prompt = { messages: [{ role: 'user' as const, text: 'hello' }] };
  const question = { provider: provider.peer, lease, model: 'm', prompt, maxTokens: 8 };
  await mine.signing.asked('r2', question);
  const usage = { promptTokens: 1, answerTokens: 2 };
  const facts = { consumer: asker.peer, lease, model: 'm', usage, workHash: new Uint8Array(32) };
  await theirs.receipts.issue({ ...facts, requestId: 'r1' });
  const second = await theirs.receipts.issue({ ...facts, requestId: 'r2' });
  let ended: unknown;
  mine.signing.sign(second, { requestId: 'r2' }).catch((error: unknown) => {
    ended = (error as { readonly code?: string }).code;
  });
  await mine.clock.advance(limits.countersignMs - 1);
  expect(ended).toBeUndefined();
  await mine.clock.advance(1);
  expect(ended).toBe('TIMEOUT');
});
