import { PeerAiError, type PeerId, readStrictJson, toHex, utf8 } from '@peerai/core-protocol';
import { pcpErrorReply, type PcpReply } from '@peerai/core-protocol/pcp';
import {
  type Authenticator,
  createResponder,
  handshakeEntropyBytes,
  type HandshakeMachine,
  type HandshakeState,
  type OpenedFrame,
  parseSessionId,
  type Session,
} from '@peerai/core-protocol/session';
import { type Buckets } from '../http/buckets.ts';
import type { Counts } from '../http/counts.ts';
import { finalCodes, type Inbox } from '../inbox/inbox.ts';
import { letterOf } from '../letter.ts';
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

export interface SessionDoorDeps extends SessionRoomDeps {
  readonly buckets: Buckets;
  readonly counts: Counts;
  readonly receive: Inbox['receive'];
  /** Answers a question about a file, bytes for bytes; `admit` takes a token of its bucket. Without it such frames are of an unknown kind. */
  readonly answerFile?: (peer: PeerId, question: Uint8Array, admit: () => void) => Promise<Uint8Array>;
  /** May this peer talk to us? Throws UNKNOWN_SENDER, REFUSED. Asked for each step and each frame, after its proof. */
  readonly admit: (peer: PeerId) => void;
}
/** The side that is asked: `POST /session`. */
export interface SessionDoor {
  /** The answer to a body: bytes of an exchange, or a refusal. Never throws. */
  take(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array | PcpReply>;
  list(): readonly SessionFacts[];
  /** Overwrites every key. */
  close(): void;
}

interface HalfOpen {
  readonly machine: HandshakeMachine;
  readonly state: HandshakeState & { readonly phase: 'waiting' };
}

/**
 * Handshakes and frames as they come by HTTP. Sessions live in memory only: after a restart there are none, so nothing that was recorded before is
 * taken again, and peers begin anew.
 */
export function createSessionDoor(deps: SessionDoorDeps, options: SessionRoomOptions = {}): SessionDoor {
  const { clock, random, counts } = deps;
  const { openMax, openPerPeerMax, halfOpenMax, halfOpenPerPeerMax } = { ...sessionRoomLimits, ...options.bounds };
  const halfOpen = createPeerTable<HalfOpen>({ max: halfOpenMax, perPeerMax: halfOpenPerPeerMax }, (one) =>
    giveUp(one.machine, one.state),
  );
  const open = createPeerTable<Session>({ max: openMax, perPeerMax: openPerPeerMax }, (session) => session.close());
  const given = handshakeDeps(deps, options);
  const parts = { ...given, authenticators: given.authenticators.map((one) => guarded(deps, one)) };
  const sweep = (): boolean => {
    const nowMs = clock.nowMs();
    halfOpen.sweep(({ state }) => nowMs >= state.deadlineMs);
    open.sweep((session) => session.tick(nowMs) !== 'open');
    return halfOpen.values().length + open.values().length > 0;
  };
  const closing = new AbortController();
  const watch = sweeper(clock, sweep, closing.signal);
  const begin = (nowMs: number): { readonly machine: HandshakeMachine; readonly state: HandshakeState } => {
    const machine = createResponder(parts, options);
    const entropy = random.bytes(handshakeEntropyBytes);
    const [state] = machine.step(machine.initial, { type: 'begin', entropy }, nowMs);
    return { machine, state };
  };
  const wait = (machine: HandshakeMachine, state: HalfOpen['state']): void => {
    const { session, exchange } = state.work;
    const key = toHex(session ?? new Uint8Array());
    if (exchange === undefined || halfOpen.get(key) !== undefined || open.get(key) !== undefined) {
      giveUp(machine, state);
      throw new PeerAiError('INVALID_STATE', 'there is a session of this id already');
    }
    halfOpen.put(key, exchange.peer, { machine, state });
    watch();
  };
  const greet = (message: Uint8Array, id: Uint8Array | undefined, nowMs: number): Uint8Array => {
    // Out of the table while it is stepped: a state is used once, and a step that fails ends the handshake.
    const waiting = id === undefined ? begin(nowMs) : halfOpen.take(toHex(id));
    if (waiting === undefined) throw new PeerAiError('INVALID_STATE', 'no handshake of this session waits here');
    const { machine, state } = waiting;
    const [next, effects] = machine.step(state, { type: 'receive', message }, nowMs);
    const reply: { session?: Uint8Array; handshake?: Uint8Array } = {};
    for (const effect of effects) {
      if (effect.type === 'failed') throw effect.error;
      if (effect.type === 'send') reply.handshake = effect.message;
      if (effect.type === 'established') keep(effect.session);
    }
    if (next.phase === 'waiting') wait(machine, next);
    return exchangeForm.encode({ session: id, handshake: reply.handshake, frame: undefined });
  };
  const keep = (session: Session): void => {
    open.put(toHex(parseSessionId(session.id)), session.peer, session);
    watch();
  };
  const takeFrame = async (frame: Uint8Array, id: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    const key = toHex(id);
    const session = open.get(key);
    if (session === undefined) {
      const isWaiting = halfOpen.get(key) !== undefined;
      if (isWaiting) throw new PeerAiError('ENCRYPTION_NOT_READY', 'the handshake of this session is not through');
      throw new PeerAiError('SESSION_EXPIRED', 'there is no such session here, or not any more');
    }
    const opened = session.open(frame, clock.nowMs());
    deps.admit(session.peer);
    const { kind, payload } = await answerTo(deps, session, opened, signal);
    return exchangeForm.encode({
      session: id,
      handshake: undefined,
      frame: session.seal(kind, payload, clock.nowMs()).frame,
    });
  };
  return {
    async take(body, signal) {
      try {
        const nowMs = clock.nowMs();
        sweep();
        const { session, handshake, frame } = readExchange(body);
        if (handshake !== undefined) return greet(handshake, session, nowMs);
        if (frame !== undefined && session !== undefined) return await takeFrame(frame, session, signal);
        throw new PeerAiError('INVALID_FORMAT', 'a frame needs the id of its session');
      } catch (error) {
        counts.rejectedOne();
        return pcpErrorReply(error, 'peerai/1');
      }
    },
    list() {
      sweep();
      return open.values().map((session) => factsOf(session, 'responder'));
    },
    close() {
      closing.abort();
      halfOpen.sweep(() => true);
      open.sweep(() => true);
    },
  };
}

/** Who has proved itself is let in or not, and takes a token for this step, before any key is agreed on. Who only claims a name takes none of its. */
const guarded = ({ admit, buckets }: SessionDoorDeps, authenticator: Authenticator): Authenticator => ({
  ...authenticator,
  prove: (message) => authenticator.prove(message),
  check(peer, message, proof) {
    if (!authenticator.check(peer, message, proof)) return false;
    admit(peer);
    buckets.take(peer, 'handshake');
    return true;
  },
});

async function answerTo(
  deps: SessionDoorDeps,
  session: Session,
  opened: OpenedFrame,
  signal: AbortSignal,
): Promise<{ readonly kind: string; readonly payload: Uint8Array }> {
  if (opened.kind === frameKinds.status) {
    const { id, suite, expiresMs } = session;
    return { kind: frameKinds.status, payload: statusForm.encode({ session: id, suite, expiresMs }) };
  }
  const { answerFile, buckets, counts } = deps;
  if (opened.kind === frameKinds.file && answerFile !== undefined) {
    const { peer } = session;
    const admit = (): void => buckets.take(peer, 'chunk');
    counts.received(peer);
    return { kind: frameKinds.fileAnswer, payload: await answerFile(peer, opened.payload, admit) };
  }
  return { kind: frameKinds.letterAnswer, payload: await takeLetter(deps, session, opened, signal) };
}

/** What is said inside the seal about one letter; failures too, so that nobody on the way learns of them. */
async function takeLetter(
  { buckets, counts, receive, clock }: SessionDoorDeps,
  { peer }: Session,
  opened: OpenedFrame,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let id = '';
  try {
    if (opened.kind !== frameKinds.letter) {
      throw new PeerAiError('UNKNOWN_KIND', 'frames of this kind are not handled here');
    }
    const { content, kind, ...row } = letterForm.decode(opened.payload);
    ({ id } = row);
    buckets.take(peer, kind);
    counts.received(peer);
    const payload = { ...row, content: readStrictJson(utf8(content)) };
    const { outcome, code } = await receive(letterOf(clock, { sender: peer, kind, payload }), signal);
    return letterAnswerForm.encode({ id, outcome, code, retryAfterMs: undefined });
  } catch (error) {
    const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
    const wait = PeerAiError.is(error) ? error.details['retryAfterMs'] : undefined;
    const retryAfterMs = typeof wait === 'number' ? Math.ceil(wait) : undefined;
    return letterAnswerForm.encode({
      id,
      outcome: finalCodes.includes(code) ? 'refused' : 'later',
      code,
      retryAfterMs,
    });
  }
}
