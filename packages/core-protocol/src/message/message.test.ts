import { beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, fromUtf8, toBase64Url, toHex, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { createIdentity } from '../identity/identity.ts';
import { signedBytes } from '../identity/signed.ts';
import { limits } from '../limits.ts';
import { ManualClock, seededRandom } from '../testing/index.ts';
import { bytes, message as wireMessage } from '../wire/index.ts';
import { type MessageDraft, type MessageKey, openMessage, ReplayWindow, sealMessage } from './index.ts';
import { canonicalJson } from './strict-json.ts';

const random = seededRandom(9);
const alice = createIdentity(crypto, random.bytes(32));
const bob = createIdentity(crypto, random.bytes(32));
const eve = createIdentity(crypto, random.bytes(32));
const clock = new ManualClock();
const key: MessageKey = { aead: 'aes-256-gcm', key: random.bytes(32) };
const draft: MessageDraft = {
  kind: 'text.plain',
  recipient: bob.peer,
  session: random.bytes(16),
  sequence: 7,
  payload: { text: 'héllo', list: [1, 2.5, null, true] },
};
const failure = (code: string) => expect.objectContaining({ code });
let replay: ReplayWindow;
beforeEach(() => {
  replay = new ReplayWindow();
});

const variants = (['json', 'protobuf'] as const).flatMap((form) => [
  { form, name: `${form}, in clear`, options: { form } },
  { form, name: `${form}, sealed with AES-256-GCM`, options: { form, key } },
  {
    form,
    name: `${form}, sealed with ChaCha20-Poly1305`,
    options: { form, key: { ...key, aead: 'chacha20-poly1305' } as const },
  },
]);

describe.each(variants)('A message as $name', ({ form, options }) => {
  const seal = (change: Partial<MessageDraft> = {}, identity = alice): Uint8Array =>
    sealMessage({ crypto, identity, random, clock }, { ...draft, ...change }, options);
  const open = (sealed: Uint8Array, change: object = {}) =>
    openMessage({ crypto, clock, replay }, sealed, { self: bob.peer, ...options, ...change });

  it('opens to what was sealed', () => {
    expect(open(seal())).toEqual({
      version: 1,
      sender: alice.peer,
      timestampMs: clock.nowMs(),
      nonce: expect.any(Uint8Array),
      ...draft,
    });
    const { session: _, ...without } = draft;
    const opened = open(sealMessage({ crypto, identity: alice, random, clock }, without, options));
    expect('session' in opened).toBe(false);
    for (const payload of [null, '', 0, [], {}]) expect(open(seal({ payload })).payload).toEqual(payload);
  });

  it('is refused after any single bit is changed', () => {
    const sealed = seal({ payload: 1 });
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open(changed)).toThrow(expect.objectContaining({ name: 'PeerAiError' }));
    }
    expect(replay.entries).toBe(0);
    expect(open(sealed).payload).toBe(1);
  });

  it('is refused when it comes again, also after a restart', () => {
    const sealed = seal();
    open(sealed);
    expect(() => open(sealed)).toThrow(failure('REPLAY_DETECTED'));
    replay = new ReplayWindow({ snapshot: replay.snapshot() });
    expect(() => open(sealed)).toThrow(failure('REPLAY_DETECTED'));
  });

  it('is refused by another peer, and when it is cut or has something behind it', () => {
    const sealed = seal();
    expect(() => open(sealed, { self: eve.peer })).toThrow(failure('WRONG_RECIPIENT'));
    for (const length of [0, 1, sealed.length - 1]) {
      expect(() => open(sealed.subarray(0, length))).toThrow(failure('INVALID_FORMAT'));
    }
    expect(() => open(concatBytes(sealed, utf8('x')))).toThrow(failure('INVALID_FORMAT'));
  });

  it('may be a minute early or late and no more', async () => {
    const [first, second, third] = [seal(), seal(), seal()];
    clock.jump(limits.clockSkewMsMax);
    expect(open(first).kind).toBe('text.plain');
    clock.jump(1);
    expect(() => open(second)).toThrow(failure('CLOCK_SKEW'));
    clock.jump(-2 * limits.clockSkewMsMax - 1);
    expect(open(second).kind).toBe('text.plain');
    clock.jump(-1);
    expect(() => open(third)).toThrow(failure('CLOCK_SKEW'));
    clock.jump(limits.clockSkewMsMax + 1);
  });

  it('is not taken in the other form, nor with another key or none', () => {
    const sealed = seal();
    expect(() => open(sealed, { form: form === 'json' ? 'protobuf' : 'json' })).toThrow(failure('INVALID_FORMAT'));
    if (options.key === undefined) {
      expect(() => open(sealed, { key })).toThrow(failure('KEY_REFUSED'));
      return;
    }
    const { key: _, ...noKey } = options;
    expect(() => openMessage({ crypto, clock, replay }, sealed, { self: bob.peer, ...noKey })).toThrow(
      failure('KEY_REFUSED'),
    );
    const other = { ...options.key, key: random.bytes(32) };
    expect(() => open(sealed, { key: other })).toThrow(failure('DECRYPTION_FAILED'));
    const aead = options.key.aead === 'aes-256-gcm' ? 'chacha20-poly1305' : 'aes-256-gcm';
    expect(() => open(sealed, { key: { ...options.key, aead } })).toThrow(failure('KEY_REFUSED'));
    expect(open(sealed).sequence).toBe(7);
  });

  it('does not show a sealed payload', () => {
    const text = fromUtf8(utf8(String.fromCodePoint(...seal({ payload: 'find me' }))));
    expect(text.includes('find me')).toBe(options.key === undefined);
  });

  it.each([
    ['kind', { kind: 'x'.repeat(limits.kindBytesMax) }, { kind: 'x'.repeat(limits.kindBytesMax + 1) }],
    ['an empty kind', { kind: 'x' }, { kind: '' }],
    ['session', { session: new Uint8Array(16) }, { session: new Uint8Array(15) }],
    ['sequence', { sequence: Number.MAX_SAFE_INTEGER }, { sequence: Number.MAX_SAFE_INTEGER + 1 }],
    ['a sequence below zero', { sequence: 0 }, { sequence: -1 }],
  ])('keeps the bounds of %s', (_, most, more) => {
    expect(open(seal(most))).toMatchObject(most);
    expect(() => seal(more)).toThrow(failure('INVALID_FORMAT'));
  });

  it('takes a message of the limit and refuses one byte more, before reading it', () => {
    expect(() => open(new Uint8Array(limits.messageBytesMax + 1))).toThrow(failure('LIMIT_EXCEEDED'));
    expect(() => open(new Uint8Array(limits.messageBytesMax))).toThrow(failure('INVALID_FORMAT'));
    expect(() => seal({ payload: 'x'.repeat(limits.messageBytesMax) })).toThrow(failure('LIMIT_EXCEEDED'));
  });
});

