import { type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type CipherSuite, sessionLimits, standardSuites } from '@peerai/core-protocol/session';
import { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { asked, asking, codeOf, never, pair, said, wire } from '../../test/session-world.ts';
import { bucketSizes } from '../http/buckets.ts';
import type { SessionAsk } from './dialer.ts';
import { sessionRoomLimits } from './limits.ts';
import { createPeerTable } from './table.ts';
import { exchangeForm, readExchange } from './wire.ts';

describe('A handshake over HTTP', () => {
  it.each([
    ['three', 3],
    ['six', 4],
  ] as const)('in %s steps ends with one session on both sides, which both name alike', async (form, posts) => {
    const { here, there, to, ask, sent } = pair();
    const made = await here.dialer.handshake(to, form, ask, never);
    expect(made).toMatchObject({ form, peer: to, role: 'initiator', suite: 'aes-256-gcm', theirs: made.id });
    expect(there.door.list()).toEqual([
      { id: made.id, peer: here.identity.peer, role: 'responder', suite: 'aes-256-gcm', expiresMs: made.expiresMs },
    ]);
    expect(here.dialer.list()).toMatchObject([{ id: made.id }]);
    expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    // Two or three steps of ours, and the question how it stands.
    expect(sent).toHaveLength(posts);
  });

  it('takes a token for each step of a proven peer, and none of one that is only named', async () => {
    const { here, there, to, ask, sent, clock } = pair();
    for (let count = 0; count < bucketSizes.handshake.burst / 2; count += 1) {
      await here.dialer.handshake(to, 'three', ask, never);
    }
    expect(await codeOf(here.dialer.handshake(to, 'three', ask, never))).toBe('RATE_LIMITED');
    const other = asking(clock);
    expect(await codeOf(other.dialer.handshake(to, 'six', ask, never))).toBe('taken');
    const forged = (sent[0] ?? new Uint8Array()).slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    for (let count = 0; count < 20; count += 1) {
      expect(said(await there.door.take(forged, never))?.code).toMatch(/CHALLENGE_INVALID|INVALID_FORMAT/);
    }
  });

  it('is refused to who is not let in, once its proof was seen', async () => {
    const { here, there, to, ask } = pair();
    there.state.refuses = Object.assign(new Error('no'), { code: 'UNKNOWN_SENDER' });
    expect(await codeOf(here.dialer.handshake(to, 'three', ask, never))).toBe('INTERNAL');
    expect(there.door.list()).toEqual([]);
  });

  it('ends with CHALLENGE_INVALID or INVALID_STATE for a forged, a repeated and a misplaced step, or a late one', async () => {
    for (const [form, count] of [
      ['three', 2],
      ['six', 3],
    ] as const) {
      for (let place = 0; place < count; place += 1) {
        const { here, there, to, clock } = pair();
        const bodies: Uint8Array[] = [];
        const forging: SessionAsk = async (body, signal) => {
          bodies.push(body);
          const { session, handshake = new Uint8Array() } = readExchange(body);
          const changed = handshake.slice();
          if (bodies.length === place + 1) changed[changed.length - 40] = (changed.at(-40) ?? 0) ^ 1;
          return wire(there.door).ask(exchangeForm.encode({ session, handshake: changed, frame: undefined }), signal);
        };
        expect(await codeOf(here.dialer.handshake(to, form, forging, never))).toMatch(
          /CHALLENGE_INVALID|INVALID_FORMAT/,
        );
        expect(there.door.list()).toEqual([]);

        const repeating: SessionAsk = async (body, signal) => {
          bodies.push(body);
          const first = await wire(there.door).ask(body, signal);
          if (readExchange(body).handshake !== undefined) {
            const again = await there.door.take(body, signal);
            expect(said(again)?.code).toBe('INVALID_STATE');
          }
          return first;
        };
        // Of three steps the repeated ones come too late to harm; of six the machine that waits takes one for a wrong step and ends.
        const ended = form === 'three' ? 'taken' : 'INVALID_STATE';
        expect(await codeOf(here.dialer.handshake(to, form, repeating, never))).toBe(ended);
        const late: SessionAsk = async (body, signal) => {
          if (readExchange(body).session !== undefined) clock.jump(sessionLimits.challengeLifeMs);
          return wire(there.door).ask(body, signal);
        };
        expect(await codeOf(here.dialer.handshake(to, form, late, never))).toBe('INVALID_STATE');
      }
    }
  });

  it('is refused when an offer was stripped on its way, and no letter goes unsealed instead', async () => {
    const { here, there, to, ask, row } = pair();
    const stripped: SessionAsk = async (body, signal) => {
      const { session, handshake = new Uint8Array() } = readExchange(body);
      // The ML-KEM key is the longest field of the offer: without its last bytes nothing else fits any more.
      const short = Uint8Array.from([...handshake.subarray(0, 300), ...handshake.subarray(1_400)]);
      return ask(exchangeForm.encode({ session, handshake: short, frame: undefined }), signal);
    };
    expect(await codeOf(here.dialer.carry(to, row, stripped, never))).not.toBe('taken');
    const absent: SessionAsk = async () => ({ status: 404, body: utf8('{"error":{"code":"NOT_FOUND"}}') });
    expect(await codeOf(here.dialer.carry(to, row, absent, never))).toBe('PEER_UNREACHABLE');
    const hotel: SessionAsk = async () => ({ status: 200, body: utf8('<html>welcome</html>') });
    expect(await codeOf(here.dialer.carry(to, row, hotel, never))).toBe('PEER_UNREACHABLE');
    expect(there.seen).toEqual([]);
  });

  it('knows half-open ones to a limit of one peer: the oldest goes', async () => {
    const { here, there, to, clock } = pair();
    const { halfOpenPerPeerMax } = sessionRoomLimits;
    const confirms: Uint8Array[] = [];
    const holding: SessionAsk = async (body, signal) => {
      const { session } = readExchange(body);
      if (session === undefined) return wire(there.door).ask(body, signal);
      confirms.push(body);
      return { status: 502, body: new Uint8Array() };
    };
    for (let count = 0; count <= halfOpenPerPeerMax; count += 1) {
      await codeOf(here.dialer.handshake(to, 'three', holding, never));
      clock.jump(12_000);
    }
    const answers = [];
    for (const confirm of confirms) answers.push(said(await there.door.take(confirm, never))?.code ?? 'taken');
    expect(answers).toEqual(['INVALID_STATE', ...Array.from({ length: halfOpenPerPeerMax }, () => 'taken')]);
  });
});

describe('A letter in a session', () => {
  it('is carried sealed, its kind and its words nowhere on the wire, over one session for many', async () => {
    const { here, there, to, ask, sent, row } = pair();
    expect(await here.dialer.carry(to, row, ask, never)).toEqual({ outcome: 'taken', code: undefined });
    expect(await here.dialer.carry(to, { ...row, id: 'cd'.repeat(16) }, ask, never)).toMatchObject({
      outcome: 'taken',
    });
    expect(there.seen).toMatchObject([
      { id: row.id, sender: here.identity.peer, kind: 'text', payload: 'a secret' },
      { id: 'cd'.repeat(16) },
    ]);
    expect(sent).toHaveLength(4);
    for (const body of sent) expect(fromLatin(body)).not.toContain('a secret');
  });

  it('is refused inside the seal, for good or for now', async () => {
    const { here, there, to, ask, row } = pair();
    expect(await here.dialer.carry(to, { ...row, content: '{"a":1,"a":2}' }, ask, never)).toEqual({
      outcome: 'refused',
      code: 'INVALID_FORMAT',
    });
    there.state.fails = Object.assign(new Error('not now'), { code: 'x' });
    expect(await codeOf(here.dialer.carry(to, row, ask, never))).toBe('INTERNAL');
    there.state.fails = undefined;
    expect(await codeOf(here.dialer.carry(to, row, ask, never))).toBe('taken');
  });

  it('that was recorded is SEQUENCE_ERROR with what was expected and received; after a restart of either side SESSION_EXPIRED', async () => {
    const { here, there, to, ask, sent, row } = pair();
    await here.dialer.carry(to, row, ask, never);
    const recorded = sent.at(-1) ?? new Uint8Array();
    expect(said(await there.door.take(recorded, never))).toMatchObject({
      code: 'SEQUENCE_ERROR',
      details: { expected: 2, received: 1 },
    });
    const restarted = there.again();
    expect(said(await restarted.take(recorded, never))?.code).toBe('SESSION_EXPIRED');
    // Whole recorded handshakes neither: the answer to the old confirmation would have to fit a new challenge.
    const answers = [];
    for (const body of sent) answers.push(said(await restarted.take(body, never))?.code ?? 'taken');
    expect(answers).toEqual(['taken', 'CHALLENGE_INVALID', 'SESSION_EXPIRED']);
    expect(there.seen).toHaveLength(1);
  });

  it('finds its way again when the other side has lost the session, or a frame was lost, without being handled twice', async () => {
    const { here, there, to, ask, row } = pair();
    await here.dialer.carry(to, row, ask, never);
    const moved = wire(there.again()).ask;
    expect(await codeOf(here.dialer.carry(to, { ...row, id: '01'.repeat(16) }, moved, never))).toBe('taken');
    const deaf: SessionAsk = async (body, signal) => {
      await moved(body, signal);
      throw Object.assign(new Error('gone'), { code: 'PEER_UNREACHABLE' });
    };
    const next = { ...row, id: '02'.repeat(16) };
    expect(await codeOf(here.dialer.carry(to, next, deaf, never))).toBe('PEER_UNREACHABLE');
    expect(await codeOf(here.dialer.carry(to, next, moved, never))).toBe('taken');
    expect(there.seen.map(({ id }) => id.slice(0, 2))).toEqual(['ab', '01', '02']);
  });

  it('before the handshake is through is ENCRYPTION_NOT_READY, and after its time SESSION_EXPIRED', async () => {
    const { here, there, to, row, clock } = pair({ lifeMs: 5_000 });
    const early: SessionAsk = async (body, signal) => {
      const { session } = readExchange(body);
      if (session !== undefined) {
        const frame = exchangeForm.encode({ session, handshake: undefined, frame: new Uint8Array(40) });
        expect(said(await there.door.take(frame, signal))?.code).toBe('ENCRYPTION_NOT_READY');
      }
      return wire(there.door).ask(body, signal);
    };
    await codeOf(here.dialer.carry(to, row, early, never));
    const kept = wire(there.door);
    await here.dialer.carry(to, row, kept.ask, never);
    const frame = kept.sent.at(-1) ?? new Uint8Array();
    clock.jump(4_999);
    expect(there.door.list()).toHaveLength(1);
    clock.jump(1);
    expect(there.door.list()).toEqual([]);
    expect(here.dialer.list()).toEqual([]);
    expect(said(await there.door.take(frame, never))?.code).toBe('SESSION_EXPIRED');
    expect(await codeOf(here.dialer.carry(to, row, kept.ask, never))).toBe('taken');
  });
});

describe('Tables of sessions', () => {
  it.each([1, 2])('hold what their limit says and drop the oldest of a peer, then of all (%i)', (perPeerMax) => {
    const dropped: string[] = [];
    const table = createPeerTable<string>({ max: 3, perPeerMax }, (value) => dropped.push(value));
    const [a, b] = ['a', 'b'] as readonly string[] as readonly [PeerId, PeerId];
    for (const key of ['1', '2', '3'].slice(0, perPeerMax)) table.put(key, a, key);
    expect(dropped).toEqual([]);
    table.put('x', a, 'x');
    expect(dropped).toEqual(['1']);
    table.put('b1', b, 'b1');
    if (perPeerMax === 2) table.put('b2', b, 'b2');
    expect(dropped).toEqual(perPeerMax === 2 ? ['1', '2'] : ['1']);
    expect(table.take('x')).toBe('x');
    expect(table.take('x')).toBeUndefined();
  });

  it('lose the keys of what is over although nobody asks', async () => {
    const { here, there, to, ask, clock } = pair({ lifeMs: 1_000 });
    await here.dialer.handshake(to, 'three', ask, never);
    await clock.advance(sessionRoomLimits.sweepMs);
    clock.jump(-sessionRoomLimits.sweepMs);
    expect([there.door.list(), here.dialer.list()]).toEqual([[], []]);
  });
});

describe('An embedding program', () => {
  const reversed = (name: string): CipherSuite => {
    const [, inner] = standardSuites(nodeCrypto);
    if (inner === undefined) throw new Error('no suite');
    const turn = (bytes: Uint8Array): Uint8Array => bytes.toReversed();
    return {
      name,
      seal: (key, nonce, plain, header) => turn(inner.seal(key, nonce, plain, header)),
      open: (key, nonce, sealed, header) => inner.open(key, nonce, turn(sealed), header),
    };
  };
  it('brings a cipher suite of its own: it is agreed on where both have it, and another where not', async () => {
    const both = pair({ suites: [reversed('own/1')] });
    expect(await both.here.dialer.handshake(both.to, 'six', both.ask, never)).toMatchObject({ suite: 'own/1' });
    expect(await both.here.dialer.carry(both.to, both.row, both.ask, never)).toMatchObject({ outcome: 'taken' });
    const clock = new ManualClock();
    const [plain, own] = [asked(clock), asking(clock, { suites: [reversed('own/1')] })];
    const made = await own.dialer.handshake(plain.identity.peer, 'three', wire(plain.door).ask, never);
    expect(made.suite).toBe('aes-256-gcm');
  });

  it('brings an authenticator of its own: proofs are its words, and who does not have it is refused', async () => {
    const secret = utf8('of both');
    const checked: PeerId[] = [];
    const mac = (peer: PeerId, message: Uint8Array) => nodeCrypto.hkdfSha256(secret, message, utf8(peer), 32);
    const of = (peer: () => PeerId) => ({
      name: 'shared-secret/1',
      prove: (message: Uint8Array) => mac(peer(), message),
      check(from: PeerId, message: Uint8Array, proof: Uint8Array) {
        checked.push(from);
        return toHex(proof) === toHex(mac(from, message));
      },
    });
    const clock = new ManualClock();
    const self: { there?: PeerId; here?: PeerId } = {};
    const there = asked(clock, { authenticators: [of(() => self.there as PeerId)] });
    const here = asking(clock, { authenticators: [of(() => self.here as PeerId)] });
    [self.there, self.here] = [there.identity.peer, here.identity.peer];
    expect(await here.dialer.handshake(self.there, 'three', wire(there.door).ask, never)).toMatchObject({
      theirs: expect.any(String),
    });
    expect(checked).toContain(self.here);
    const stranger = asked(clock);
    expect(await codeOf(here.dialer.handshake(stranger.identity.peer, 'three', wire(stranger.door).ask, never))).toBe(
      'REFUSED',
    );
  });
});

const fromLatin = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
