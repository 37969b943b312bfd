import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromHex, fromUtf8, toHex, utf8 } from '../bytes.ts';
import { nobleCrypto } from '../crypto/noble.ts';
import { nodeCrypto } from '../crypto-node/index.ts';
import { createIdentity } from '../identity/identity.ts';
import type { CryptoProvider } from '../ports/index.ts';
import {
  createInitiator,
  createResponder,
  ed25519Authenticator,
  type HandshakeEvent,
  type HandshakeForm,
  type HandshakeMachine,
  sessionOf,
  standardSuites,
} from './index.ts';

interface Side {
  readonly seed: string;
  readonly entropy: string;
}
interface Vector {
  readonly form: HandshakeForm;
  readonly suite: string;
  readonly timeMs: number;
  readonly initiator: Side;
  readonly responder: Side;
  readonly messages: readonly string[];
  readonly frames: readonly {
    readonly from: 'initiator' | 'responder';
    readonly text: string;
    readonly frame: string;
  }[];
}

const folder = join(import.meta.dirname, '../../../../docs/protocol/vectors');

/** Everything that two sides say, from their seeds and entropy. */
function say(crypto: CryptoProvider, { form, suite, timeMs, ...vector }: Vector) {
  const depsOf = ({ seed }: Side) => {
    const identity = createIdentity(crypto, fromHex(seed));
    const suites = standardSuites(crypto).filter(({ name }) => name === suite);
    return { crypto, self: identity.peer, authenticators: [ed25519Authenticator(crypto, identity)], suites };
  };
  const [asks, asked] = [depsOf(vector.initiator), depsOf(vector.responder)];
  const sides = [
    hand(createInitiator(asks, { peer: asked.self, form, rekeyFrames: 1 }), timeMs),
    hand(createResponder(asked, { rekeyFrames: 1 }), timeMs),
  ] as const;
  const first = sides[0].step({ type: 'begin', entropy: fromHex(vector.initiator.entropy) });
  sides[1].step({ type: 'begin', entropy: fromHex(vector.responder.entropy) });
  const messages: string[] = [];
  for (let message = first; message !== undefined;) {
    messages.push(toHex(message));
    message = sides[messages.length % 2 === 1 ? 1 : 0].step({ type: 'receive', message });
  }
  const sessions = { initiator: sides[0].session(), responder: sides[1].session() };
  const frames = vector.frames.map(({ from, text }) => {
    const { frame } = sessions[from].seal('text.plain', utf8(text), timeMs);
    const opened = sessions[from === 'initiator' ? 'responder' : 'initiator'].open(frame, timeMs);
    return { from, text: fromUtf8(opened.payload), frame: toHex(frame) };
  });
  return { messages, frames };
}

function hand(machine: HandshakeMachine, timeMs: number) {
  let state = machine.initial;
  return {
    session: () => sessionOf(state),
    step(event: HandshakeEvent): Uint8Array | undefined {
      const [next, effects] = machine.step(state, event, timeMs);
      state = next;
      return effects.find((effect) => effect.type === 'send')?.message;
    },
  };
}

describe.each(['session-three.json', 'session-six.json'])('%s', (file) => {
  const vector = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector;
  it.each(Object.entries({ nobleCrypto, nodeCrypto }))('is what %s says', (_, crypto) => {
    expect(say(crypto, vector)).toEqual({ messages: vector.messages, frames: vector.frames });
  });
});
