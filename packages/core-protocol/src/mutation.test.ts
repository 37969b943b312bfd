import { deflateSync } from 'fflate';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, it } from 'vitest';
import { decodeTicket, encodeTicket, parseLink, proveTicket, readTicketProof, shareLink } from './access/index.ts';
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from './bytes.ts';
import { nodeCrypto as crypto } from './crypto-node/index.ts';
import { PeerAiError } from './errors.ts';
import { createIdentity } from './identity/identity.ts';
import { openKeyStatement, signSuccession } from './identity/key-statement.ts';
import { openRecord, signRecord } from './identity/record.ts';
import { openMessage, ReplayWindow, sealMessage } from './message/index.ts';
import {
  ChunkTable,
  decompress,
  openPcp,
  openFrame,
  type PcpPayload,
  pcpProfiles,
  readPcpPayload,
  sealConcat,
  sealSix,
  splitTransfer,
  writeFrame,
} from './pcp/index.ts';
import type { Random } from './ports/index.ts';
import { frame, readError } from './rpc/frame.ts';
import { readFrame } from './session/frame.ts';
import { readAnswer, readEnvelope, readLater, readOffer } from './session/handshake-wire.ts';
import { restoreSession, standardSuites } from './session/index.ts';
import { ManualClock, seededRandom, sessionPair } from './testing/index.ts';

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;

const random = seededRandom(77);
const clock = new ManualClock();
const identity = createIdentity(crypto, random.bytes(32));
const other = createIdentity(crypto, random.bytes(32));
const ticketText = encodeTicket(identity, {
  kind: 'share',
  id: random.bytes(8),
  name: 'name',
  addresses: ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/2'],
  models: ['nano'],
  tokens: 1_000,
  expiresMs: clock.nowMs(),
  guests: 1,
  concurrency: 1,
  allow: [],
  secret: random.bytes(16),
});
const draft = {
  kind: 'k',
  recipient: other.peer,
  sequence: 1,
  payload: { list: [1, 'two', { three: null }], text: 'x' },
};
const sealed = (form: 'json' | 'protobuf'): Uint8Array =>
  sealMessage({ crypto, identity, random, clock }, draft, { form });
const open = (form: 'json' | 'protobuf') => (bytes: Uint8Array) =>
  openMessage({ crypto, clock, replay: new ReplayWindow() }, bytes, { self: other.peer, form });
const record = {
  addresses: ['/ip4/192.0.2.1/tcp/1'],
  name: 'name',
  sequence: 1,
  expiresMs: clock.nowMs() + 1_000,
  models: ['nano'],
  agent: 'test/1',
};
const legacy = { kind: 'ping', senderId: 'a', recipientId: 'b', payload: { list: [1, 1e-7, 'two', { three: null }] } };
const openAny = (bytes: Uint8Array) =>
  openPcp({ crypto, clock, replay: new ReplayWindow(), keyOf: () => identity.publicKey }, bytes, {
    self: { peer: other.peer, entityId: 'b' },
    profiles: pcpProfiles,
  });
/** Undefined for what is no JSON: whoever hands a payload on has parsed it. */
const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    return undefined;
  }
};
const task = { task_id: 't', description: 'd', context: { a: [1, 2] }, requirements: ['x'], deadline: 1 };
const [chunk] = splitTransfer(crypto, random.bytes(16), random.bytes(300));
const compressible = Array.from({ length: 10 }, () => utf8('many words of one kind '.repeat(10)));
const deflated = writeFrame(compressible, { compress: true });
const sessionDeps = { crypto, suites: standardSuites(crypto) };
const pair = sessionPair({ crypto, nowMs: clock.nowMs() });
const sessions = { ...pair, kept: pair.responder.snapshot() };
const text = (bytes: Uint8Array): string => String.fromCodePoint(...bytes);

