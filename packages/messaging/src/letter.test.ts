import { PeerAiError, ReplayWindow } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { readFrame, writeFrame } from '@peerai/core-protocol/pcp';
import { memoryWorld, mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { openLetter, sealLetter } from './letter.ts';
import { deliverFrameMethod, deliverMethod } from './protocol.ts';

const a = memoryWorld({ seed: 1, crypto });
const b = memoryWorld({ seed: 2, crypto, clock: a.clock, networks: a.networks });
const sentMs = a.clock.nowMs();
const row = { id: 'ab'.repeat(16), kind: 'text', content: '{"text":"hello"}', sentMs, expiresMs: sentMs + 1_000 };
const seal = (): Uint8Array => sealLetter(a, b.identity.peer, row);
const open = (bytes: Uint8Array) =>
  openLetter({ crypto, clock: b.clock, replay: new ReplayWindow(), self: b.identity.peer }, bytes, a.identity.peer);

test('a letter comes out as it went in, with its id and its times', () => {
  const { id, kind, expiresMs } = row;
  expect(open(seal())).toMatchObject({
    id,
    kind,
    sentMs,
    expiresMs,
    payload: { text: 'hello' },
    sender: a.identity.peer,
  });
});

test('10,000 mutated letters and frames: our errors only, and never another letter', () => {
  const letter = seal();
  const frame = deliverMethod.request.encode({ letter });
  const random = seededRandom(3);
  const original = JSON.stringify(open(letter));
  for (let round = 0; round < 10_000; round += 1) {
    const [high = 0, low = 0, mask = 1, kind = 0] = random.bytes(4);
    const bytes = (round % 2 === 0 ? letter : frame).slice();
    const place = ((high << 8) | low) % bytes.length;
    bytes[place] = (bytes[place] ?? 0) ^ (mask === 0 ? 1 : mask);
    const input = kind % 3 === 0 ? bytes.slice(0, place) : bytes;
    try {
      const opened = open(round % 2 === 0 ? input : deliverMethod.request.decode(input).letter);
      expect(JSON.stringify(opened)).toBe(original);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
});

test('10,000 mutated frames of letters and answers to them: our errors only', () => {
  const frames = [true, false].map((compress) =>
    deliverFrameMethod.request.encode({ frame: writeFrame([seal()], { compress }) }),
  );
  const answers = deliverFrameMethod.response.encode({ answers: [{ outcome: 'later', code: 'TIMEOUT' }] });
  const random = seededRandom(4);
  for (let round = 0; round < 10_000; round += 1) {
    const input = mutated([...frames, answers][round % 3] ?? answers, random);
    try {
      if (round % 3 === 2) deliverFrameMethod.response.decode(input);
      else readFrame(deliverFrameMethod.request.decode(input).frame);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
});