describe('A JSON message', () => {
  const seal = (): Record<string, unknown> =>
    JSON.parse(fromUtf8(sealMessage({ crypto, identity: alice, random, clock }, draft, { form: 'json' })));
  const open = (text: string) => openMessage({ crypto, clock, replay }, utf8(text), { self: bob.peer, form: 'json' });
  const sign = (message: object): string => {
    const signature = toBase64Url(alice.sign(signedBytes('peerai/message/1/json', canonicalJson(message))));
    return JSON.stringify({ ...message, signature });
  };

  it('may be written with other spaces and another order of keys: its meaning is signed', () => {
    const { kind, ...rest } = seal();
    expect(open(JSON.stringify({ kind, ...rest }, undefined, 2)).payload).toEqual(draft.payload);
  });

  it('is refused when any of its fields is changed, missing or new', () => {
    const message = seal();
    const changes: Record<string, unknown> = {
      version: 2,
      kind: 'text.plaim',
      sender: eve.peer,
      recipient: eve.peer,
      session: '00'.repeat(16),
      sequence: 8,
      timestampMs: clock.nowMs() + 1,
      nonce: '00'.repeat(32),
      payload: { text: 'hello', list: [1, 2.5, null, true] },
      signature: toBase64Url(new Uint8Array(64)),
    };
    expect(Object.keys(changes).toSorted()).toEqual(Object.keys(message).toSorted());
    const refused = expect.objectContaining({ name: 'PeerAiError' });
    for (const [field, value] of Object.entries(changes)) {
      expect(() => open(JSON.stringify({ ...message, [field]: value }))).toThrow(refused);
      const { [field]: _, ...missing } = message;
      expect(() => open(JSON.stringify(missing))).toThrow(refused);
    }
    expect(() => open(JSON.stringify({ ...message, extra: 1 }))).toThrow(failure('INVALID_FORMAT'));
    expect(() => open(JSON.stringify({ ...message, aead: 'aes-256-gcm' }))).toThrow(refused);
    expect(open(JSON.stringify(message)).sequence).toBe(7);
  });

  it('is refused, and not signed differently, when a key comes twice or a number is written otherwise', () => {
    const text = JSON.stringify(seal());
    for (const changed of [
      text.replace('"sequence":7', '"sequence":7,"sequence":7'),
      text.replace('"sequence":7', '"sequence":7.0'),
      text.replace('"sequence":7', '"sequence":7e0'),
      text.replace('[1,', '[1.0,'),
      text.replace('[1,', '[-0,'),
    ]) {
      expect(changed).not.toBe(text);
      expect(() => open(changed)).toThrow(failure('INVALID_FORMAT'));
    }
    expect(open(text).sequence).toBe(7);
  });

  it('writes bytes in one way only: upper-case hex is refused though it is signed', () => {
    const { signature: _, ...valid } = seal();
    const upper = { ...valid, nonce: String(valid['nonce']).toUpperCase() };
    expect(() => open(sign(upper))).toThrow(failure('INVALID_FORMAT'));
    expect(open(sign(valid)).sequence).toBe(7);
  });

  it('of another version says which ones are read here, before anything else about it', () => {
    const future = { version: 2, kind: 1, recipient: 'nobody' };
    expect(() => open(JSON.stringify(future))).toThrow(
      expect.objectContaining({ code: 'INVALID_VERSION', details: { supported: [1] } }),
    );
  });

  it('checks form, version, recipient, clock, signature and replay in this order', () => {
    const { signature: _, ...valid } = seal();
    const late = { timestampMs: clock.nowMs() - limits.clockSkewMsMax - 1 };
    const forged = (message: object): string =>
      JSON.stringify({ ...message, signature: toBase64Url(new Uint8Array(64)) });
    expect(() => open(forged({ ...valid, ...late, recipient: eve.peer, version: 9 }))).toThrow(
      failure('INVALID_VERSION'),
    );
    expect(() => open(forged({ ...valid, ...late, recipient: eve.peer, nonce: '' }))).toThrow(
      failure('INVALID_FORMAT'),
    );
    expect(() => open(forged({ ...valid, ...late, recipient: eve.peer }))).toThrow(failure('WRONG_RECIPIENT'));
    expect(() => open(forged({ ...valid, ...late }))).toThrow(failure('CLOCK_SKEW'));
    open(sign(valid));
    expect(() => open(forged(valid))).toThrow(failure('INVALID_SIGNATURE'));
    expect(() => open(sign(valid))).toThrow(failure('REPLAY_DETECTED'));
  });

  it('signs the tag, a zero byte and RFC 8785 of the rest', () => {
    const { signature, ...rest } = seal();
    const signed = concatBytes(utf8('peerai/message/1/json'), Uint8Array.of(0), canonicalJson(rest));
    expect(signature).toBe(toBase64Url(alice.sign(signed)));
  });
});

