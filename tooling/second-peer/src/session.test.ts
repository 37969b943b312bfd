import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { docVector } from './files.ts';
import { identityOf } from './identity.ts';
import { Refusal } from './refusal.ts';
import { type Direction, openFrame, sealFrame } from './session-frame.ts';
import { Handshake, type HandshakeOptions } from './session.ts';

interface Run {
  readonly form: 'three' | 'six';
  readonly suite: string;
  readonly timeMs: number;
  readonly initiator: { readonly seed: string; readonly entropy: string };
  readonly responder: { readonly seed: string; readonly entropy: string };
  readonly messages: readonly string[];
  readonly frames: readonly {
    readonly from: 'initiator' | 'responder';
    readonly text: string;
    readonly frame: string;
  }[];
}

describe.each(['session-three', 'session-six'])('%s.json', (name) => {
  const run = docVector<Run>(name);
  const identities = {
    initiator: identityOf(Buffer.from(run.initiator.seed, 'hex')),
    responder: identityOf(Buffer.from(run.responder.seed, 'hex')),
  };
  const side = (role: 'initiator' | 'responder', more: Partial<HandshakeOptions> = {}): Handshake =>
    new Handshake({
      form: run.form,
      role,
      identity: identities[role],
      peerKey: identities[role === 'initiator' ? 'responder' : 'initiator'].publicKey,
      suites: [run.suite],
      nowMs: run.timeMs,
      entropy: Buffer.from(run[role].entropy, 'hex'),
      ...more,
    });
  /** Both sides to the end; `alter` may change a message on its way. */
  const speak = (a: Handshake, b: Handshake, alter = (message: Buffer, _at: number): Buffer => message): string[] =>
    run.messages.map((_, at) => {
      const message = at % 2 === 0 ? a.write() : b.write();
      (at % 2 === 0 ? b : a).read(alter(message, at));
      return message.toString('hex');
    });

  test('both sides say what the vector says, byte for byte, and agree', () => {
    const [a, b] = [side('initiator'), side('responder')];
    expect(speak(a, b)).toEqual(run.messages);
    expect(a.keys).toBeDefined();
    expect(a.keys).toEqual(b.keys);
  });

  test('the frames are sealed and opened as the vector says', () => {
    const [a, b] = [side('initiator'), side('responder')];
    speak(a, b);
    const { keys } = a;
    if (keys === undefined) throw new Error('no keys');
    for (const { from, text, frame } of run.frames) {
      const to = from === 'initiator' ? 'responder' : 'initiator';
      const way: Direction = { keys, from, sender: identities[from].publicKey, recipient: identities[to].publicKey };
      const bytes = Buffer.from(frame, 'hex');
      const opened = openFrame(way, bytes);
      expect(opened.payload.toString('utf8')).toBe(text);
      expect(sealFrame(way, opened).toString('hex')).toBe(frame);
      const torn = Buffer.from(bytes);
      torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
      expect(() => openFrame(way, torn)).toThrow(Refusal);
    }
  });

  test('fresh keys agree too, and one changed byte in any message ends the handshake', () => {
    const fresh = (): [Handshake, Handshake] => [
      side('initiator', { entropy: randomBytes(144) }),
      side('responder', { entropy: randomBytes(144) }),
    ];
    const [a, b] = fresh();
    speak(a, b);
    expect(a.keys?.initiatorChain).toEqual(b.keys?.initiatorChain);
    for (const place of run.messages.keys()) {
      for (const offset of [40, -1]) {
        const [c, d] = fresh();
        const alter = (message: Buffer, at: number): Buffer => {
          const copy = Buffer.from(message);
          const where = offset < 0 ? copy.length + offset : offset;
          if (at === place) copy[where] = (copy[where] ?? 0) ^ 1;
          return copy;
        };
        expect(() => speak(c, d, alter)).toThrow(Refusal);
      }
    }
  });
});
