import type { Stream } from '@libp2p/interface';
import { type Channel, type Link, PeerAiError } from '@peerai/core-protocol';
import { channelClosed, transportError } from '../errors.ts';
import { limits } from '../limits.ts';
import {
  createFrameReader,
  decodeCredit,
  decodeReset,
  encodeCredit,
  encodeFrame,
  encodeReset,
  type FrameKind,
  messageCost,
  windowBytes,
} from './frame.ts';
import type { Heart } from './heartbeat.ts';
import { createInbox } from './inbox.ts';
import type { LinkMeter } from './link-meter.ts';
import type { Leaving, Writing } from './link-turns.ts';
import type { Negotiation } from './negotiation.ts';
import { listenToStream, openerSpoke } from './stream-events.ts';
import { createStreamWriter } from './stream-writer.ts';

export interface ChannelDeps {
  readonly stream: Stream;
  readonly meter: LinkMeter;
  readonly heart: Heart;
  readonly messageBytesMax: number;
  readonly priority: Writing['priority'];
  /** Told once, when the channel is over. */
  readonly over?: () => void;
  /** Takes the other side's part of the protocol negotiation off the front of what comes, where that is still under way. */
  readonly negotiation?: Negotiation;
}

/** A channel of ours plus the moment the other side gave its first credit, which is its yes. */
export interface OpenedChannel {
  readonly channel: Channel;
  /** Rejects with REFUSED, LIMIT_REACHED or CHANNEL_CLOSED. */
  readonly accepted: Promise<void>;
  /** Nobody reads here any more: what still comes is credited and thrown away. */
  leave(): void;
}

const refusals = new Set(['REFUSED', 'LIMIT_REACHED', 'PRIVATE_NETWORK', 'POST_QUANTUM_REQUIRED']);

