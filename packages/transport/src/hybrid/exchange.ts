import type { Channel, Clock, CryptoProvider, Identity, PeerId, Protocol, Random } from '@peerai/core-protocol';
import {
  createInitiator,
  createResponder,
  ed25519Authenticator,
  type HandshakeDeps,
  type HandshakeEffect,
  handshakeEntropyBytes,
  type HandshakeEvent,
  type HandshakeMachine,
  parseSessionId,
  standardSuites,
} from '@peerai/core-protocol/session';
import { channelClosed, transportError } from '../errors.ts';
import { limits } from './limits.ts';
import { createLinkSecret, type LinkSecret } from './link-secret.ts';

/** The signed hybrid handshake of sessions, three messages, inside the link. */
export const exchangeProtocol: Protocol = {
  id: '/peerai/link/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: limits.exchangeMessageBytesMax,
  priority: 'high',
  channelsPerPeerMax: limits.exchangesPerPeerMax,
};

export interface ExchangeDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}

/** The side that asks. `open` gives the channel, with the offer as its first message. Throws what ends a handshake, CHANNEL_CLOSED. */
export async function beginExchange(
  deps: ExchangeDeps,
  peer: PeerId,
  open: (offer: Uint8Array) => Promise<Channel>,
): Promise<LinkSecret> {
  const machine = createInitiator(handshakeDeps(deps), { peer, form: 'three', exports: true });
  const hand = createHand(deps, machine, true);
  try {
    const channel = await open(said(hand.step(begin(deps))));
    return await closingOnFailure(channel, async () => {
      const last = hand.step({ type: 'receive', message: await nextOf(channel) });
      await channel.send(said(last));
      await channel.close();
      return secretIn(last);
    });
  } finally {
    hand.giveUp();
  }
}

/** The side that is asked: only by the peer at the other end of this link. Throws as `beginExchange`. */
export async function answerExchange(deps: ExchangeDeps, channel: Channel): Promise<LinkSecret> {
  const peer = channel.link.peer;
  const hand = createHand(deps, createResponder(handshakeDeps(deps), { peer, exports: true }), false);
  try {
    hand.step(begin(deps));
    await channel.send(said(hand.step({ type: 'receive', message: await nextOf(channel) })));
    return secretIn(hand.step({ type: 'receive', message: await nextOf(channel) }));
  } finally {
    hand.giveUp();
  }
}

/** The name of the proof keeps the two apart: a handshake of a session by HTTP is none of a link, nor the other way. */
const handshakeDeps = ({ crypto, identity }: ExchangeDeps): HandshakeDeps => ({
  crypto,
  self: identity.peer,
  authenticators: [{ ...ed25519Authenticator(crypto, identity), name: 'ed25519-link' }],
  suites: standardSuites(crypto),
});

const begin = ({ random }: ExchangeDeps): HandshakeEvent => ({
  type: 'begin',
  entropy: random.bytes(handshakeEntropyBytes),
});

interface Stepped {
  readonly message?: Uint8Array;
  readonly secret?: LinkSecret;
}

/**
 * A machine and its state. Its time begins with it, in milliseconds from 0: the link is live and both challenges are fresh, so devices whose
 * clocks are wrong come to keys too.
 */
function createHand({ clock, crypto }: ExchangeDeps, machine: HandshakeMachine, initiator: boolean) {
  const startMs = clock.elapsedMs();
  let state = machine.initial;
  /** Takes the secret out of a session that is not used itself. Nothing of a link outlives it, so nothing of it is kept for a disk. */
  const secretOf = ({ session, exported }: Extract<HandshakeEffect, { type: 'established' }>): LinkSecret => {
    const aead = standardSuites(crypto).find(({ name }) => name === session.suite);
    if (aead === undefined || exported === undefined) throw channelClosed('the exchange ended without keys');
    session.close();
    return createLinkSecret(crypto, { exchange: parseSessionId(session.id), initiator, aead, secret: exported });
  };
  return {
    /** Throws what ended the handshake. */
    step(event: HandshakeEvent): Stepped {
      const [next, effects] = machine.step(state, event, Math.floor(clock.elapsedMs() - startMs));
      state = next;
      let stepped: Stepped = {};
      for (const effect of effects) {
        if (effect.type === 'failed') throw effect.error;
        if (effect.type === 'persist') effect.snapshot.fill(0);
        if (effect.type === 'send') stepped = { ...stepped, message: effect.message };
        if (effect.type === 'established') stepped = { ...stepped, secret: secretOf(effect) };
      }
      return stepped;
    },
    /** Overwrites the secrets of a handshake that is not through. */
    giveUp() {
      if (state.phase === 'waiting') machine.step(state, { type: 'tick' }, Number.MAX_SAFE_INTEGER);
    },
  };
}

function said({ message }: Stepped): Uint8Array {
  if (message === undefined) throw channelClosed('the exchange has nothing to say');
  return message;
}

function secretIn({ secret }: Stepped): LinkSecret {
  if (secret === undefined) throw channelClosed('the exchange ended without keys');
  return secret;
}

async function nextOf(channel: Channel): Promise<Uint8Array> {
  const { done, value } = await channel[Symbol.asyncIterator]().next();
  if (done === true) throw transportError('INVALID_FORMAT', 'the other side left the exchange');
  return value;
}

async function closingOnFailure<T>(channel: Channel, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await channel.close('CHALLENGE_INVALID');
    throw error;
  }
}
