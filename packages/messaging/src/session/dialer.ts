import { fromUtf8, PeerAiError, type PeerId } from '@peerai/core-protocol';
import {
  createInitiator,
  handshakeEntropyBytes,
  type HandshakeForm,
  type HandshakeState,
  type OpenedFrame,
  parseSessionId,
  type Session,
  sessionOf,
} from '@peerai/core-protocol/session';
import type { DeliveryAnswer } from '../protocol.ts';
import type { OutRow } from '../rows.ts';
import { createTurns } from '../turns.ts';
import { sessionRoomLimits } from './limits.ts';
import {
  factsOf,
  giveUp,
  handshakeDeps,
  type SessionFacts,
  type SessionRoomDeps,
  type SessionRoomOptions,
} from './parts.ts';
import { createPeerTable, sweeper } from './table.ts';
import { exchangeForm, frameKinds, letterAnswerForm, letterForm, readExchange, statusForm } from './wire.ts';

/** Posts one body to a peer's `/session`. */
export type SessionAsk = (
  body: Uint8Array,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: Uint8Array }>;
/** What both sides have after a handshake. */
export interface Established extends SessionFacts {
  readonly form: HandshakeForm;
  /** The id as the other side says it, inside the session. */
  readonly theirs: string;
}
/** The side that asks: one session a peer, made when something is to be said. */
export interface SessionDialer {
  /**
   * A new handshake, whatever is open, and the other side's word about it. Throws the code of a refusal, CHALLENGE_INVALID and what else ends a
   * handshake, PEER_UNREACHABLE.
   */
  handshake(peer: PeerId, form: HandshakeForm, ask: SessionAsk, signal: AbortSignal): Promise<Established>;
  /** One letter inside the session. Nothing of it ever leaves unsealed. Throws what a later attempt may get past. */
  carry(peer: PeerId, letter: OutRow, ask: SessionAsk, signal: AbortSignal): Promise<DeliveryAnswer>;
  /** A question about a file inside the session, bytes for bytes. Throws as `carry` does; UNKNOWN_KIND where no files are taken. */
  askFile(peer: PeerId, question: Uint8Array, ask: SessionAsk, signal: AbortSignal): Promise<Uint8Array>;
  list(): readonly SessionFacts[];
  /** Overwrites every key. */
  close(): void;
}

interface Said {
  readonly kind: string;
  readonly payload: Uint8Array;
}

/** A refusal that a new session may get past. Nobody signs it: whoever forges one wins a new handshake and no more. */
const staleCodes = ['SESSION_EXPIRED', 'ENCRYPTION_NOT_READY', 'WRONG_SESSION', 'DECRYPTION_FAILED', 'SEQUENCE_ERROR'];

export function createSessionDialer(deps: SessionRoomDeps, options: SessionRoomOptions = {}): SessionDialer {
  const { clock } = deps;
  const { dialedMax } = { ...sessionRoomLimits, ...options.bounds };
  const open = createPeerTable<Session>({ max: dialedMax, perPeerMax: 1 }, (one) => one.close());
  const closing = new AbortController();
  const sweep = (): boolean => {
    const nowMs = clock.nowMs();
    open.sweep((session) => session.tick(nowMs) !== 'open');
    return open.values().length > 0;
  };
  const watch = sweeper(clock, sweep, closing.signal);
  const turns = createTurns();
  const dialNow = async (peer: PeerId, form: HandshakeForm, ask: SessionAsk, signal: AbortSignal): Promise<Session> => {
    const session = await dial(deps, options, { peer, form, ask }, signal);
    open.put(peer, peer, session);
    watch();
    return session;
  };
  const opened = (peer: PeerId, ask: SessionAsk, signal: AbortSignal): Promise<Session> =>
    turns.run(peer, async () => {
      sweep();
      return open.get(peer) ?? (await dialNow(peer, 'three', ask, signal));
    });
  const drop = (session: Session): void => open.sweep((one) => one === session);
  const say = async (session: Session, said: Said, ask: SessionAsk, signal: AbortSignal): Promise<OpenedFrame> => {
    const id = parseSessionId(session.id);
    const sealed = session.seal(said.kind, said.payload, clock.nowMs()).frame;
    const answered = await ask(exchangeForm.encode({ session: id, handshake: undefined, frame: sealed }), signal);
    let frame: Uint8Array | undefined;
    try {
      ({ frame } = readReply(answered));
    } catch (error) {
      if (PeerAiError.is(error, ...staleCodes) && !skips(session, error)) drop(session);
      throw error;
    }
    if (frame === undefined) throw notThePeer(answered.status);
    try {
      return session.open(frame, clock.nowMs());
    } catch (cause) {
      drop(session);
      throw new PeerAiError('PEER_UNREACHABLE', 'the answer is no frame of this session', {}, { cause });
    }
  };
  /** Over the open session or a new one, and once more over a new one where the other side knows the open one no more. */
  const sayInside = async (peer: PeerId, said: Said, ask: SessionAsk, signal: AbortSignal): Promise<OpenedFrame> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await say(await opened(peer, ask, signal), said, ask, signal);
      } catch (error) {
        const isStale = PeerAiError.is(error, ...staleCodes);
        if (!isStale || tried >= sessionRoomLimits.carryTriesMax) throw error;
      }
    }
  };
  return {
    async handshake(peer, form, ask, signal) {
      const session = await turns.run(peer, () => dialNow(peer, form, ask, signal));
      const said = await say(session, { kind: frameKinds.status, payload: new Uint8Array() }, ask, signal);
      if (said.kind !== frameKinds.status) throw new PeerAiError('INVALID_FORMAT', 'another answer than its state');
      return { ...factsOf(session, 'initiator'), form, theirs: statusForm.decode(said.payload).session };
    },
    async carry(peer, { id, kind, content, sentMs, expiresMs }, ask, signal) {
      const payload = letterForm.encode({ id, kind, content, sentMs, expiresMs });
      return answerOf(id, await sayInside(peer, { kind: frameKinds.letter, payload }, ask, signal));
    },
    async askFile(peer, payload, ask, signal) {
      const said = await sayInside(peer, { kind: frameKinds.file, payload }, ask, signal);
      if (said.kind === frameKinds.fileAnswer) return said.payload;
      const code = letterAnswerForm.decode(said.payload).code?.slice(0, 64);
      throw new PeerAiError(code ?? 'UNKNOWN_KIND', 'the peer answers no question about a file by HTTP');
    },
    list() {
      sweep();
      return open.values().map((session) => factsOf(session, 'initiator'));
    },
    close() {
      closing.abort();
      open.sweep(() => true);
    },
  };
}