/** Whole messages in order under a credit window and a heartbeat. See docs/protocol/channel.md. */
export function createMessageChannel(deps: ChannelDeps): OpenedChannel {
  const { stream, meter, heart, messageBytesMax, negotiation, priority } = deps;
  let window = windowBytes(messageBytesMax, meter.link.roundTripMs);
  const writer = createStreamWriter(stream, (bytes) => meter.sent(bytes));
  const gone = new AbortController();
  const accepted = Promise.withResolvers<void>();
  accepted.promise.catch(() => undefined);
  /** Bytes the other side may still send, and bytes taken here that it does not know of yet. */
  let granted = window;
  let ungranted = 0;
  /** Bytes we may still send. The other side's first credit is its yes. */
  let credit: number = limits.openingCreditBytes;
  let welcome = false;
  let creditCame = Promise.withResolvers<void>();
  let turn: Promise<void> = Promise.resolve();
  /** The message that is being written. */
  let leaving: Leaving | undefined;
  let silentTicks = 0;
  let heard = false;
  let weEnded = false;
  let theyEnded = false;

  const inbox = createInbox((message) => {
    ungranted += messageCost(message.length);
    grant();
  });

  /** A credit waits for the end of a message that has left in part. */
  function grant(): void {
    // The link may have been measured since; a window only grows.
    const measured = windowBytes(messageBytesMax, meter.link.roundTripMs);
    if (measured > window) {
      ungranted += measured - window;
      window = measured;
    }
    if (ungranted < window / 4 || theyEnded || gone.signal.aborted || leaving?.isCut === true) return;
    quietly(() => writer.write(encodeCredit(ungranted)));
    granted += ungranted;
    ungranted = 0;
  }

  /** The last word goes behind the rest of a message that has left in part. */
  function sayReset(code: string): void {
    quietly(() => {
      if (leaving?.isCut === true) leaving.finish();
      writer.write(encodeReset(code));
    });
  }

  function quietly(write: () => void): void {
    try {
      write();
    } catch {
      // the stream's close event tells the rest
    }
  }

  /** The end, once: everybody who waits is freed. */
  function finish(error: PeerAiError, how: 'ended' | 'failed'): void {
    if (gone.signal.aborted) return;
    heart.remove(beating);
    if (how === 'failed') inbox.fail(error);
    gone.abort(error);
    accepted.reject(error);
    creditCame.resolve();
    deps.over?.();
  }

  function fail(error: PeerAiError): void {
    finish(error, 'failed');
    writer.abort(error);
  }

  /** Something against the protocol came in: say why, then reset. */
  function violated(error: unknown): void {
    const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
    sayReset(code);
    finish(channelClosed('the other side broke the channel protocol', code, error), 'failed');
    void writer.close(true);
  }

  function ended(): void {
    if (!weEnded || !theyEnded) return;
    finish(channelClosed('both sides have ended the channel'), 'ended');
    void writer.close(false);
  }

  function admit(kind: FrameKind, length: number): void {
    if (kind !== 'data') return;
    if (theyEnded) throw transportError('INVALID_FORMAT', 'a message after the end');
    if (length > messageBytesMax) {
      throw transportError('LIMIT_EXCEEDED', `a message of ${length} bytes, allowed are ${messageBytesMax}`);
    }
    if (messageCost(length) > granted) throw transportError('LIMIT_EXCEEDED', 'a message beyond the credit given');
    granted -= messageCost(length);
  }

  const take: Record<FrameKind, (payload: Uint8Array) => void> = {
    data: (payload) => inbox.push(payload),
    credit(payload) {
      credit += decodeCredit(payload);
      welcome = true;
      accepted.resolve();
      creditCame.resolve();
      creditCame = Promise.withResolvers();
    },
    ping() {
      // A peer that asks without reading gets no answer; it could fill our buffer otherwise.
      if (!writer.full && leaving?.isCut !== true) quietly(() => writer.write(encodeFrame('pong')));
    },
    pong: () => undefined,
    end() {
      theyEnded = true;
      inbox.end();
      ended();
    },
    reset(payload) {
      const code = decodeReset(payload);
      const refused = !welcome && refusals.has(code);
      const error = refused
        ? transportError(code as 'REFUSED', 'the other side refused the channel', { code })
        : channelClosed(`the other side reset the channel: ${code}`, code);
      fail(error);
    },
  };

  const reader = createFrameReader(admit, (kind, payload) => take[kind](payload));

  const beating = {
    tick() {
      silentTicks += 1;
      if (silentTicks >= limits.heartbeatDeadTicks + meter.lateTicks) fail(channelClosed('the other side went silent'));
      else if (silentTicks % limits.heartbeatPingTicks === 0 && !writer.full && leaving?.isCut !== true) {
        quietly(() => writer.write(encodeFrame('ping')));
      }
    },
  };

  function mayWrite(): void {
    if (gone.signal.aborted) throw gone.signal.reason as PeerAiError;
    if (weEnded) throw channelClosed('this side has ended the channel');
  }

  /** One sender at a time, in the order of the calls. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = turn;
    const mine = Promise.withResolvers<void>();
    turn = mine.promise;
    await before;
    try {
      return await work();
    } finally {
      mine.resolve();
    }
  }

  /** Waits until the other side has room, then takes that room. */
  async function spend(cost: number): Promise<void> {
    for (;;) {
      if (credit >= cost) break;
      await creditCame.promise;
      mayWrite();
    }
    credit -= cost;
  }

  async function sendNow(message: Uint8Array): Promise<void> {
    mayWrite();
    await spend(messageCost(message.length));
    leaving = meter.turns.write(encodeFrame('data', message), {
      writer,
      priority,
      signal: gone.signal,
      moved: () => void (silentTicks = 0),
    });
    await leaving.done;
    leaving = undefined;
    grant();
    await writer.drained();
  }

  async function end(): Promise<void> {
    if (weEnded || gone.signal.aborted) return;
    await inTurn(async () => {
      if (weEnded || gone.signal.aborted) return;
      weEnded = true;
      quietly(() => writer.write(encodeFrame('end')));
    });
    ended();
  }

  listenToStream(stream, {
    bytes(piece) {
      silentTicks = 0;
      heard = true;
      meter.received(piece.length);
      if (gone.signal.aborted) return;
      try {
        reader.push(negotiation?.read(piece) ?? piece);
      } catch (error) {
        if (PeerAiError.is(error, 'REFUSED')) fail(error);
        else violated(error);
      }
    },
    end: () => fail(channelClosed('the stream ended without a word')),
    gone: (error) => fail(channelClosed('the link is gone', undefined, error)),
  });
  if (!gone.signal.aborted) {
    heart.add(beating);
    quietly(() => writer.write(encodeCredit(window - limits.openingCreditBytes)));
  }

  const channel: Channel = {
    get link(): Link {
      return meter.link;
    },
    signal: gone.signal,
    send: (message) =>
      message.length > messageBytesMax
        ? Promise.reject(
            transportError('LIMIT_EXCEEDED', `a message of ${message.length} bytes, allowed are ${messageBytesMax}`),
          )
        : inTurn(() => sendNow(message)),
    async close(code) {
      if (code === undefined) return end();
      if (gone.signal.aborted) return;
      sayReset(code);
      finish(channelClosed('closed on this side', code), 'failed');
      if (!heard) await openerSpoke(stream);
      await writer.close(true);
    },
    [Symbol.asyncIterator]: () => inbox.iterator(),
  };
  return { channel, accepted: accepted.promise, leave: () => inbox.discard() };
}

/** Refuses an incoming stream so that the opener learns the code. */
export async function refuseMessages(
  stream: Stream,
  code: 'REFUSED' | 'LIMIT_REACHED' | 'PRIVATE_NETWORK' | 'POST_QUANTUM_REQUIRED',
): Promise<void> {
  const writer = createStreamWriter(stream, () => undefined);
  try {
    writer.write(encodeReset(code));
  } catch {
    return;
  }
  await openerSpoke(stream);
  await writer.close(true);
}
