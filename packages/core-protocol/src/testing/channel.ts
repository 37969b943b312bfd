import { PeerAiError } from '../errors.ts';
import type { Channel, Clock, Link, Protocol } from '../ports/index.ts';

/** Bytes a reader may leave unread before its writer waits; a message longer than this travels alone. */
export const memoryWindowBytes = 1_048_576;

export const closedError = (text: string, code?: string): PeerAiError =>
  new PeerAiError('CHANNEL_CLOSED', text, code === undefined ? {} : { code });

/** One direction of a channel: messages in order, late by the latency, never more unread than the window. */
export class Pipe {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #arrived: Uint8Array[] = [];
  readonly #stopped = new AbortController();
  #unreadBytes = 0;
  #flight: Promise<void> | undefined;
  #ended = false;
  #discarding = false;
  #wake: (() => void)[] = [];

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  async write(message: Uint8Array): Promise<void> {
    while (this.#unreadBytes > 0 && this.#unreadBytes + message.length > memoryWindowBytes) await this.#change();
    this.#check();
    this.#unreadBytes += message.length;
    const copy = message.slice();
    this.#later(() => {
      if (this.#discarding) this.#unreadBytes -= copy.length;
      else this.#arrived.push(copy);
    });
  }

  end(): void {
    this.#later(() => {
      this.#ended = true;
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#check();
      const message = this.#arrived.shift();
      if (message !== undefined) {
        this.#unreadBytes -= message.length;
        this.#notify();
        return message;
      }
      if (this.#ended) return undefined;
      await this.#change();
    }
  }

  /** The reader has left: what still comes is credited and thrown away. */
  discard(): void {
    this.#discarding = true;
    this.#unreadBytes -= this.#arrived.splice(0).reduce((sum, message) => sum + message.length, 0);
    this.#notify();
  }

  fail(reason: PeerAiError): void {
    this.#stopped.abort(reason);
    this.#notify();
  }

  #check(): void {
    if (this.#stopped.signal.aborted) throw this.#stopped.signal.reason as PeerAiError;
  }

  /** Latency is constant, so one chain of flights keeps the order. */
  #later(arrive: () => void): void {
    const land = (): void => {
      arrive();
      this.#notify();
    };
    if (this.#latencyMs === 0 && this.#flight === undefined) return land();
    const departedMs = this.#clock.elapsedMs();
    const before = this.#flight ?? Promise.resolve();
    this.#flight = before
      .then(() =>
        this.#clock.sleep(departedMs + this.#latencyMs - this.#clock.elapsedMs(), this.#stopped.signal).then(land),
      )
      .catch(() => {});
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#wake.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export interface ChannelParts {
  readonly link: Link;
  readonly protocol: Protocol;
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
  /** Called before each message; true means that the channel dies of it. */
  readonly loses: () => boolean;
  readonly count: { sent(bytes: number): void; received(bytes: number): void };
  /** Ends both sides at once. */
  readonly reset: (reason: PeerAiError) => void;
  /** Our half is closed; the pair calls `reset` on itself when both are. */
  readonly closed: () => void;
}

/** One end of a memory channel. */
export class MemoryChannel implements Channel {
  readonly #parts: ChannelParts;
  readonly #gone = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  get link(): Link {
    return this.#parts.link;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  async send(message: Uint8Array): Promise<void> {
    const { protocol } = this.#parts;
    if (this.#gone.signal.aborted) throw this.#gone.signal.reason as PeerAiError;
    if (this.#closing) throw closedError('this half of the channel is closed');
    if (message.length > protocol.messageBytesMax && protocol.framing === 'messages') {
      throw new PeerAiError('LIMIT_EXCEEDED', `${protocol.id}: ${message.length} bytes in one message`, {
        bytesMax: protocol.messageBytesMax,
      });
    }
    const sent = this.#turn.then(() => this.#sendNow(message));
    this.#turn = sent.catch(() => {});
    return sent;
  }

  async close(code?: string): Promise<void> {
    if (code !== undefined) return this.#parts.reset(closedError('the channel was reset', code));
    if (this.#closing) return;
    this.#closing = true;
    await this.#turn;
    this.#parts.outgoing.end();
    this.#parts.closed();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const message = await this.#parts.incoming.read();
        if (message === undefined) return { done: true, value: undefined };
        this.#parts.count.received(message.length);
        return { done: false, value: message };
      },
      return: async () => ({ done: true, value: undefined }),
    };
  }

  /** The network's side of `signal`. */
  end(reason: PeerAiError): void {
    this.#gone.abort(reason);
  }

  /** Whoever answered has returned: nobody reads here any more. */
  leave(): void {
    this.#parts.incoming.discard();
  }

  async #sendNow(message: Uint8Array): Promise<void> {
    if (this.#parts.loses()) this.#parts.reset(closedError('the channel was lost on the way'));
    await this.#parts.outgoing.write(message);
    this.#parts.count.sent(message.length);
  }
}
