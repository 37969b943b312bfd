import { type Aead, concatBytes, type CryptoProvider, PeerAiError, utf8 } from '@peerai/core-protocol';
import { channelClosed } from '../errors.ts';
import { limits } from './limits.ts';

/** The keys of one channel as one side uses them, 32 bytes each. Whoever drops them overwrites them. */
export interface ChannelKeys {
  readonly aead: Aead;
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}
/** What the opener of a sealed channel says in clear, before all else. */
export interface Head {
  /** The exchange's id, 16 bytes. */
  readonly exchange: Uint8Array;
  /** Counts the channels that this side opened under that exchange, from 1. */
  readonly number: number;
}
/** What both ends of one link have after an exchange. */
export interface LinkSecret {
  readonly exchange: Uint8Array;
  /** Keys for a channel opened here, with its head. Throws CHANNEL_CLOSED when the link has ended. */
  open(protocolId: string): { readonly head: Uint8Array; readonly keys: ChannelKeys };
  /** Keys for a channel opened there; each number once. Throws REPLAY_DETECTED, CHANNEL_CLOSED. */
  answer(protocolId: string, number: number): ChannelKeys;
  /** Overwrites the secret. Safe to call twice. */
  erase(): void;
}

const channelInfo = 'peerai/link/1/channel\0';
/** Who opened the channel: whoever began the exchange, or whoever answered it. */
const openers = { initiator: 1, responder: 2 } as const;

export function createLinkSecret(
  crypto: CryptoProvider,
  made: {
    readonly exchange: Uint8Array;
    readonly initiator: boolean;
    readonly aead: Aead;
    /** 32 bytes, from here on this object's own. */
    readonly secret: Uint8Array;
  },
): LinkSecret {
  const { exchange, aead, secret } = made;
  const [own, other] = made.initiator ? (['initiator', 'responder'] as const) : (['responder', 'initiator'] as const);
  const heard = createNumbers();
  let opened = 0;
  let erased = false;

  /** The opener's key, then the answerer's. */
  function keysOf(opener: keyof typeof openers, number: number, protocolId: string): readonly [Uint8Array, Uint8Array] {
    if (erased) throw channelClosed('the link of this channel is gone');
    const salt = concatBytes(Uint8Array.of(openers[opener]), numberBytes(number));
    const both = crypto.hkdfSha256(secret, salt, utf8(channelInfo + protocolId), 64);
    const keys = [both.slice(0, 32), both.slice(32)] as const;
    both.fill(0);
    return keys;
  }

  return {
    exchange,
    open(protocolId) {
      opened += 1;
      const [send, receive] = keysOf(own, opened, protocolId);
      return { head: concatBytes(exchange, numberBytes(opened)), keys: { aead, send, receive } };
    },
    answer(protocolId, number) {
      const [receive, send] = keysOf(other, number, protocolId);
      heard.take(number);
      return { aead, send, receive };
    },
    erase() {
      erased = true;
      secret.fill(0);
    },
  };
}

/** Throws INVALID_FORMAT. */
export function readHead(bytes: Uint8Array): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = bytes.length === limits.headBytes ? Number(view.getBigUint64(limits.headBytes - 8)) : 0;
  if (number < 1 || !Number.isSafeInteger(number)) {
    throw new PeerAiError('INVALID_FORMAT', 'a sealed channel begins with an exchange and a number');
  }
  return { exchange: bytes.slice(0, limits.headBytes - 8), number };
}

/** Big-endian, 8 bytes. */
export function numberBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

/** Takes each number once; what is too old to tell is refused. */
function createNumbers(): { take(number: number): void } {
  let taken = new Set<number>();
  let highest = 0;
  return {
    take(number) {
      if (number <= highest - limits.numbersKept || taken.has(number)) {
        throw new PeerAiError('REPLAY_DETECTED', 'a channel with this number has been here, or is too old to tell');
      }
      taken.add(number);
      highest = Math.max(highest, number);
      if (taken.size > 2 * limits.numbersKept) {
        taken = new Set([...taken].filter((one) => one > highest - limits.numbersKept));
      }
    },
  };
}
