import type { Stream } from '@libp2p/interface';
import { Refusal } from './refusal.ts';
import { ByteStream } from './stream.ts';

/** The kinds of docs/protocol/channel.md. */
const DATA = 1;
const CREDIT = 2;
const PING = 3;
const PONG = 4;
const END = 5;
const RESET = 6;

const HEAD_BYTES = 5;
const OPENING_CREDIT_BYTES = 65_536;
const WINDOW_BYTES = 2 * 1_048_576;

/** Messages over one libp2p stream, both ways. */
export class Channel {
  readonly #bytes: ByteStream;
  #credit = OPENING_CREDIT_BYTES;
  readonly #waiting: (() => void)[] = [];
  readonly #messages: Buffer[] = [];
  /** This side's half and the other one. */
  #endedHere = false;
  #ended = false;
  #failure: Refusal | undefined;
  #wake: () => void = () => undefined;

  constructor(stream: Stream) {
    this.#bytes = new ByteStream(stream);
    this.#give(WINDOW_BYTES - OPENING_CREDIT_BYTES);
    void this.#read();
  }

  /** Sends one message, once there is credit for it. */
  async send(message: Uint8Array): Promise<void> {
    const cost = HEAD_BYTES + message.length;
    while (this.#credit < cost && !this.#ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
    this.#credit -= cost;
    this.#frame(DATA, message);
  }

  /** The next message, or undefined after the other side's end. Throws the code of a reset, CHANNEL_CLOSED for a broken stream. */
  async next(): Promise<Buffer | undefined> {
    while (this.#messages.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const message = this.#messages.shift();
    if (message !== undefined) this.#give(HEAD_BYTES + message.length);
    else if (this.#failure !== undefined) throw this.#failure;
    return message;
  }

  /** This side sends no more. */
  end(): void {
    if (this.#endedHere) return;
    this.#frame(END, Buffer.alloc(0));
    this.#endedHere = true;
    this.#closeWhenBoth();
  }

  /** Both halves are over. */
  reset(code: string): void {
    this.#frame(RESET, Buffer.from(code));
    this.#over(new Refusal(code, 'reset here'));
  }

  #give(bytes: number): void {
    const amount = Buffer.alloc(4);
    amount.writeUInt32BE(bytes);
    this.#frame(CREDIT, amount);
  }

  #frame(kind: number, payload: Uint8Array): void {
    if (this.#failure !== undefined) return;
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(kind);
    head.writeUInt32BE(payload.length, 1);
    try {
      this.#bytes.write(Buffer.concat([head, payload]));
    } catch {
      this.#over(new Refusal('CHANNEL_CLOSED', 'the stream is gone'));
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const head = await this.#bytes.read(HEAD_BYTES);
      const payload = head && (await this.#bytes.read(head.readUInt32BE(1)));
      if (head === undefined || payload === undefined) break;
      const kind = head.readUInt8();
      if (kind === DATA) {
        this.#messages.push(payload);
        this.#wake();
      } else if (kind === CREDIT) {
        this.#credit += payload.readUInt32BE();
        for (const wake of this.#waiting.splice(0)) wake();
      } else if (kind === PING) this.#frame(PONG, Buffer.alloc(0));
      else if (kind === END) {
        this.#over(undefined);
        this.#closeWhenBoth();
        return;
      } else if (kind === RESET) {
        this.#over(new Refusal(payload.toString('utf8'), 'the other side reset the channel'));
        return;
      } else if (kind !== PONG) {
        this.reset('INVALID_FORMAT');
        return;
      }
    }
    this.#over(new Refusal('CHANNEL_CLOSED', 'the stream ended without a word'));
  }

  #closeWhenBoth(): void {
    if (this.#endedHere && this.#ended) void this.#bytes.end().catch(() => undefined);
  }

  #over(failure: Refusal | undefined): void {
    this.#failure ??= failure;
    this.#ended = true;
    this.#wake();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
