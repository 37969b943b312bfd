import { equalBytes } from '../bytes.ts';
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../identity/peer-id.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { bool, bytes, message, string, uint32, uint53 } from '../wire/index.ts';
import { chainFrom, nonceOf } from './chain.ts';
import { sessionError } from './errors.ts';
import { checkKind, type FrameHeader, readFrame, writeFrame } from './frame.ts';
import { sessionLimits } from './limits.ts';
import { Receiving, receivingForm } from './receiving.ts';
import { Sending, sendingForm } from './sending.ts';
import { checkSessionId, sessionIdText } from './session-id.ts';
import type { CipherSuite } from './suites.ts';

const about = {
  version: uint32(1),
  id: bytes(2),
  initiator: bool(3),
  self: bytes(4),
  peer: bytes(5),
  suite: string(6),
  expiresMs: uint53(7),
  rekeyFrames: uint53(8),
  rekeyMs: uint53(9),
};
const aboutForm = message(about);
const snapshotForm = message({ about: bytes(1), sending: bytes(2), receiving: bytes(3) });

export interface SessionDeps {
  readonly crypto: CryptoProvider;
  /** Best first; `standardSuites` and whatever an embedding program adds. */
  readonly suites: readonly CipherSuite[];
}
export interface SessionOptions {
  /** Milliseconds until SESSION_EXPIRED, 1 to `sessionLimits.lifeMsMax`. */
  readonly lifeMs?: number;
  /** A new key after this many frames, or this many milliseconds. */
  readonly rekeyFrames?: number;
  readonly rekeyMs?: number;
}
export interface SealedFrame {
  readonly frame: Uint8Array;
  /** A snapshot to have on disk before the frame is sent. */
  readonly persist?: Uint8Array;
}
export interface OpenedFrame {
  readonly kind: string;
  readonly payload: Uint8Array;
  readonly sequence: number;
  /** The sender's clock. Bound to the frame, not judged. */
  readonly timestampMs: number;
  /** Frames newly missing before this one. */
  readonly gap: number;
  /** A snapshot to have on disk before the payload is acted on. */
  readonly persist?: Uint8Array;
}
/** What a session is made from. Not for callers: a handshake gives it. */
interface Made {
  readonly about: ReturnType<typeof aboutForm.decode>;
  readonly suite: CipherSuite;
  readonly sending: Sending;
  readonly receiving: Receiving;
}

/** Two peers, one key a direction, frames in both. Made by a handshake or by `restoreSession`. Time comes with every call. */
export class Session {
  /** UUID v4. */
  readonly id: string;
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly suite: string;
  readonly expiresMs: number;
  readonly #made: Made;
  readonly #header: Pick<FrameHeader, 'version' | 'session' | 'sender' | 'recipient'>;
  #ended: 'closed' | 'expired' | undefined;
  /** The latest time seen: a clock that is set back makes no session longer. */
  #latestMs = 0;

  constructor(made: Made) {
    const { id, self, peer, suite, expiresMs } = made.about;
    this.#made = made;
    this.#header = { version: 1, session: id, sender: self, recipient: peer };
    [this.id, this.suite, this.expiresMs] = [sessionIdText(id), suite, expiresMs];
    [this.self, this.peer] = [peerIdFromPublicKey(self), peerIdFromPublicKey(peer)];
  }

  get state(): 'open' | 'closed' | 'expired' {
    return this.#ended ?? 'open';
  }
  /** Frames that were stepped over and have not come since. */
  get missing(): number {
    return this.#made.receiving.missing;
  }

