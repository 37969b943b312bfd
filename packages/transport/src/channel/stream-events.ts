import type { Stream } from '@libp2p/interface';
import { limits } from '../limits.ts';

/** How a stream's reading half ends, told once and only after everything that arrived was handed over. */
export interface StreamEvents {
  /** Pieces in any size; libp2p joins and splits what was sent. */
  bytes(piece: Uint8Array): void;
  /** The other side ended its half. */
  end(): void;
  /** The stream is gone, by reset or with its connection. */
  gone(error: Error | undefined): void;
}

/**
 * libp2p hands over bytes that came with the protocol negotiation in a later turn, so `close` and `end` can overtake them:
 * whatever is still in the stream's buffer comes first.
 */
export function listenToStream(stream: Stream, events: StreamEvents): void {
  let over = false;
  const once = (tell: () => void): void => {
    if (over) return;
    over = true;
    tell();
  };
  stream.addEventListener('message', (event) => {
    const data = event.data;
    if (data instanceof Uint8Array) events.bytes(data);
    else for (const piece of data) events.bytes(piece);
  });
  stream.addEventListener('end', () => {
    const reset = stream.status === 'reset' || stream.status === 'aborted';
    once(() => (reset ? events.gone(undefined) : events.end()));
  });
  stream.addEventListener('close', (event) => {
    const tell = (): void => once(() => events.gone(event.error));
    if (stream.readBufferLength === 0) {
      // A clean close after the other half ended is told by `end`.
      if (event.error === undefined && stream.remoteWriteStatus === 'closed' && stream.readableEnded)
        once(() => events.end());
      else tell();
    } else setTimeout(tell, limits.streamCloseMs).unref?.();
  });
  if (stream.status !== 'open' && stream.readBufferLength === 0) once(() => events.gone(undefined));
  // `end` fires once and may have passed during the negotiation, before the bytes it pushed back.
  else if (stream.readableEnded) whenRead(stream, () => once(() => events.end()));
}

function whenRead(stream: Stream, tell: () => void): void {
  if (stream.readBufferLength === 0) tell();
  else setTimeout(whenRead, lateEndMs, stream, tell);
}

/**
 * Resolves when the opener has spoken, or after a bound. Whoever answers must not reset before: the opener's negotiation
 * pushes back what it read too far, which throws on a stream that was reset meanwhile, and our code would be lost.
 */
export function openerSpoke(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stream.removeEventListener('message', done);
      stream.removeEventListener('close', done);
      resolve();
    };
    const timer = setTimeout(done, limits.streamCloseMs);
    stream.addEventListener('message', done);
    stream.addEventListener('close', done);
  });
}

const lateEndMs = 5;
