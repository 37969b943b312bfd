import { PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { splitTransfer } from '@peerai/core-protocol/pcp';
import { ManualClock, mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { type Decoder, testMutations, through } from '../../test/mutations.ts';
import { createChunkIntake } from './chunks.ts';
import { fileAnswerForm, fileQuestionForm } from './protocol.ts';

const random = seededRandom(6);
const transfer = random.bytes(16);

const decoders: Record<string, Decoder> = {
  offer: through(fileQuestionForm, {
    transfer,
    step: 'offer',
    offer: { name: 'a file.bin', size: 300_000, sha256: random.bytes(32) },
  }),
  piece: through(fileQuestionForm, { transfer, step: 'piece', index: 3, data: random.bytes(200) }),
  cancellation: through(fileQuestionForm, { transfer, step: 'cancel' }),
  'answer to an offer': through(fileAnswerForm, {
    state: 'wanted',
    missing: Array.from({ length: 200 }, (_, index) => index),
    code: 'LIMIT_REACHED',
    retryAfterMs: 5,
  }),
};

testMutations(decoders);

test('mutated chunks of an older peer: nothing but our errors, and nothing is kept of them', async () => {
  const [chunk] = splitTransfer(nodeCrypto, transfer, random.bytes(300));
  const valid = utf8(JSON.stringify({ ...chunk, total_chunks: 2, sha256: undefined, total_bytes: undefined }));
  const kept: string[] = [];
  const files = {
    hasTaken: () => false,
    takeWhole: async () => {
      kept.push('one');
      return true;
    },
  };
  const parts = { clock: new ManualClock(), stopping: new AbortController().signal, askAgain: () => undefined };
  const take = createChunkIntake({ crypto: nodeCrypto, files, ...parts });
  const mutations = seededRandom(3);
  for (let turn = 0; turn < 10_000; turn += 1) {
    let payload: unknown;
    try {
      payload = JSON.parse(new TextDecoder().decode(mutated(valid, mutations)));
    } catch {
      continue;
    }
    const failure = await take({ sender: `peer-${turn}` as PeerId, payload }).catch((error: unknown) => error);
    if (failure instanceof Error && !PeerAiError.is(failure)) throw failure;
  }
  expect(kept.length).toBeLessThan(10);
});