  /** Throws SESSION_EXPIRED, INVALID_FORMAT (kind), LIMIT_EXCEEDED (payload). */
  seal(kind: string, payload: Uint8Array, nowMs: number): SealedFrame {
    const timeMs = this.#at(nowMs);
    checkKind(kind);
    if (payload.length > sessionLimits.payloadBytesMax) {
      throw sessionError('LIMIT_EXCEEDED', `a payload has at most ${sessionLimits.payloadBytesMax} bytes`);
    }
    const { suite, sending, about } = this.#made;
    const { sequence, chain, persist } = sending.take(timeMs);
    const header = { ...this.#header, sequence, kind, timestampMs: nowMs, epoch: chain.epoch };
    const nonce = nonceOf(about.initiator, sequence);
    const frame = writeFrame(header, (associated) => suite.seal(chain.key, nonce, payload, associated));
    return persist ? { frame, persist: this.snapshot() } : { frame };
  }

  /**
   * The frame, after every check in this order: end of the session, size, form, version, session, recipient, sender, sequence, seal.
   * Nothing changes when it throws.
   *
   * Throws SESSION_EXPIRED, LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_VERSION, WRONG_SESSION, WRONG_RECIPIENT, UNKNOWN_SENDER,
   * SEQUENCE_ERROR (`details.expected`, `details.received`), DECRYPTION_FAILED.
   */
  open(frame: Uint8Array, nowMs: number): OpenedFrame {
    const timeMs = this.#at(nowMs);
    const { header, associated, sealed } = readFrame(frame);
    this.#checkEnds(header);
    const { suite, receiving, about } = this.#made;
    const { sequence, kind, timestampMs } = header;
    const nonce = nonceOf(!about.initiator, sequence);
    const { payload, gap, persist } = receiving.take(header, timeMs, (key) =>
      suite.open(key, nonce, sealed, associated),
    );
    const opened = { kind, payload, sequence, timestampMs, gap };
    return persist ? { ...opened, persist: this.snapshot() } : opened;
  }

  /** The next frame is to have this number: what the other side said it expects, after a crash of its own. Throws SEQUENCE_ERROR. */
  skipTo(expected: number): void {
    this.#made.sending.skipTo(expected);
  }

  /** Ends the session when its time is over and erases an old key that no late frame needs any more. */
  tick(nowMs: number): 'open' | 'closed' | 'expired' {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    if (this.#ended === undefined && this.#latestMs >= this.expiresMs) this.#end('expired');
    this.#made.receiving.tick(this.#latestMs);
    return this.state;
  }

  /** Overwrites every key. Safe to call twice. */
  close(): void {
    if (this.#ended === undefined) this.#end('closed');
  }

  /**
   * For the disk; it holds keys, so seal it. Restored, it goes on above every number that was promised. Only the newest one is safe to
   * restore. Throws SESSION_EXPIRED.
   */
  snapshot(): Uint8Array {
    return this.#keep(false);
  }

  /** A last snapshot with the exact numbers; the session here is closed. Throws SESSION_EXPIRED. */
  suspend(): Uint8Array {
    const kept = this.#keep(true);
    this.#end('closed');
    return kept;
  }

  #keep(exact: boolean): Uint8Array {
    this.#checkOpen();
    const { about, sending, receiving } = this.#made;
    return snapshotForm.encode({
      about: aboutForm.encode(about),
      sending: sending.keep(exact),
      receiving: receiving.keep(exact),
    });
  }

  #at(nowMs: number): number {
    this.tick(nowMs);
    this.#checkOpen();
    return this.#latestMs;
  }

  #checkOpen(): void {
    if (this.#ended === undefined) return;
    throw sessionError('SESSION_EXPIRED', `this session is ${this.#ended}`, { session: this.id });
  }

  #checkEnds({ session, recipient, sender }: FrameHeader): void {
    const { about } = this.#made;
    if (!equalBytes(session, about.id)) throw sessionError('WRONG_SESSION', 'a frame of another session');
    if (!equalBytes(recipient, about.self)) throw sessionError('WRONG_RECIPIENT', 'a frame to another peer');
    if (!equalBytes(sender, about.peer)) throw sessionError('UNKNOWN_SENDER', 'a frame of another peer');
  }

  #end(how: 'closed' | 'expired'): void {
    this.#ended = how;
    this.#made.sending.erase();
    this.#made.receiving.erase();
  }
}

