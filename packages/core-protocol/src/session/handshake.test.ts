import { describe, expect, it } from 'vitest';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { publicKeyFromPeerId } from '../identity/peer-id.ts';
import { signedBytes } from '../identity/signed.ts';
import { type Hand, sessionHands, sessionPair } from '../testing/session-pair.ts';
import { offerForm, readAnswer, readEnvelope, readLater, readOffer, writeEnvelope } from './handshake-wire.ts';
import { type Authenticator, type CipherSuite, type HandshakeEffect, sessionLimits, sessionOf } from './index.ts';

const nowMs = 1_750_000_000_000;
const forms = ['three', 'six'] as const;
const steps = { three: 3, six: 6 };
const sent = (effects: readonly HandshakeEffect[]): Uint8Array =>
  effects.find((effect) => effect.type === 'send')?.message ?? new Uint8Array();
const codeOf = (hand: Hand, message: Uint8Array, atMs = nowMs): string => {
  const effects = hand.step({ type: 'receive', message }, atMs);
  const failed = effects.find((effect) => effect.type === 'failed');
  if (failed !== undefined) expect(hand.state()).toEqual({ phase: 'error', code: failed.error.code });
  return failed?.error.code ?? 'taken';
};
/** Both hands after `count` messages have been taken, with the message that comes next. */
function upTo(form: 'three' | 'six', count: number) {
  const hands = sessionHands({ crypto, form });
  const taken: Uint8Array[] = [];
  let message = hands.offer;
  for (let step = 0; step < count; step += 1) {
    taken.push(message);
    const to = step % 2 === 0 ? hands.responder : hands.initiator;
    message = sent(to.step({ type: 'receive', message }, nowMs));
  }
  const next = count % 2 === 0 ? hands.responder : hands.initiator;
  return { ...hands, taken, message, next };
}
function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[3] = (copy[3] ?? 0) ^ 1;
  return copy;
}

