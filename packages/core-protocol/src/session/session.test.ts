import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { codeOf } from '../testing/code-of.ts';
import { sessionPair } from '../testing/session-pair.ts';
import { readFrame } from './frame.ts';
import { parseSessionId, restoreSession, type Session, sessionLimits, standardSuites } from './index.ts';
import { sessionIdText } from './session-id.ts';

const nowMs = 1_750_000_000_000;
const suites = standardSuites(crypto);
const payload = utf8('hello');
const pairOf = (suite: string, options = {}) =>
  sessionPair({
    crypto,
    ...options,
    change: (deps) => ({ ...deps, suites: suites.filter(({ name }) => name === suite) }),
  });
const pair = (options = {}) => pairOf('aes-256-gcm', options);
const frames = (session: Session, count: number, atMs = nowMs): readonly Uint8Array[] =>
  Array.from({ length: count }, () => session.seal('k', payload, atMs).frame);
const restore = (snapshot: Uint8Array, atMs = nowMs): Session => restoreSession({ crypto, suites }, snapshot, atMs);

describe.each(['aes-256-gcm', 'chacha20-poly1305'])('A session with %s', (suite) => {
  it('binds every field of the header and every byte of the payload', () => {
    const { initiator, responder } = pairOf(suite);
    const { frame } = initiator.seal('text.plain', payload, nowMs);
    const codes = new Set<string>();
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const changed = frame.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      codes.add(codeOf(() => responder.open(changed, nowMs)));
    }
    expect(codes).not.toContain('taken');
    expect(codes).toContain('DECRYPTION_FAILED');
    expect(responder.open(frame, nowMs)).toMatchObject({ kind: 'text.plain', payload, timestampMs: nowMs });
  });
  it('goes on under new keys after so many frames or so much time, late frames included', () => {
    const { initiator, responder } = pairOf(suite, { rekeyFrames: 3, rekeyMs: 1_000 });
    const sent = frames(initiator, 7);
    expect(sent.map((frame) => readFrame(frame).header.epoch)).toEqual([0, 0, 0, 1, 1, 1, 2]);
    const order = [0, 3, 2, 6, 5].map((place) => codeOf(() => responder.open(sent[place] ?? payload, nowMs)));
    expect(order).toEqual(Array.from({ length: 5 }, () => 'taken'));
    expect(codeOf(() => responder.open(sent[1] ?? payload, nowMs))).toBe('DECRYPTION_FAILED');
    const [later] = frames(initiator, 1, nowMs + 1_000);
    expect(readFrame(later ?? payload).header.epoch).toBe(3);
    expect(responder.open(later ?? payload, nowMs).gap).toBe(0);
  });
});

describe('Numbers', () => {
  it('begin at 1, may leave a gap out, and not one more', () => {
    const { gapMax } = sessionLimits;
    const { initiator, responder } = pair();
    const sent = frames(initiator, gapMax + 2);
    expect(readFrame(sent[0] ?? payload).header.sequence).toBe(1);
    expect(() => responder.open(sent[gapMax + 1] ?? payload, nowMs)).toThrow(
      expect.objectContaining({ code: 'SEQUENCE_ERROR', details: { expected: 1, received: gapMax + 2 } }),
    );
    expect(responder.open(sent[gapMax] ?? payload, nowMs).gap).toBe(gapMax);
    expect(responder.missing).toBe(gapMax);
    expect(responder.open(sent[50] ?? payload, nowMs).gap).toBe(0);
    expect(responder.missing).toBe(gapMax - 1);
    for (const old of [50, gapMax])
      expect(codeOf(() => responder.open(sent[old] ?? payload, nowMs))).toBe('SEQUENCE_ERROR');
  });
  it('come late while they are in the window, and not after', () => {
    const { gapMax, windowFrames } = sessionLimits;
    const { initiator, responder } = pair();
    const sent = frames(initiator, windowFrames + 1);
    for (const place of [gapMax, windowFrames]) responder.open(sent[place] ?? payload, nowMs);
    expect(codeOf(() => responder.open(sent[0] ?? payload, nowMs))).toBe('SEQUENCE_ERROR');
    expect(codeOf(() => responder.open(sent[1] ?? payload, nowMs))).toBe('taken');
  });
  it('are not used up by a frame that does not open', () => {
    const { initiator, responder } = pair();
    const [frame = payload] = frames(initiator, 1);
    const forged = frame.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(codeOf(() => responder.open(forged, nowMs))).toBe('DECRYPTION_FAILED');
    expect(codeOf(() => responder.open(frame, nowMs))).toBe('taken');
  });
  it('skip ahead by at most a gap, never back', () => {
    const { initiator } = pair();
    expect([0, sessionLimits.gapMax + 2, 1.5].map((to) => codeOf(() => initiator.skipTo(to)))).toEqual(
      Array.from({ length: 3 }, () => 'SEQUENCE_ERROR'),
    );
    initiator.skipTo(sessionLimits.gapMax + 1);
    expect(readFrame(initiator.seal('k', payload, nowMs).frame).header.sequence).toBe(sessionLimits.gapMax + 1);
  });
});

