import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { limits } from '../limits.ts';
import { commitMethod, openReceipt, signReceipt, watchMethod } from './messages.ts';
import { checkRun, decodeRun, encodeRun } from './run-spec.ts';
import { decodeState, encodeState, firstState } from './shared-state.ts';
import { smallRun } from './testing/spec.ts';

const spec = smallRun;
const { size } = spec;

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('what a foreign peer sends', () => {
  const identity = createIdentity(crypto, seededRandom(6).bytes(32));
  const receipt = signReceipt(identity, {
    run: new Uint8Array(32),
    term: 1,
    round: 2,
    base: new Uint8Array(32),
    update: new Uint8Array(32),
    updateBytes: 3,
    loss: 4,
  });
  const state = encodeState(firstState(new Float32Array(size)));
  const closed = { round: 1, base: receipt, delta: receipt, deltaBytes: 1, next: receipt, receipts: [receipt] };
  const open = {
    round: 2,
    base: receipt,
    members: [identity.peer],
    present: 1,
    received: 0,
    needed: 2,
    attempt: 1,
    opened: state.subarray(0, 32),
  };
  const commit = { run: receipt, term: 1, base: receipt, attempt: 1, commitment: receipt };
  const news = {
    term: 1,
    open,
    closed: {
      ...closed,
      refused: [{ peer: identity.peer, reason: 'outlier' }],
      loss: 1.5,
      commitments: [receipt],
      salts: [receipt],
      attempt: 1,
    },
  };

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['a receipt', receipt, (bytes) => openReceipt(crypto, bytes)],
    ['news', watchMethod.response.encode(news), (bytes) => watchMethod.response.decode(bytes)],
    ['a commitment', commitMethod.request.encode(commit), (bytes) => commitMethod.request.decode(bytes)],
    ['the terms of a run', encodeRun(spec), (bytes) => decodeRun(crypto, bytes)],
    ['a state', state, (bytes) => decodeState(bytes, size)],
  ])('%s: ten thousand mutations are read or refused with a code', (_, valid, decode) => {
    const random = seededRandom(7);
    expect(refusedMutations(valid, random, decode)).toBeGreaterThan(100);
  });

  it('terms come back as they were, and none that cannot be are taken', () => {
    expect(decodeRun(crypto, encodeRun(spec))).toEqual(checkRun(crypto, spec));
    for (const wrong of [
      { size: 0 },
      { rounds: 0.5 },
      { liars: -1 },
      { task: new Uint8Array(31) },
      { bits: 5 as 4 },
      { outer: { learningRate: 0, momentum: 0 } },
      { outer: { learningRate: 1, momentum: 1 } },
      { name: 'x'.repeat(101) },
    ])
      expect(() => checkRun(crypto, { ...spec, ...wrong })).toThrow(code('INVALID_OPTION'));
    expect(() => checkRun(crypto, { ...spec, membersMin: limits.roundUpdatesMax + 1 })).toThrow(code('LIMIT_REACHED'));
  });
});