describe.each(forms)('A handshake of %s steps', (form) => {
  it('ends in one session on both sides, saved before the last message is sent', () => {
    const { next, message, initiator, responder } = upTo(form, steps[form] - 2);
    const effects = next.step({ type: 'receive', message }, nowMs);
    const other = next === initiator ? responder : initiator;
    expect(effects.map(({ type }) => type)).toEqual(['persist', 'send', 'established']);
    const last = other.step({ type: 'receive', message: sent(effects) }, nowMs);
    expect(last.map(({ type }) => type)).toEqual(['persist', 'established']);
  });
  it('gives both sides one secret besides the session where it is asked for, another each time, and none else', () => {
    const exportedOf = (exports: boolean, seed: number) => {
      const { initiator, responder, offer } = sessionHands({ crypto, form, exports, seed });
      const effects: HandshakeEffect[] = [];
      for (let message = offer, step = 0; step < steps[form]; step += 1) {
        const said = (step % 2 === 0 ? responder : initiator).step({ type: 'receive', message }, nowMs);
        effects.push(...said);
        message = sent(said);
      }
      return effects.flatMap((effect) => (effect.type === 'established' ? [effect.exported] : []));
    };
    expect(exportedOf(false, 1)).toEqual([undefined, undefined]);
    const [one, other] = exportedOf(true, 1);
    expect(one).toHaveLength(32);
    expect(one).toEqual(other);
    expect(one).not.toEqual(new Uint8Array(32));
    expect(one).not.toEqual(exportedOf(true, 2)[0]);
  });
  it('gives both sides the same id, and keys that open what the other sealed', () => {
    const { initiator, responder, messages } = sessionPair({ crypto, form });
    expect(messages).toHaveLength(steps[form]);
    expect([initiator.id, initiator.peer, initiator.self]).toEqual([responder.id, responder.self, responder.peer]);
    expect(initiator.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const [from, to] of [
      [initiator, responder],
      [responder, initiator],
    ] as const) {
      const { frame } = from.seal('text.plain', Uint8Array.of(1, 2), nowMs);
      expect(to.open(frame, nowMs)).toMatchObject({ kind: 'text.plain', payload: Uint8Array.of(1, 2), sequence: 1 });
    }
  });
  it.each(Array.from({ length: steps[form] }, (_, index) => index))(
    'refuses step %i with a forged proof, a changed body, or after its time',
    (step) => {
      for (const change of ['proof', 'body'] as const) {
        const { next, message } = upTo(form, step);
        const envelope = readEnvelope(message);
        // Twelve from the end are random bytes: of a challenge, a ciphertext or the session id.
        const body = envelope.body.slice();
        body[body.length - 12] = (body.at(-12) ?? 0) ^ 1;
        const forged = change === 'proof' ? { ...envelope, proof: flipped(envelope.proof) } : { ...envelope, body };
        expect(codeOf(next, writeEnvelope(forged))).toBe('CHALLENGE_INVALID');
      }
      const { next, message } = upTo(form, step);
      const late = nowMs + sessionLimits.challengeLifeMs;
      expect(codeOf(next, message, step === 0 ? late + 1 : late)).toBe(step === 0 ? 'CLOCK_SKEW' : 'CHALLENGE_INVALID');
      const inTime = upTo(form, step);
      expect(codeOf(inTime.next, inTime.message, late - 1)).toBe('taken');
    },
  );
  it('refuses every message at every step but the one awaited, repeats among them', () => {
    const all = sessionPair({ crypto, form }).messages;
    for (let step = 0; step < all.length; step += 1) {
      for (const [place, message] of all.entries()) {
        if (place !== step) expect(codeOf(upTo(form, step).next, message)).toBe('INVALID_STATE');
      }
    }
    const { initiator, responder, offer } = upTo(form, all.length);
    expect([codeOf(responder, offer), codeOf(initiator, all[1] ?? offer)]).toEqual(['INVALID_STATE', 'INVALID_STATE']);
    expect(initiator.step({ type: 'receive', message: offer }, nowMs)).toEqual([]);
  });
  it('needs a confirmation from the key step on', () => {
    for (let step = form === 'three' ? 1 : 3; step < steps[form]; step += 1) {
      for (const confirmation of [undefined, new Uint8Array(32)]) {
        const { next, message } = upTo(form, step);
        const stripped = writeEnvelope({ ...readEnvelope(message), confirmation });
        expect(codeOf(next, stripped)).toBe('CHALLENGE_INVALID');
      }
    }
  });
  it('refuses the messages of another run of the same two peers', () => {
    for (let step = 1; step < steps[form]; step += 1) {
      const other = sessionPair({ crypto, form, nowMs: nowMs + 1 }).messages[step] ?? new Uint8Array();
      expect(codeOf(upTo(form, step).next, other)).toBe('CHALLENGE_INVALID');
    }
  });
  it('fails by time alone, and erases its secrets', () => {
    const { initiator } = sessionHands({ crypto, form });
    const state = initiator.state();
    const secrets = state.phase === 'waiting' ? state.work.secrets : [];
    expect(secrets.some((secret) => secret.some((byte) => byte !== 0))).toBe(true);
    expect(initiator.step({ type: 'tick' }, nowMs + sessionLimits.challengeLifeMs - 1)).toEqual([]);
    expect(initiator.step({ type: 'tick' }, nowMs + sessionLimits.challengeLifeMs)).toHaveLength(1);
    expect(secrets.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    expect(() => sessionOf(initiator.state())).toThrow(expect.objectContaining({ code: 'ENCRYPTION_NOT_READY' }));
  });
});

/** An offer changed and signed anew by its own peer, as a peer that wants less would send it. */
function resigned(change: (offer: ReturnType<typeof readOffer>) => ReturnType<typeof readOffer>, sign = true) {
  const { initiator, responder, offer } = sessionHands({ crypto });
  const envelope = readEnvelope(offer);
  const body = offerForm.encode(change(readOffer(envelope.body)));
  const name = new TextEncoder();
  const start = crypto.sha256(name.encode('peerai/session/1/three'));
  const transcript = crypto.sha256(start, name.encode('handshake'), Uint8Array.of(0), body);
  const signed = initiator.identity.sign(signedBytes('peerai/session-handshake/1', transcript));
  return codeOf(responder, writeEnvelope({ ...envelope, body, proof: sign ? signed : envelope.proof }));
}

describe('An offer', () => {
  it('is refused when it was stripped on its way, and when its own peer sends less than it must', () => {
    expect(resigned((offer) => offer)).toBe('taken');
    const fewer = (offer: ReturnType<typeof readOffer>) => ({ ...offer, suites: offer.suites.slice(1) });
    expect([resigned(fewer), resigned(fewer, false)]).toEqual(['taken', 'CHALLENGE_INVALID']);
    expect(resigned((offer) => ({ ...offer, mlKem768: new Uint8Array() }))).toBe('INVALID_FORMAT');
    expect(resigned((offer) => ({ ...offer, x25519: new Uint8Array(32) }))).toBe('KEY_REFUSED');
    expect(resigned((offer) => ({ ...offer, versions: [0, 2] }))).toBe('INVALID_VERSION');
    expect(resigned((offer) => ({ ...offer, suites: ['none'] }))).toBe('REFUSED');
    expect(resigned((offer) => ({ ...offer, authenticator: 'none' }))).toBe('REFUSED');
    expect(resigned((offer) => ({ ...offer, session: new Uint8Array(16) }))).toBe('INVALID_FORMAT');
    expect(resigned((offer) => ({ ...offer, responder: offer.initiator }))).toBe('WRONG_RECIPIENT');
    expect(resigned((offer) => ({ ...offer, initiator: offer.responder }))).toBe('UNKNOWN_SENDER');
  });
  it('names at most sixteen suites and has at most 4,096 bytes', () => {
    const named = (count: number) => (offer: ReturnType<typeof readOffer>) => ({
      ...offer,
      suites: Array.from({ length: count }, () => 'aes-256-gcm'),
    });
    expect([resigned(named(16)), resigned(named(17))]).toEqual(['taken', 'INVALID_FORMAT']);
    const sized = (size: number): string => codeOf(sessionHands({ crypto }).responder, new Uint8Array(size));
    expect([sized(4_096), sized(4_097)]).toEqual(['INVALID_FORMAT', 'LIMIT_EXCEEDED']);
  });
  it('has both kinds of key, and the answer a ciphertext: none is left out', () => {
    const [offer, answer, confirm] = sessionPair({ crypto }).messages.map((message) => readEnvelope(message).body);
    expect(readOffer(offer ?? new Uint8Array()).mlKem768).toHaveLength(1_184);
    expect(readAnswer(answer ?? new Uint8Array()).ciphertext).toHaveLength(1_088);
    expect(readLater(confirm ?? new Uint8Array()).ciphertext).toBeUndefined();
  });
});

describe('An embedding program', () => {
  it('brings a cipher suite and an authenticator of its own, and both are used', () => {
    let [sealed, proved] = [0, 0];
    const change: Parameters<typeof sessionHands>[0] = {
      crypto,
      change(deps, identity) {
        const gcm = crypto.aead['aes-256-gcm'];
        const suite: CipherSuite = {
          name: 'example.org/counted-gcm',
          open: (...given) => gcm.open(...given),
          seal(...given) {
            sealed += 1;
            return gcm.seal(...given);
          },
        };
        const doubled: Authenticator = {
          name: 'example.org/hashed-first',
          prove(message) {
            proved += 1;
            return identity.sign(crypto.sha256(message));
          },
          check: (peer, message, proof) =>
            crypto.ed25519.verify(proof, crypto.sha256(message), publicKeyFromPeerId(peer)),
        };
        return { ...deps, suites: [suite, ...deps.suites], authenticators: [doubled, ...deps.authenticators] };
      },
    };
    const { initiator, responder } = sessionPair(change);
    expect([initiator.suite, responder.suite]).toEqual(['example.org/counted-gcm', 'example.org/counted-gcm']);
    responder.open(initiator.seal('k', Uint8Array.of(7), nowMs).frame, nowMs);
    expect([sealed, proved]).toEqual([1, 3]);
  });
  it('gets the suite that both know, by the order of the one who asks', () => {
    const only = (name: string, who: string): Parameters<typeof sessionPair>[0] => ({
      crypto,
      change: (deps, _, side) =>
        side === who ? { ...deps, suites: deps.suites.filter((one) => one.name === name) } : deps,
    });
    expect(sessionPair({ crypto }).initiator.suite).toBe('aes-256-gcm');
    for (const who of ['initiator', 'responder']) {
      expect(sessionPair(only('chacha20-poly1305', who)).initiator.suite).toBe('chacha20-poly1305');
    }
  });
});

it('keeps the life of a session and its keys within their limits', () => {
  const life = (lifeMs: number) => () => sessionHands({ crypto, lifeMs });
  expect(life(sessionLimits.lifeMsMax)).not.toThrow();
  for (const wrong of [sessionLimits.lifeMsMax + 1, 0, 1.5]) {
    expect(life(wrong)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  }
});
