import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type MessageForm,
  openMessage,
  type Opened,
  PeerAiError,
  type PeerId,
  type Random,
  type ReplayWindow,
  sealMessage,
} from '@peerai/core-protocol';
import { limits } from './limits.ts';
import type { OutRow } from './rows.ts';

/** A message that was opened, and until when its sender may bring it again. */
export interface Letter extends Opened {
  readonly expiresMs: number;
}
export interface SealDeps {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly random: Random;
  readonly clock: Clock;
}

/** What a SecureMessage's signature covers: everything. */
const proven: ReadonlySet<string> = new Set([
  'version',
  'kind',
  'sender',
  'recipient',
  'sequence',
  'timestampMs',
  'nonce',
  'payload',
]);

/**
 * One attempt's message: core-protocol's SecureMessage, signed now; in the protobuf form over links, in JSON over HTTP. Its payload is `{id, sentMs, expiresMs, content}`: the id
 * stays the same through all attempts, that is how the receiver knows it. Throws INVALID_FORMAT, LIMIT_EXCEEDED.
 */
export function sealLetter(
  deps: SealDeps,
  to: PeerId,
  { id, kind, content, sentMs, expiresMs }: OutRow,
  form: MessageForm = 'protobuf',
): Uint8Array {
  const payload = { id, sentMs, expiresMs, content: JSON.parse(content) as unknown };
  return sealMessage(deps, { kind, recipient: to, sequence: 0, payload }, { form });
}

/**
 * Throws what `openMessage` throws (the clock rule holds: the time is the attempt's), WRONG_RECIPIENT when somebody else brings it,
 * INVALID_FORMAT, EXPIRED, LIMIT_EXCEEDED (its life is too long).
 */
export function openLetter(
  deps: {
    readonly crypto: CryptoProvider;
    readonly clock: Clock;
    readonly replay: ReplayWindow;
    readonly self: PeerId;
  },
  bytes: Uint8Array,
  from: PeerId,
): Letter {
  const { sender, kind, payload } = openMessage(deps, bytes, { self: deps.self, form: 'protobuf' });
  if (sender !== from) throw new PeerAiError('WRONG_RECIPIENT', 'a message is brought by its own sender here');
  return letterOf(deps.clock, { sender, kind, payload });
}

/** A letter out of a message that was opened. Throws INVALID_FORMAT, EXPIRED, LIMIT_EXCEEDED. */
export function letterOf(
  clock: Pick<Clock, 'nowMs'>,
  { sender, kind, payload }: Pick<Opened, 'sender' | 'kind' | 'payload'>,
): Letter {
  const { id, sentMs, expiresMs, content } = readPayload(payload);
  if (expiresMs - sentMs > limits.lifeMsMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the message would live too long');
  if (expiresMs < clock.nowMs()) throw new PeerAiError('EXPIRED', 'the message has expired');
  return { id, sender, kind, payload: content, sentMs, expiresMs, proven };
}

function readPayload(payload: unknown): Pick<OutRow, 'id' | 'sentMs' | 'expiresMs'> & { readonly content: unknown } {
  const fields = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>;
  const { id, sentMs, expiresMs, content } = fields as { readonly [name in string]: unknown } & {
    readonly id: unknown;
  };
  const isWhole = typeof id === 'string' && /^[0-9a-f]{32}$/u.test(id) && isTime(sentMs) && isTime(expiresMs);
  if (!isWhole || content === undefined) throw new PeerAiError('INVALID_FORMAT', 'the payload is not a letter');
  return { id, sentMs, expiresMs, content };
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