describe('A frame', () => {
  it('is refused by another session, by its own sender, and by another peer', () => {
    const [here, there] = [pair(), pair({ seed: 2 })];
    const [frame = payload] = frames(here.initiator, 1);
    expect(codeOf(() => there.responder.open(frame, nowMs))).toBe('WRONG_SESSION');
    expect(codeOf(() => here.initiator.open(frame, nowMs))).toBe('WRONG_RECIPIENT');
  });
  it('holds a payload and a kind up to their limits', () => {
    const { initiator, responder } = pair();
    const sized = (size: number, kind = 'k'.repeat(64)) =>
      codeOf(() => responder.open(initiator.seal(kind, new Uint8Array(size), nowMs).frame, nowMs));
    expect([sized(sessionLimits.payloadBytesMax), sized(sessionLimits.payloadBytesMax + 1)]).toEqual([
      'taken',
      'LIMIT_EXCEEDED',
    ]);
    expect([sized(1, 'k'.repeat(65)), sized(1, ''), sized(0, 'é'.repeat(32)), sized(0, 'é'.repeat(33))]).toEqual([
      'INVALID_FORMAT',
      'INVALID_FORMAT',
      'taken',
      'INVALID_FORMAT',
    ]);
    const raw = (size: number) => codeOf(() => responder.open(new Uint8Array(size), nowMs));
    expect([raw(sessionLimits.frameBytesMax), raw(sessionLimits.frameBytesMax + 1)]).toEqual([
      'INVALID_FORMAT',
      'LIMIT_EXCEEDED',
    ]);
  });
  it('may be so many keys ahead, and not one more', () => {
    for (const [ahead, code] of [
      [sessionLimits.epochsAheadMax, 'taken'],
      [sessionLimits.epochsAheadMax + 1, 'DECRYPTION_FAILED'],
    ] as const) {
      const { initiator, responder } = pair({ rekeyFrames: 1 });
      expect(codeOf(() => responder.open(frames(initiator, ahead + 1).at(-1) ?? payload, nowMs))).toBe(code);
    }
  });
});

