import { deflateSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { createIdentity } from '../identity/identity.ts';
import { openMessage, ReplayWindow, sealMessage } from '../message/index.ts';
import { ManualClock, seededRandom } from '../testing/index.ts';
import { bytes, message, optional, repeated, uint32 } from '../wire/index.ts';
import { compress, decompress, openFrame, pcpLimits, readFrame, writeFrame } from './index.ts';

const random = seededRandom(8);
const failure = (code: string) => expect.objectContaining({ code });
const text = (size: number): Uint8Array => utf8('words and words '.repeat(Math.ceil(size / 16)).slice(0, size));
const raw = message({ plain: optional(bytes(1)), deflated: optional(bytes(2)), size: optional(uint32(3)) });
const batch = message({ messages: repeated(bytes(1), 100) });
const none = { plain: undefined, deflated: undefined, size: undefined };

describe('Compression', () => {
  it('is for bytes above the threshold that get shorter', () => {
    expect(compress(text(pcpLimits.compressAboveBytes))).toBeUndefined();
    expect(compress(random.bytes(5_000))).toBeUndefined();
    for (const size of [pcpLimits.compressAboveBytes + 1, 100_000, 1_000_000]) {
      const deflated = compress(text(size)) ?? new Uint8Array();
      expect(deflated.length).toBeLessThan(size / 4);
      expect(toHex(crypto.sha256(decompress(deflated, size, size)))).toBe(toHex(crypto.sha256(text(size))));
    }
  });

  it('refuses a size above the limit, another size than announced, cut and broken bytes', () => {
    const deflated = compress(text(5_000)) ?? new Uint8Array();
    expect(() => decompress(deflated, 5_001, 5_000)).toThrow(failure('LIMIT_EXCEEDED'));
    for (const size of [4_999, 5_001, 0])
      expect(() => decompress(deflated, size, 6_000)).toThrow(failure('INVALID_FORMAT'));
    expect(() => decompress(deflated.subarray(0, -1), 5_000, 6_000)).toThrow(failure('INVALID_FORMAT'));
    expect(() => decompress(new Uint8Array(), 1, 6_000)).toThrow(failure('INVALID_FORMAT'));
    expect(() => decompress(new Uint8Array(40).fill(0xff), 5_000, 6_000)).toThrow(failure('INVALID_FORMAT'));
  });

  it('is looked at up to so many bytes, its own fields among them', () => {
    const most = pcpLimits.frameBytesMax + pcpLimits.frameFieldsBytesMax;
    expect(() => readFrame(new Uint8Array(most))).toThrow(failure('INVALID_FORMAT'));
    expect(() => readFrame(new Uint8Array(most + 1))).toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('stops at a bomb before it has grown', () => {
    // Its tail is broken: who reads on to the end finds that, and not the size.
    const bomb = deflateSync(new Uint8Array(8_000_000)).fill(0xff, 4_000);
    const field = (size: number) => {
      try {
        decompress(bomb, size, 8_000_000);
      } catch (error) {
        return (error as { readonly details: { readonly field: string } }).details.field;
      }
      return undefined;
    };
    expect(field(pcpLimits.frameBytesMax)).toBe('size');
    expect(field(8_000_000)).toBe('deflated');
  });
});

describe.each([true, false])('A frame, compression %s', (isCompressed) => {
  const write = (messages: readonly Uint8Array[]): Uint8Array => writeFrame(messages, { compress: isCompressed });

  it('holds its messages in order', () => {
    const messages = Array.from({ length: pcpLimits.batchMessagesMax }, (_, place) => text(200 + place));
    expect(readFrame(write(messages))).toEqual(messages);
    expect(write(messages).length < 1_000).toBe(isCompressed);
    expect(() => write([...messages, text(1)])).toThrow(failure('LIMIT_EXCEEDED'));
    expect(() => write([])).toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('has a limit', () => {
    const most = random.bytes(pcpLimits.frameBytesMax - 4);
    expect(readFrame(write([most]))[0]).toHaveLength(most.length);
    expect(() => write([random.bytes(pcpLimits.frameBytesMax - 3)])).toThrow(failure('LIMIT_EXCEEDED'));
    expect(() => readFrame(new Uint8Array(pcpLimits.frameBytesMax + 17))).toThrow(failure('LIMIT_EXCEEDED'));
  });
});

describe('A frame', () => {
  it('of another shape is refused', () => {
    const plain = batch.encode({ messages: [text(5)] });
    const eleven = batch.encode({ messages: Array.from({ length: 11 }, () => text(5)) });
    for (const wrong of [
      none,
      { ...none, plain, deflated: deflateSync(plain), size: plain.length },
      { ...none, plain, size: plain.length },
      { ...none, deflated: deflateSync(plain) },
      { ...none, plain: new Uint8Array() },
      { ...none, plain: eleven },
      { ...none, deflated: deflateSync(eleven), size: eleven.length },
    ]) {
      expect(() => readFrame(raw.encode(wrong))).toThrow(failure('INVALID_FORMAT'));
    }
    expect(readFrame(raw.encode({ ...none, plain }))).toEqual([text(5)]);
    expect(readFrame(raw.encode({ ...none, deflated: deflateSync(plain), size: plain.length }))).toEqual([text(5)]);
    const huge = { ...none, deflated: deflateSync(plain), size: pcpLimits.frameBytesMax + 1 };
    expect(() => readFrame(raw.encode(huge))).toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('has each signed message checked alone: one that is refused takes no other with it', () => {
    const clock = new ManualClock();
    const [alice, bob] = [createIdentity(crypto, random.bytes(32)), createIdentity(crypto, random.bytes(32))];
    const seal = (sequence: number) =>
      sealMessage(
        { crypto, identity: alice, random, clock },
        { kind: 'ping', recipient: bob.peer, sequence, payload: { sequence } },
        { form: 'protobuf' },
      );
    const [first, second, third] = [seal(1), seal(2), seal(3)];
    second[second.length - 1] = (second.at(-1) ?? 0) ^ 1;
    const replay = new ReplayWindow();
    const results = openFrame(writeFrame([first, second, first, third], { compress: true }), (one) =>
      openMessage({ crypto, clock, replay }, one, { self: bob.peer, form: 'protobuf' }),
    );
    expect(results).toEqual([
      { opened: expect.objectContaining({ sequence: 1 }) },
      { error: failure('INVALID_SIGNATURE') },
      { error: failure('REPLAY_DETECTED') },
      { opened: expect.objectContaining({ sequence: 3 }) },
    ]);
  });

  it('gives the same message in the binary form as in JSON', () => {
    const clock = new ManualClock();
    const alice = createIdentity(crypto, random.bytes(32));
    const payload = { list: [1, 2.5, null, 'é'], deep: { a: true } };
    const opened = (['protobuf', 'json'] as const).map((form) => {
      const draft = { kind: 'ping', recipient: alice.peer, sequence: 1, payload };
      const sealed = sealMessage({ crypto, identity: alice, random: seededRandom(1), clock }, draft, { form });
      const [one = new Uint8Array()] = readFrame(writeFrame([sealed], { compress: true }));
      return openMessage({ crypto, clock, replay: new ReplayWindow() }, one, { self: alice.peer, form });
    });
    expect(opened[0]).toEqual(opened[1]);
    expect(opened[0]?.payload).toEqual(payload);
  });
});