/** @internal What a handshake ends in. Its secrets stay the caller's to erase. Throws LIMIT_EXCEEDED. */
export function makeSession(
  crypto: CryptoProvider,
  made: {
    readonly id: Uint8Array;
    readonly initiator: boolean;
    readonly self: PeerId;
    readonly peer: PeerId;
    readonly suite: CipherSuite;
    readonly secrets: { readonly fromInitiator: Uint8Array; readonly fromResponder: Uint8Array };
  },
  options: SessionOptions,
  nowMs: number,
): Session {
  const { id, initiator, suite, secrets } = made;
  const { lifeMs, rekeyFrames, rekeyMs } = checkOptions(options);
  const [fromInitiator, fromResponder] = [
    chainFrom(crypto, secrets.fromInitiator, 0),
    chainFrom(crypto, secrets.fromResponder, 0),
  ];
  const [out, incoming] = initiator ? [fromInitiator, fromResponder] : [fromResponder, fromInitiator];
  const rekey = { frames: rekeyFrames, ms: rekeyMs };
  return new Session({
    about: {
      version: 1,
      id,
      initiator,
      self: publicKeyFromPeerId(made.self),
      peer: publicKeyFromPeerId(made.peer),
      suite: suite.name,
      expiresMs: nowMs + lifeMs,
      rekeyFrames,
      rekeyMs,
    },
    suite,
    sending: new Sending(crypto, rekey, { ...out, ceiling: 0, frames: 0, startedMs: nowMs }),
    receiving: new Receiving(crypto, {
      ...incoming,
      ceiling: 0,
      taken: undefined,
      oldKey: undefined,
      oldUntilMs: undefined,
    }),
  });
}

/** Throws LIMIT_EXCEEDED. */
export function checkOptions({
  lifeMs = sessionLimits.lifeMs,
  rekeyFrames = sessionLimits.rekeyFrames,
  rekeyMs = sessionLimits.rekeyMs,
}: SessionOptions): Required<SessionOptions> {
  const within = (value: number, max: number): boolean => Number.isInteger(value) && value >= 1 && value <= max;
  if (
    within(lifeMs, sessionLimits.lifeMsMax) &&
    within(rekeyFrames, sessionLimits.rekeyFrames) &&
    within(rekeyMs, sessionLimits.rekeyMs)
  ) {
    return { lifeMs, rekeyFrames, rekeyMs };
  }
  throw sessionError('LIMIT_EXCEEDED', 'a session lives a day at most, and a key no longer than its limits');
}

/**
 * A session from its newest snapshot. Its numbers start above all that were promised, so no nonce comes twice; what the other side sent
 * meanwhile below its own mark is refused with SEQUENCE_ERROR, and it goes on with `skipTo(details.expected)`.
 *
 * Throws INVALID_FORMAT, INVALID_VERSION, NOT_FOUND (no such suite here), SESSION_EXPIRED.
 */
export function restoreSession({ crypto, suites }: SessionDeps, snapshot: Uint8Array, nowMs: number): Session {
  const kept = snapshotForm.decode(snapshot);
  const about = aboutForm.decode(kept.about);
  if (about.version !== 1) throw sessionError('INVALID_VERSION', `snapshot version ${about.version}`);
  checkSessionId(about.id);
  const suite = suites.find(({ name }) => name === about.suite);
  if (suite === undefined) throw sessionError('NOT_FOUND', 'the cipher suite of this session is not here');
  const [sending, receiving] = [sendingForm.decode(kept.sending), receivingForm.decode(kept.receiving)];
  const keys = [about.self, about.peer, sending.key, sending.next, receiving.key, receiving.next, receiving.oldKey];
  if (keys.some((key) => key !== undefined && key.length !== 32)) {
    throw sessionError('INVALID_FORMAT', 'a snapshot with a key of another length than 32');
  }
  const session = new Session({
    about,
    suite,
    sending: new Sending(crypto, { frames: about.rekeyFrames, ms: about.rekeyMs }, sending),
    receiving: new Receiving(crypto, receiving),
  });
  if (session.tick(nowMs) !== 'open') throw sessionError('SESSION_EXPIRED', 'this session ended while it was kept');
  return session;
}