describe('A session ends', () => {
  it('after its time, on a clock that is set back too', () => {
    const { initiator } = pair({ lifeMs: 5_000 });
    expect(pair().initiator.expiresMs).toBe(nowMs + sessionLimits.lifeMs);
    expect(codeOf(() => initiator.seal('k', payload, nowMs + 4_999))).toBe('taken');
    expect(codeOf(() => initiator.seal('k', payload, nowMs + 5_000))).toBe('SESSION_EXPIRED');
    expect(codeOf(() => initiator.seal('k', payload, nowMs))).toBe('SESSION_EXPIRED');
    expect([initiator.state, codeOf(() => initiator.snapshot())]).toEqual(['expired', 'SESSION_EXPIRED']);
  });
  it('by closing, which overwrites every key it was restored with', () => {
    const seen: Uint8Array[] = [];
    const spied = suites.map((suite) => ({
      ...suite,
      seal(...given: Parameters<typeof suite.seal>) {
        seen.push(given[0]);
        return suite.seal(...given);
      },
    }));
    const { initiator } = sessionPair({ crypto, rekeyFrames: 1, change: (deps) => ({ ...deps, suites: spied }) });
    frames(initiator, 2);
    const erased = () => seen.map((key) => key.every((byte) => byte === 0));
    expect(erased()).toEqual([true, false]);
    initiator.close();
    initiator.close();
    expect([erased(), initiator.state]).toEqual([[true, true], 'closed']);
    expect(codeOf(() => initiator.open(payload, nowMs))).toBe('SESSION_EXPIRED');
  });
  it('with its old key already gone a minute after the new one', () => {
    const open = (atMs: number) => {
      const { initiator, responder } = pair({ rekeyFrames: 2 });
      const [, late = payload, newer = payload] = frames(initiator, 3);
      responder.open(newer, nowMs);
      return codeOf(() => responder.open(late, atMs));
    };
    expect([open(nowMs + sessionLimits.oldKeyMs - 1), open(nowMs + sessionLimits.oldKeyMs)]).toEqual([
      'taken',
      'DECRYPTION_FAILED',
    ]);
  });
});

describe('After a restart', () => {
  it('no number is used again, and what was taken is refused', () => {
    const { initiator, responder } = pair();
    const first = initiator.seal('k', payload, nowMs);
    const taken = responder.open(first.frame, nowMs);
    const { sendBlock, receiveBlock } = sessionLimits;
    const more = frames(initiator, sendBlock - 1);
    for (const frame of more) responder.open(frame, nowMs);
    const again = restore(first.persist ?? payload);
    expect(readFrame(again.seal('k', payload, nowMs).frame).header.sequence).toBe(sendBlock + 1);
    const receiver = restore(taken.persist ?? payload);
    for (const frame of [first.frame, ...more.slice(0, receiveBlock - 1)]) {
      expect(codeOf(() => receiver.open(frame, nowMs))).toBe('SEQUENCE_ERROR');
    }
    expect(codeOf(() => receiver.open(more[receiveBlock - 1] ?? payload, nowMs))).toBe('taken');
  });
  it('a session that was suspended goes on with the next number, its open places still open', () => {
    const { initiator, responder } = pair();
    const sent = frames(initiator, 3);
    responder.open(sent[2] ?? payload, nowMs);
    const [sender, receiver] = [restore(initiator.suspend()), restore(responder.suspend())];
    expect([initiator.state, codeOf(() => initiator.seal('k', payload, nowMs))]).toEqual(['closed', 'SESSION_EXPIRED']);
    expect([0, 1, 2].map((place) => codeOf(() => receiver.open(sent[place] ?? payload, nowMs)))).toEqual([
      'taken',
      'taken',
      'SEQUENCE_ERROR',
    ]);
    expect(receiver.open(sender.seal('k', payload, nowMs).frame, nowMs).sequence).toBe(4);
  });
  it('an expired session, one of an unknown suite or version stays away', () => {
    const kept = pair({ lifeMs: 5_000 }).initiator.snapshot();
    expect(codeOf(() => restore(kept, nowMs + 5_000))).toBe('SESSION_EXPIRED');
    expect(codeOf(() => restoreSession({ crypto, suites: [] }, kept, nowMs))).toBe('NOT_FOUND');
  });
});

it('knows a UUID v4 from other texts', () => {
  const text = 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6';
  expect(sessionIdText(parseSessionId(text.toUpperCase()))).toBe(text);
  for (const wrong of [text.replace('-41d0', '-11d0'), text.replace('-a765', '-c765'), `${text}0`, 'x']) {
    expect(codeOf(() => parseSessionId(wrong))).toBe('INVALID_FORMAT');
  }
});