describe('A protobuf message', () => {
  const envelope = wireMessage({ body: bytes(1), signature: bytes(2) });
  const seal = (): Uint8Array => sealMessage({ crypto, identity: alice, random, clock }, draft, { form: 'protobuf' });
  const open = (sealed: Uint8Array) =>
    openMessage({ crypto, clock, replay }, sealed, { self: bob.peer, form: 'protobuf' });

  it('signs the tag, a zero byte and the body as it travels', () => {
    const { body, signature } = envelope.decode(seal());
    expect(toHex(signature)).toBe(
      toHex(alice.sign(concatBytes(utf8('peerai/message/1/protobuf'), Uint8Array.of(0), body))),
    );
  });

  it('of another version says which ones are read here, whatever its other fields are', () => {
    const body = Uint8Array.of(8, 2, 0x80, 1, 1);
    expect(() => open(envelope.encode({ body, signature: new Uint8Array(64) }))).toThrow(
      expect.objectContaining({ code: 'INVALID_VERSION', details: { supported: [1] } }),
    );
  });

  it('with a payload that is no strict JSON is refused though it is signed', () => {
    const { body } = envelope.decode(seal());
    const place = body.findIndex(
      (_, index) => fromUtf8(utf8('héllo')) === 'héllo' && body[index] === 0x31 && body[index + 1] === 0x2c,
    );
    const changed = body.slice();
    changed.set(utf8('0'), place);
    changed.set(utf8('1'), place + 1);
    const signature = alice.sign(signedBytes('peerai/message/1/protobuf', changed));
    expect(() => open(envelope.encode({ body: changed, signature }))).toThrow(failure('INVALID_FORMAT'));
  });
});