/** A valid input, and the decoder that meets its mutations. */
const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: (bytes: Uint8Array) => unknown }> = {
  ticket: { valid: utf8(ticketText), decode: (bytes) => decodeTicket(crypto, text(bytes)) },
  'the bytes of a ticket': {
    valid: fromBase64Url(ticketText),
    decode: (bytes) => decodeTicket(crypto, toBase64Url(bytes)),
  },
  link: { valid: utf8(shareLink('https://relay.example', ticketText)), decode: (bytes) => parseLink(text(bytes)) },
  'ticket proof': {
    valid: proveTicket(crypto, decodeTicket(crypto, ticketText), other.peer),
    decode: readTicketProof,
  },
  'key statement': {
    valid: signSuccession(identity, createIdentity(crypto, random.bytes(32)), {
      statedMs: clock.nowMs(),
      graceUntilMs: clock.nowMs() + 1_000,
    }),
    decode: (bytes) => openKeyStatement(crypto, bytes, clock.nowMs()),
  },
  'peer record': { valid: signRecord(identity, record), decode: (bytes) => openRecord(crypto, bytes, clock.nowMs()) },
  'JSON message': { valid: sealed('json'), decode: open('json') },
  'protobuf message': { valid: sealed('protobuf'), decode: open('protobuf') },
  'pcp/1.0-six message': {
    valid: sealSix({ identity, random, clock }, { ...legacy, version: '0.3' }),
    decode: openAny,
  },
  'pcp/0.1 message': { valid: sealConcat({ identity, random, clock }, legacy), decode: openAny },
  'payload of a task': {
    valid: utf8(JSON.stringify(task)),
    decode: (bytes) => readPcpPayload('task_delegate', jsonOf(bytes)),
  },
  'chunk of a transfer': {
    valid: utf8(JSON.stringify(chunk)),
    decode: (bytes) =>
      new ChunkTable({ crypto }).accept(
        other.peer,
        readPcpPayload('chunk', jsonOf(bytes)).payload as PcpPayload<'chunk'>,
        0,
      ),
  },
  'frame of ten messages': { valid: deflated, decode: (bytes) => openFrame(bytes, () => undefined) },
  'deflated text': {
    valid: deflateSync(utf8('many words of one kind '.repeat(40))),
    decode: (bytes) => decompress(bytes, 920, 1_000),
  },
  'handshake offer': {
    valid: sessions.messages[0] ?? new Uint8Array(),
    decode: (bytes) => readOffer(readEnvelope(bytes).body),
  },
  'handshake answer': {
    valid: sessions.messages[1] ?? new Uint8Array(),
    decode: (bytes) => readAnswer(readEnvelope(bytes).body),
  },
  'later handshake message': {
    valid: sessions.messages[2] ?? new Uint8Array(),
    decode: (bytes) => readLater(readEnvelope(bytes).body),
  },
  'session frame': {
    valid: sessions.initiator.seal('k', utf8('payload'), clock.nowMs()).frame,
    decode: readFrame,
  },
  'session snapshot': {
    valid: sessions.kept,
    decode: (bytes) => restoreSession(sessionDeps, bytes, clock.nowMs()),
  },
  'rpc frame': {
    valid: frame.encode({
      kind: 'error',
      body: utf8('body'),
      error: { code: 'CODE', message: 'text', detailsJson: '{"a":[1,{"b":2}]}', retryAfterMs: 5 },
    }),
    decode: (bytes) => readError(frame.decode(bytes).error),
  },
};

describe('Ten thousand mutated inputs', () => {
  it.each(Object.entries(decoders))(
    'a %s: nothing but PeerAiError, nothing slow',
    (name, { valid, decode }) => {
      expect(() => decode(valid)).not.toThrow();
      const mutations = seededRandom(name.length);
      let [refused, slowestMs] = [0, 0];
      for (let turn = 0; turn < mutationsEach; turn += 1) {
        const input = mutate(valid, mutations);
        const startMs = threadMs();
        try {
          decode(input);
        } catch (error) {
          refused += 1;
          if (!PeerAiError.is(error)) throw new Error(`input ${toBase64Url(input)}`, { cause: error });
        }
        slowestMs = Math.max(slowestMs, threadMs() - startMs);
      }
      expect(slowestMs).toBeLessThan(slowestMsMax);
      // A mutation may leave a frame readable; most do not.
      expect(refused).toBeGreaterThan(mutationsEach / 20);
    },
    60_000,
  );
});

/** One to four of: flip a bit, set, insert, cut, copy a part, swap in what parsers trip over, or nothing but noise. */
function mutate(valid: Uint8Array, mutations: Random): Uint8Array {
  const word = (below: number): number => new DataView(mutations.bytes(4).buffer).getUint32(0) % below;
  let bytes = valid.slice();
  for (let count = 1 + word(4); count > 0; count -= 1) {
    const place = word(bytes.length + 1);
    const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)];
    const piece =
      [
        () => mutations.bytes(1 + word(8)),
        () => new Uint8Array(1 + word(16)).fill(0xff),
        () => bytes.slice(word(bytes.length + 1)),
        () => utf8(hostile[word(hostile.length)] ?? ''),
      ][word(4)]?.() ?? new Uint8Array();
    const change = word(5);
    if (change === 0) bytes[place] = (bytes[place] ?? 0) ^ (1 << word(8));
    else if (change === 1) bytes = Uint8Array.from([...head, ...piece, ...tail]);
    else if (change === 2) bytes = Uint8Array.from([...head, ...tail.subarray(word(tail.length + 1))]);
    else if (change === 3) bytes = Uint8Array.from([...head, ...piece, ...tail.subarray(piece.length)]);
    else if (word(20) === 0) bytes = Uint8Array.from(mutations.bytes(word(600)));
  }
  return bytes.slice(0, 20_000);
}

const hostile = [
  '"',
  '\\',
  '{',
  '[',
  '[[[[[[[[',
  '":"',
  '1e999',
  '-0',
  '\\ud800',
  '__proto__',
  '\0',
  '\u{1F600}',
  ',,',
  '#',
  '@',
  '/s#',
];

it('mutates differently every time', () => {
  const mutations = seededRandom(1);
  const valid = utf8('valid input');
  const seen = new Set(Array.from({ length: 200 }, () => fromUtf8(utf8(text(mutate(valid, mutations))))));
  expect(seen.size).toBeGreaterThan(150);
});
