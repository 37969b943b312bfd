import type { Stream } from '@libp2p/interface';
import { channelClosed } from '../errors.ts';
import { limits } from '../limits.ts';

/** Writes to a libp2p stream without its three traps: a send that throws at once, a broken onDrain, a close that waits for ever. */
export interface StreamWriter {
  /** Throws CHANNEL_CLOSED; libp2p throws StreamStateError synchronously here, which would end a process from a timer. */
  write(bytes: Uint8Array): void;
  /** Resolves when the stream takes more. Throws CHANNEL_CLOSED when it closes instead. */
  drained(): Promise<void>;
  /** True while the stream's own buffer is full. */
  readonly full: boolean;
  /** Ends our half after everything written has left, however long the other side takes to read; never throws. */
  endHalf(): Promise<void>;
  /** Ends our half, waits a bounded time, then the whole stream when `whole`; never throws. */
  close(whole: boolean): Promise<void>;
  /** Drops everything at once; never throws. */
  abort(error: Error): void;
}

export function createStreamWriter(stream: Stream, count: (bytes: number) => void): StreamWriter {
  const open = (): boolean => stream.writeStatus === 'writable' && stream.status === 'open';
  return {
    write(bytes) {
      try {
        stream.send(bytes);
      } catch (error) {
        throw channelClosed('the stream no longer takes bytes', undefined, error);
      }
      count(bytes.length);
    },
    async drained() {
      while (stream.writableNeedsDrain && open()) await drainOrClose(stream);
      if (!open()) throw channelClosed('the stream closed while its buffer was full');
    },
    get full() {
      return stream.writableNeedsDrain;
    },
    async endHalf() {
      await stream.close().catch(() => undefined);
    },
    async close(whole) {
      const signal = AbortSignal.timeout(limits.streamCloseMs);
      await stream.close({ signal }).catch(() => undefined);
      if (whole) this.abort(channelClosed('closed'));
    },
    abort(error) {
      try {
        if (stream.status === 'open' || stream.status === 'closing') stream.abort(error);
      } catch {
        // already gone
      }
    },
  };
}

/** stream.onDrain() of @libp2p/utils 7.4.1 resolves at once after the first time, and `drain` alone never comes from a dead peer. */
function drainOrClose(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.removeEventListener('drain', done);
      stream.removeEventListener('close', done);
      resolve();
    };
    stream.addEventListener('drain', done);
    stream.addEventListener('close', done);
  });
}