async function dial(
  deps: SessionRoomDeps,
  options: SessionRoomOptions,
  { peer, form, ask }: { readonly peer: PeerId; readonly form: HandshakeForm; readonly ask: SessionAsk },
  signal: AbortSignal,
): Promise<Session> {
  const { clock, random } = deps;
  const machine = createInitiator(handshakeDeps(deps, options), { ...options, peer, form });
  const entropy = random.bytes(handshakeEntropyBytes);
  let [state, effects] = machine.step(machine.initial, { type: 'begin', entropy }, clock.nowMs());
  const session = sessionIdOf(state);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const failed = effects.find(({ type }) => type === 'failed');
      if (failed?.type === 'failed') throw failed.error;
      const send = effects.find(({ type }) => type === 'send');
      if (send?.type !== 'send') return sessionOf(state);
      const id = isFirst ? undefined : session;
      const answered = await ask(
        exchangeForm.encode({ session: id, handshake: send.message, frame: undefined }),
        signal,
      );
      // The last step of three has no answer but a yes: whether the other side is through, the first frame shows.
      const { handshake } = readReply(answered, state.phase === 'ready');
      if (state.phase === 'ready') return sessionOf(state);
      if (handshake === undefined) throw notThePeer(answered.status);
      [state, effects] = machine.step(state, { type: 'receive', message: handshake }, clock.nowMs());
    }
  } catch (error) {
    giveUp(machine, state);
    if (state.phase === 'ready') state.session.close();
    throw error;
  }
}

const sessionIdOf = (state: HandshakeState): Uint8Array | undefined =>
  state.phase === 'waiting' ? state.work.session : undefined;

const notThePeer = (status: number): PeerAiError =>
  new PeerAiError('PEER_UNREACHABLE', 'what answers at this address opens no session', { status });

/** Throws the code of a refusal with its details, PEER_UNREACHABLE for anything else. */
function readReply(
  { status, body }: { readonly status: number; readonly body: Uint8Array },
  mayBeEmpty = false,
): Partial<ReturnType<typeof exchangeForm.decode>> {
  if (status !== 200) throw refusalIn(status, body);
  try {
    return mayBeEmpty ? exchangeForm.decode(body) : readExchange(body);
  } catch {
    throw notThePeer(status);
  }
}

function refusalIn(status: number, body: Uint8Array): PeerAiError {
  try {
    const { error } = JSON.parse(fromUtf8(body)) as {
      readonly error?: { readonly code?: unknown; readonly details?: Readonly<Record<string, unknown>> };
    };
    const { code, details = {} } = error ?? {};
    if (typeof code !== 'string' || !/^[A-Z][A-Z_]{2,63}$/u.test(code) || code === 'NOT_FOUND')
      return notThePeer(status);
    const { expected, received } = details;
    const numbers = typeof expected === 'number' && typeof received === 'number' ? { expected, received } : {};
    return new PeerAiError(code, `the peer's HTTP says ${code}`, { status, ...numbers });
  } catch {
    return notThePeer(status);
  }
}

/** The other side counts on from a higher number: so do we, where that is no more than a gap. */
function skips(session: Session, error: unknown): boolean {
  if (!PeerAiError.is(error, 'SEQUENCE_ERROR') || typeof error.details['expected'] !== 'number') return false;
  try {
    session.skipTo(error.details['expected']);
    return true;
  } catch {
    return false;
  }
}

/** Throws the code of a `later`, PEER_UNREACHABLE for another letter's answer. */
function answerOf(id: string, { kind, payload }: OpenedFrame): DeliveryAnswer {
  const { outcome, code, retryAfterMs, ...said } = letterAnswerForm.decode(payload);
  if (kind !== frameKinds.letterAnswer || (said.id !== id && outcome !== 'later')) {
    throw new PeerAiError('PEER_UNREACHABLE', 'the peer answered another letter');
  }
  if (outcome !== 'later') return { outcome, code: code?.slice(0, 64) };
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new PeerAiError(code?.slice(0, 64) ?? 'PEER_UNREACHABLE', 'the peer does not take this letter now', wait);
}
