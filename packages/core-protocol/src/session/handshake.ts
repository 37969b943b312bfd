import { PeerAiError } from '../errors.ts';
import type { CryptoProvider, Machine, PeerId } from '../ports/index.ts';
import { erase } from './chain.ts';
import { sessionError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { type Envelope, type HandshakeForm, handshakeSteps, readEnvelope } from './handshake-wire.ts';
import { sessionLimits } from './limits.ts';
import { checkOptions, makeSession, type Session, type SessionOptions } from './session.ts';
import type { Authenticator, CipherSuite } from './suites.ts';

/** Random bytes that one side's part takes. */
export const handshakeEntropyBytes = 144;

export interface HandshakeDeps {
  readonly crypto: CryptoProvider;
  readonly self: PeerId;
  /** The initiator uses the first; a responder takes any of them. */
  readonly authenticators: readonly Authenticator[];
  /** Best first. */
  readonly suites: readonly CipherSuite[];
}
export interface HandshakeOptions extends SessionOptions {
  /** Gives a secret besides the session, for keys of another kind of traffic. */
  readonly exports?: boolean;
}
export type HandshakeEvent =
  /** `entropy`: `handshakeEntropyBytes` from Random, never used twice; it is overwritten. */
  | { readonly type: 'begin'; readonly entropy: Uint8Array }
  | { readonly type: 'receive'; readonly message: Uint8Array }
  /** Only time has gone by. */
  | { readonly type: 'tick' };
export type HandshakeEffect =
  /** The session's first snapshot; it holds keys. */
  | { readonly type: 'persist'; readonly snapshot: Uint8Array }
  | { readonly type: 'send'; readonly message: Uint8Array }
  /** `exported` only where it was asked for: 32 secret bytes that no frame uses. Whoever takes them erases them. */
  | { readonly type: 'established'; readonly session: Session; readonly exported?: Uint8Array }
  | { readonly type: 'failed'; readonly error: PeerAiError };
/** A state is used once: what a step leaves behind is overwritten where it was secret. */
export type HandshakeState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'waiting'; readonly step: number; readonly deadlineMs: number; readonly work: Work }
  | { readonly phase: 'ready'; readonly session: Session }
  | { readonly phase: 'error'; readonly code: string };
export interface HandshakeMachine extends Machine<HandshakeState, HandshakeEvent, HandshakeEffect> {
  readonly initial: HandshakeState;
}

/** What one side remembers between two messages. */
export interface Work {
  /** Absent at a responder until the offer has come. */
  readonly exchange?: Exchange;
  readonly session?: Uint8Array;
  readonly suite?: CipherSuite;
  /** The offer's keys, at the responder. */
  readonly offered?: { readonly x25519: Uint8Array; readonly mlKem768: Uint8Array };
  /** The answer's X25519 key, at the initiator. */
  readonly answered?: Uint8Array;
  /** Overwritten when the keys are there, or the handshake has failed. */
  readonly secrets: readonly Uint8Array[];
}
/** How one side begins, and how it writes and reads the body of each step. */
export interface Side {
  readonly initiator: boolean;
  begin(entropy: Uint8Array, nowMs: number): readonly [Work, Uint8Array | undefined];
  read(work: Work, step: number, envelope: Envelope, nowMs: number): Work;
  write(work: Work, step: number): readonly [Work, Uint8Array];
}

/** The machine around a side: order, time, failure and what comes of it. */
export function handshakeMachine(deps: HandshakeDeps, side: Side, options: HandshakeOptions): HandshakeMachine {
  checkOptions(options);
  return {
    initial: { phase: 'idle' },
    step(state, event, nowMs) {
      try {
        return advance(deps, side, options, state, event, nowMs);
      } catch (error) {
        const failure = PeerAiError.is(error)
          ? error
          : new PeerAiError('INTERNAL', 'an authenticator or a cipher suite failed', {}, { cause: error });
        if (state.phase === 'waiting') eraseWork(state.work);
        return [{ phase: 'error', code: failure.code }, [{ type: 'failed', error: failure }]];
      }
    },
  };
}

/** The session of a handshake that has ended well. Throws ENCRYPTION_NOT_READY before. */
export function sessionOf(state: HandshakeState): Session {
  if (state.phase === 'ready') return state.session;
  throw sessionError('ENCRYPTION_NOT_READY', 'this handshake is not through', { phase: state.phase });
}

