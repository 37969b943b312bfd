import { type Channel, PeerAiError } from '@peerai/core-protocol';
import { channelClosed, transportError } from '../errors.ts';
import { limits } from './limits.ts';
import type { ChannelKeys } from './link-secret.ts';

/** What a nonce is for; an end can therefore not be made from a message, nor a message from an end. */
const kinds = { message: 1, end: 2 } as const;

/**
 * A channel whose messages are sealed, over one that carries them: each with the next number of its direction as nonce, so that one that was
 * changed, left out, repeated or moved ends the channel, and so does an end that nobody sealed. See docs/protocol/links.md.
 *
 * @param ready - the keys; a refusal ends the channel.
 * @param incoming - the one iterator of `inner`, which may have given what came before the first message.
 */
export function sealedChannel(
  inner: Channel,
  parts: {
    readonly ready: Promise<ChannelKeys>;
    readonly incoming: AsyncIterator<Uint8Array>;
    readonly messageBytesMax: number;
    /** Where each direction begins to count; for tests. */
    readonly from?: number;
  },
): Channel {
  const { ready, incoming, messageBytesMax, from = 0 } = parts;
  let sent = from;
  let received = from;
  let ending: Promise<void> | undefined;
  let theyEnded = false;
  let broken: PeerAiError | undefined;

  void settle();

  /** The sending key goes with the channel; a channel that gets no keys goes itself. */
  async function settle(): Promise<void> {
    try {
      const { send } = await ready;
      const erase = (): void => void send.fill(0);
      inner.signal.addEventListener('abort', erase, { once: true });
      if (inner.signal.aborted) erase();
    } catch (error) {
      await inner.close(PeerAiError.is(error) ? error.code : 'INTERNAL');
    }
  }

  function seal({ aead, send }: ChannelKeys, kind: keyof typeof kinds, message: Uint8Array): Uint8Array {
    if (sent >= limits.sealedMessagesMax) throw transportError('LIMIT_EXCEEDED', 'this channel has used up its key');
    sent += 1;
    return aead.seal(send, nonceOf(kind, sent), message, none);
  }

  function open({ aead, receive }: ChannelKeys, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < limits.tagBytes) throw new PeerAiError('INVALID_FORMAT', 'a message without a seal');
    received += 1;
    if (sealed.length === limits.tagBytes && isEnd(aead, receive, sealed)) return undefined;
    return aead.open(receive, nonceOf('message', received), sealed, none);
  }

  function isEnd(aead: ChannelKeys['aead'], key: Uint8Array, sealed: Uint8Array): boolean {
    try {
      aead.open(key, nonceOf('end', received), sealed, none);
      return true;
    } catch {
      return false;
    }
  }

  function fail(code: string, cause?: unknown): PeerAiError {
    broken = channelClosed('what came over this channel was changed, left out or cut off', code, cause);
    void inner.close(code);
    return broken;
  }

  /** Nothing more is opened here. */
  function drop(): void {
    ready.then(({ receive }) => void receive.fill(0)).catch(() => undefined);
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    const keys = await ready.catch(() => undefined);
    const { done, value } = await incoming.next();
    if (broken !== undefined) throw broken;
    if (theyEnded) return ended;
    // A channel without keys was closed with the reason: what is still in it is nobody's.
    if (keys === undefined) throw fail('DECRYPTION_FAILED');
    if (done === true) throw fail('INVALID_FORMAT');
    try {
      const message = open(keys, value);
      if (message !== undefined) return { done: false, value: message };
    } catch (error) {
      throw fail(PeerAiError.is(error) ? error.code : 'INTERNAL', error);
    }
    theyEnded = true;
    return ended;
  }

  /** Seals and sends at once: between the look at the channel and the seal nothing else runs. */
  async function say(kind: keyof typeof kinds, message: Uint8Array): Promise<void> {
    const keys = await ready.catch(() => undefined);
    if (inner.signal.aborted) throw inner.signal.reason;
    if (keys === undefined) throw channelClosed('this channel has no keys');
    await inner.send(seal(keys, kind, message));
  }

  return {
    get link() {
      return inner.link;
    },
    signal: inner.signal,
    async send(message) {
      if (message.length > messageBytesMax) {
        const text = `a message of ${message.length} bytes, allowed are ${messageBytesMax}`;
        throw transportError('LIMIT_EXCEEDED', text);
      }
      if (ending !== undefined) throw channelClosed('this side has ended the channel');
      await say('message', message);
    },
    close(code) {
      if (code !== undefined) return inner.close(code);
      // Where the channel is gone there is nobody to tell.
      ending ??= say('end', none)
        .catch(() => undefined)
        .then(() => inner.close());
      return ending;
    },
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (theyEnded) return ended;
        try {
          const result = await next();
          if (result.done !== true) return result;
        } catch (error) {
          drop();
          throw error;
        }
        drop();
        return ended;
      },
      return: () => Promise.resolve(ended),
    }),
  };
}

/** 4 bytes of kind, 8 of the number, big-endian. */
function nonceOf(kind: keyof typeof kinds, number: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, kinds[kind]);
  view.setBigUint64(4, BigInt(number));
  return nonce;
}

const none = new Uint8Array();
const ended = { done: true, value: undefined } as const;
