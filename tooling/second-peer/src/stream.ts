import type { Stream } from '@libp2p/interface';

/** The bytes of a libp2p stream, read when they are asked for. */
export class ByteStream {
  readonly #stream: Stream;
  readonly #parts: Buffer[] = [];
  #over = false;
  #wake: () => void = () => undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.addEventListener('message', ({ data }) => {
      this.#parts.push(Buffer.from(data.subarray()));
      this.#wake();
    });
    const over = (): void => {
      this.#over = true;
      this.#wake();
    };
    stream.addEventListener('remoteCloseWrite', over);
    stream.addEventListener('close', over);
  }

  /** Exactly so many bytes; undefined when the other side ended before. */
  async read(count: number): Promise<Buffer | undefined> {
    let held = Buffer.concat(this.#parts.splice(0));
    while (held.length < count) {
      if (this.#parts.length === 0) {
        if (this.#over) return undefined;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      held = Buffer.concat([held, ...this.#parts.splice(0)]);
    }
    this.#parts.unshift(held.subarray(count));
    return held.subarray(0, count);
  }

  /** Everything until the other side ends. */
  async readAll(): Promise<Buffer> {
    while (!this.#over) await new Promise<void>((resolve) => (this.#wake = resolve));
    return Buffer.concat(this.#parts.splice(0));
  }

  write(bytes: Uint8Array): void {
    this.#stream.send(bytes);
  }

  /** Ends this side's half. */
  async end(): Promise<void> {
    await this.#stream.close();
  }
}
