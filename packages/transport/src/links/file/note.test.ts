import { utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import {
  parseJson,
  readAnswer,
  readOffer,
  type SignalOffer,
  splitCandidates,
  writeAnswer,
  writeOffer,
} from './note.ts';

const id = '9f0c1d2e-0000-4000-8000-000000000001';
const offer: SignalOffer = {
  id,
  from: 'assistant_a',
  to: 'assistant_b',
  writtenMs: 1_700_000_000_000,
  sdp: 'v=0\r\no=- 1 0 IN IP4 127.0.0.1\r\n',
  candidates: ['a=candidate:1 1 UDP 1 127.0.0.1 4000 typ host'],
};
const answer = { for: id, from: 'assistant_b', writtenMs: 1_700_000_000_500, sdp: offer.sdp };

test('an offer and an answer are read as they were written, in the form that older programs have', () => {
  expect(writeOffer(offer)).toMatchObject({ id, ts: 1_700_000_000, sdp: { type: 'offer', sdp: offer.sdp } });
  expect(writeAnswer(answer)).toMatchObject({ for: id, ts: 1_700_000_000.5, sdp: { type: 'answer', sdp: offer.sdp } });
  expect(readOffer(writeOffer(offer))).toEqual(offer);
  expect(readAnswer(writeAnswer(answer))).toEqual(answer);
});

test('an older program’s offer has no reader and no candidates beside it; its writer is said elsewhere', () => {
  const { id: _, ...rest } = offer;
  const old = { id, ts: 1, sdp: { type: 'offer', sdp: rest.sdp } };
  expect(readOffer(old)).toBeUndefined();
  expect(readOffer(old, 'assistant_a')).toEqual({
    id,
    from: 'assistant_a',
    writtenMs: 1_000,
    sdp: rest.sdp,
    candidates: [],
  });
});

test.each([
  ['no id', { id: undefined }],
  ['an id that is a path', { id: '../../../etc/passwd' }],
  ['an id of 7 characters', { id: '0'.repeat(7) }],
  ['an id of 65 characters', { id: '0'.repeat(65) }],
  ['a writer that is a path', { from: 'a/b' }],
  ['a writer of 65 characters', { from: 'a'.repeat(65) }],
  ['a reader that is none', { to: 7 }],
  ['a time that is text', { ts: '1' }],
  ['an answer in it', { sdp: { type: 'answer', sdp: 'v=0' } }],
  ['no description', { sdp: { type: 'offer', sdp: 'hello' } }],
  ['candidates that are none', { candidates: ['hello'] }],
  ['candidates that are no list', { candidates: 'a=candidate:1' }],
])('an offer with %s is none', (_, change) => {
  expect(readOffer({ ...writeOffer(offer), ...change })).toBeUndefined();
});

test('ids of 8 and 64 and names of 64 characters are taken', () => {
  for (const change of [{ id: '0'.repeat(8) }, { id: 'f'.repeat(64) }, { from: 'a'.repeat(64) }])
    expect(readOffer({ ...writeOffer(offer), ...change })).toMatchObject(change);
});

test('candidates up to the limit are used', () => {
  const candidates = Array.from({ length: limits.signalCandidatesMax + 1 }, (_, turn) => `a=candidate:${turn}`);
  expect(readOffer({ ...writeOffer(offer), candidates })?.candidates).toEqual(candidates.slice(0, -1));
  const sdp = ['v=0', ...candidates, 'a=end-of-candidates', ''].join('\r\n');
  expect(splitCandidates(sdp)).toEqual({ sdp: 'v=0\r\n', candidates: candidates.slice(0, -1) });
});

test('ten thousand mutated files: nothing is thrown, nothing is slow', () => {
  const random = seededRandom(7);
  const word = (below: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % below;
  const hostile = ['"', '\\', '{', '[[[[[[[[', '":"', '1e999', '__proto__', '\0', '\\ud800', 'null'].map(utf8);
  let [read, slowestMs] = [0, 0];
  for (const valid of [writeOffer(offer), writeAnswer(answer)].map((note) => utf8(JSON.stringify(note)))) {
    for (let turn = 0; turn < 10_000; turn += 1) {
      const place = word(valid.length);
      const piece = turn % 2 === 0 ? random.bytes(1 + word(4)) : (hostile[word(hostile.length)] ?? new Uint8Array());
      const cut = turn % 5 === 0 ? valid.length : place + (turn % 3);
      const bytes = Uint8Array.from([...valid.subarray(0, place), ...piece, ...valid.subarray(cut)]);
      const startMs = threadMs();
      const value = parseJson(bytes);
      if (readOffer(value, 'x') !== undefined || readAnswer(value, 'x') !== undefined) read += 1;
      slowestMs = Math.max(slowestMs, threadMs() - startMs);
    }
  }
  // A mutation inside a text leaves a note a note; most do not.
  expect(read).toBeLessThan(15_000);
  // Fifty on a quiet machine; this test says no only at five times that.
  expect(slowestMs).toBeLessThan(250);
});
