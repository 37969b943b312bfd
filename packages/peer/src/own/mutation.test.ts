import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { seededRandom, readMutated } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { fromForm, ownAnswer, ownQuestion, plainAnswer, plainQuestion, toForm } from './own-protocol.ts';

const peerOf = (seed: number) => createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer;
const [a, b] = [peerOf(1), peerOf(2)];
const row = { seed: 7, shared: true, createdMs: 5, steps: 60, learned: 2, heard: 1, right: 0.5, version: { [a]: 3 } };
const head = { name: 'c', removed: false, hash: 'ab'.repeat(32), version: { [a]: 3, [b]: 9 }, work: 63, row };
const decoders = {
  'a question': {
    valid: ownQuestion.encode({
      ...plainQuestion,
      kind: 'capsules',
      bucket: 3,
      ids: new Uint8Array(64).fill(4),
      name: 'c',
    }),
    decode: (bytes: Uint8Array) => ownQuestion.decode(bytes),
  },
  'an answer with clusters': {
    valid: ownAnswer.encode({
      ...plainAnswer,
      digest: new Uint8Array(32),
      held: new Uint8Array(64),
      clusters: [toForm(head)],
    }),
    decode: (bytes: Uint8Array) => ownAnswer.decode(bytes).clusters.map(fromForm),
  },
};

test.each(Object.entries(decoders))(
  '%s between own devices: 10,000 mutations, nothing but our errors, nothing slow',
  (_, { valid, decode }) => {
    const { slowestMs, refused } = readMutated(valid, decode, { random: seededRandom(13), nowMs: threadMs });
    expect(refused).toBeGreaterThan(2_000);
    // Fifty on a quiet machine; this test says no only at five times that.
    expect(slowestMs).toBeLessThan(250);
  },
);