type Stepped = readonly [HandshakeState, readonly HandshakeEffect[]];

function advance(
  deps: HandshakeDeps,
  side: Side,
  options: HandshakeOptions,
  state: HandshakeState,
  event: HandshakeEvent,
  nowMs: number,
): Stepped {
  if (state.phase === 'error') return [state, []];
  if (event.type === 'begin') return begin(side, state, event.entropy, nowMs);
  if (state.phase === 'waiting' && nowMs >= state.deadlineMs) {
    throw sessionError('CHALLENGE_INVALID', 'this challenge was not answered in time');
  }
  if (event.type === 'tick') return [state, []];
  if (state.phase !== 'waiting') throw sessionError('INVALID_STATE', 'no handshake message is awaited');
  const envelope = readEnvelope(event.message);
  checkOrder(state.work.exchange?.form, state.step, envelope);
  const work = side.read(state.work, state.step, envelope, nowMs);
  // The first challenge of ours starts the clock; later messages do not stop it.
  const deadlineMs = Math.min(state.deadlineMs, nowMs + sessionLimits.challengeLifeMs);
  return proceed(deps, side, options, { phase: 'waiting', step: state.step + 1, deadlineMs, work }, nowMs);
}

function begin(side: Side, state: HandshakeState, entropy: Uint8Array, nowMs: number): Stepped {
  if (state.phase !== 'idle') throw sessionError('INVALID_STATE', 'this handshake has begun already');
  if (entropy.length !== handshakeEntropyBytes) {
    throw sessionError('INVALID_FORMAT', `a handshake takes ${handshakeEntropyBytes} random bytes`);
  }
  const [work, message] = side.begin(entropy, nowMs);
  erase(entropy);
  return message === undefined
    ? [{ phase: 'waiting', step: 0, deadlineMs: Number.POSITIVE_INFINITY, work }, []]
    : [
        { phase: 'waiting', step: 1, deadlineMs: nowMs + sessionLimits.challengeLifeMs, work },
        [{ type: 'send', message }],
      ];
}

/** Sends the step that is ours, and ends when there is none after it. */
function proceed(
  deps: HandshakeDeps,
  side: Side,
  options: HandshakeOptions,
  state: HandshakeState & { readonly phase: 'waiting' },
  nowMs: number,
): Stepped {
  const count = handshakeSteps[state.work.exchange?.form ?? 'three'].length;
  if (state.step === count) return finish(deps, side, options, state.work, nowMs, []);
  const [work, message] = side.write(state.work, state.step);
  const send = { type: 'send', message } as const;
  if (state.step + 1 === count) return finish(deps, side, options, work, nowMs, [send]);
  return [{ ...state, step: state.step + 1, work }, [send]];
}

function finish(
  deps: HandshakeDeps,
  side: Side,
  options: HandshakeOptions,
  work: Work,
  nowMs: number,
  last: readonly HandshakeEffect[],
): Stepped {
  const { exchange, session: id, suite } = work;
  if (exchange?.keys === undefined || id === undefined || suite === undefined) {
    throw sessionError('INTERNAL', 'a handshake that ended without keys');
  }
  const { self } = deps;
  const made = { id, initiator: side.initiator, self, peer: exchange.peer, suite, secrets: exchange.keys };
  const session = makeSession(deps.crypto, made, options, nowMs);
  const exported = options.exports === true ? { exported: exchange.keys.exported.slice() } : {};
  eraseWork(work);
  const persist = { type: 'persist', snapshot: session.snapshot() } as const;
  return [{ phase: 'ready', session }, [persist, ...last, { type: 'established', session, ...exported }]];
}

/** Throws INVALID_STATE. */
function checkOrder(form: HandshakeForm | undefined, step: number, { step: name }: Envelope): void {
  const awaited = form === undefined ? [handshakeSteps.three[0], handshakeSteps.six[0]] : [handshakeSteps[form][step]];
  if (awaited.includes(name)) return;
  throw sessionError('INVALID_STATE', `${name} came, ${awaited.join(' or ')} was awaited`, { received: name });
}

function eraseWork({ exchange, secrets }: Work): void {
  erase(...secrets);
  if (exchange?.keys !== undefined) erase(...Object.values(exchange.keys as unknown as Record<string, Uint8Array>));
}
