import type { Stream } from '@libp2p/interface';
import type { Channel, Link } from '@peerai/core-protocol';
import { channelClosed, transportError } from '../errors.ts';
import { limits } from '../limits.ts';
import { createInbox } from './inbox.ts';
import type { ChannelDeps, OpenedChannel } from './message-channel.ts';
import { listenToStream, openerSpoke } from './stream-events.ts';
import { createStreamWriter } from './stream-writer.ts';

export interface RawDeps extends Omit<ChannelDeps, 'heart'> {
  /** True where a paused stream makes the sender wait (yamux); elsewhere libp2p resets it once its buffer is full. */
  readonly canPause: boolean;
}

/**
 * The stream's bytes as they come, half-close kept: for foreign protocols such as `/llama/1.0.0`.
 * No frames, so no codes, no credit and no heartbeat; the link's own ping ends it when the peer is gone.
 * A reader that falls more than a bound behind pauses the sender, or loses the channel where the muxer cannot pause.
 */
export function createRawChannel(deps: RawDeps): OpenedChannel {
  const { stream, meter, messageBytesMax, canPause, priority } = deps;
  const writer = createStreamWriter(stream, (bytes) => meter.sent(bytes));
  const gone = new AbortController();
  let queued = 0;
  let heard = false;
  let weEnded = false;
  let theyEnded = false;
  let turn: Promise<void> = Promise.resolve();

  const inbox = createInbox((piece) => {
    queued -= piece.length;
    if (canPause && queued < limits.rawPauseBytes) quietly(() => stream.resume());
  });

  function quietly(work: () => void): void {
    try {
      work();
    } catch {
      // resume and pause throw on a closed stream
    }
  }

  function finish(error: Error): void {
    if (gone.signal.aborted) return;
    gone.abort(error);
    deps.over?.();
  }

  function fail(error: Error): void {
    inbox.fail(error);
    finish(error);
    writer.abort(error);
  }

  function ended(): void {
    if (weEnded && theyEnded) finish(channelClosed('both sides have ended the channel'));
  }

  async function sendNow(bytes: Uint8Array): Promise<void> {
    if (gone.signal.aborted) throw gone.signal.reason as Error;
    if (weEnded) throw channelClosed('this side has ended the channel');
    await meter.turns.write(bytes, { writer, priority, signal: gone.signal }).done;
    await writer.drained();
  }

  listenToStream(stream, {
    bytes(piece) {
      heard = true;
      meter.received(piece.length);
      if (gone.signal.aborted) return;
      queued += piece.length;
      if (queued > limits.rawQueueBytesMax && !canPause) {
        fail(channelClosed('the reader fell behind on a link that cannot wait', 'LIMIT_EXCEEDED'));
        return;
      }
      inbox.push(new Uint8Array(piece));
      if (canPause && queued >= limits.rawPauseBytes) quietly(() => stream.pause());
    },
    end() {
      theyEnded = true;
      inbox.end();
      ended();
    },
    gone: (error) => {
      if (!theyEnded) return fail(channelClosed('the link is gone', undefined, error));
      finish(channelClosed('the link is gone', undefined, error));
    },
  });

  const channel: Channel = {
    get link(): Link {
      return meter.link;
    },
    signal: gone.signal,
    async send(bytes) {
      if (bytes.length > messageBytesMax) {
        throw transportError('LIMIT_EXCEEDED', `${bytes.length} bytes at once, allowed are ${messageBytesMax}`);
      }
      const mine = turn.then(() => sendNow(bytes));
      turn = mine.catch(() => undefined);
      return mine;
    },
    async close(code) {
      if (gone.signal.aborted) return;
      if (code !== undefined) {
        if (!heard) await openerSpoke(stream);
        return fail(channelClosed('closed on this side', code));
      }
      if (weEnded) return;
      await turn;
      weEnded = true;
      await writer.endHalf();
      ended();
    },
    [Symbol.asyncIterator]: () => inbox.iterator(),
  };
  return { channel, accepted: Promise.resolve(), leave: () => inbox.discard() };
}

/** Raw streams have no words: a refused one is reset. */
export async function refuseRaw(stream: Stream): Promise<void> {
  await openerSpoke(stream);
  createStreamWriter(stream, () => undefined).abort(transportError('REFUSED', 'refused'));
}
