import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PeerAiError } from '@peerai/core-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import {
  createFrameReader,
  decodeCredit,
  decodeReset,
  encodeCredit,
  encodeFrame,
  encodeReset,
  frameKind,
  messageCost,
  windowBytes,
} from './frame.ts';

const collect = (admit: (kind: string, length: number) => void = () => undefined) => {
  const frames: [string, number[]][] = [];
  const reader = createFrameReader(admit, (kind, payload) => void frames.push([kind, [...payload]]));
  return { frames, reader };
};

test('frames come out whole, in order, however the bytes were joined and split', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(messages, cuts, (sent, sizes) => {
      const bytes = sent.flatMap((message) => [...encodeFrame('data', message)]);
      const { frames, reader } = collect();
      for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.push(Uint8Array.from(bytes.slice(offset, offset + size)));
        offset += size;
      }
      expect(frames).toEqual(sent.map((message) => ['data', [...message]]));
    }),
  );
});

test('a payload is its own memory, also when a Node Buffer came in', () => {
  const incoming = Buffer.from(encodeFrame('data', Uint8Array.of(1, 2, 3)));
  const kept: Uint8Array[] = [];
  createFrameReader(
    () => undefined,
    (_kind, payload) => void kept.push(payload),
  ).push(incoming);
  incoming.fill(9);
  expect(kept).toEqual([Uint8Array.of(1, 2, 3)]);
});

test.each([
  ['unknown kind', [99, 0, 0, 0, 0]],
  ['credit of three bytes', [frameKind.credit, 0, 0, 0, 3]],
  ['ping with a payload', [frameKind.ping, 0, 0, 0, 1]],
  ['end with a payload', [frameKind.end, 0, 0, 0, 1]],
  ['reset without a code', [frameKind.reset, 0, 0, 0, 0]],
  ['reset with a code one too long', [frameKind.reset, 0, 0, 0, limits.resetCodeCharsMax + 1]],
])('%s is refused before its payload is kept', (_name, bytes) => {
  expect(() => collect().reader.push(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'INVALID_FORMAT' }) as Error,
  );
});

test('a payload that comes byte by byte costs the memory of its length, and telling a length costs little', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const live = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const length = 400_000;
  const sizes: number[] = [];
  const reader = createFrameReader(
    () => undefined,
    (_, payload) => void sizes.push(payload.length),
  );
  const before = live();
  reader.push(encodeFrame('data', new Uint8Array(length)).subarray(0, limits.frameHeadBytes + 1));
  expect(live() - before).toBeLessThan(limits.payloadRoomBytes + 1_048_576);
  const byte = new Uint8Array(1);
  for (let sent = 1; sent < length - 1; sent += 1) reader.push(byte);
  expect(live() - before).toBeLessThan(length + 2 * 1_048_576);
  reader.push(byte);
  expect(sizes).toEqual([length]);
});

test('whoever admits sees the length before any of the payload', () => {
  const seen: number[] = [];
  const { reader } = collect((_kind, length) => void seen.push(length));
  reader.push(encodeFrame('data', new Uint8Array(1_000)).subarray(0, limits.frameHeadBytes));
  expect(seen).toEqual([1_000]);
});

test('random bytes never throw anything but our own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        collect((_kind, length) => {
          if (length > 1_000) throw new PeerAiError('LIMIT_EXCEEDED', 'too long');
        }).reader.push(bytes);
      } catch (error) {
        expect(PeerAiError.is(error)).toBe(true);
      }
    }),
    { numRuns: 10_000 },
  );
});

test('credit and reset codes survive the wire; a code that is none becomes INTERNAL', () => {
  const { frames, reader } = collect();
  reader.push(encodeCredit(4_294_967_295));
  reader.push(encodeReset('LIMIT_REACHED'));
  reader.push(encodeReset('C'.repeat(limits.resetCodeCharsMax)));
  reader.push(encodeReset('C'.repeat(limits.resetCodeCharsMax + 1)));
  reader.push(encodeReset('not a code'));
  const payload = (index: number): Uint8Array => Uint8Array.from(frames[index]?.[1] ?? []);
  expect(decodeCredit(payload(0))).toBe(4_294_967_295);
  expect([1, 2, 3, 4].map((index) => decodeReset(payload(index)))).toEqual([
    'LIMIT_REACHED',
    'C'.repeat(limits.resetCodeCharsMax),
    'INTERNAL',
    'INTERNAL',
  ]);
});

test('three quarters of the window hold the largest message, so that a reader may keep a quarter ungranted', () => {
  for (const bytes of [0, 1, 65_536, 786_000, 786_427, 786_428, 1_048_576, 16_777_216]) {
    const window = windowBytes(bytes);
    expect(window).toBeGreaterThanOrEqual(limits.creditWindowBytes);
    expect(window - window / 4).toBeGreaterThanOrEqual(messageCost(bytes));
  }
});
