import { PeerAiError } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import { publicKeyFromPeerId } from '../identity/peer-id.ts';
import { limits } from '../limits.ts';
import type { AeadName, Clock, CryptoProvider, PeerId, Random } from '../ports/index.ts';
import { jsonForm } from './json-form.ts';
import { checkHeader, type Form, type Header, type SecureMessage } from './message.ts';
import { protobufForm } from './protobuf-form.ts';
import type { ReplayWindow } from './replay.ts';
import { canonicalJson, readStrictJson } from './strict-json.ts';

export type MessageForm = 'json' | 'protobuf';
/** 32 bytes that both sides hold. */
export interface MessageKey {
  readonly aead: AeadName;
  readonly key: Uint8Array;
}
export interface MessageDraft {
  readonly kind: string;
  readonly recipient: PeerId;
  readonly session?: Uint8Array;
  readonly sequence: number;
  /** JSON. */
  readonly payload: unknown;
}

const forms: Readonly<Record<MessageForm, Form>> = { json: jsonForm, protobuf: protobufForm };

/**
 * The message signed, and with a `key` its payload sealed: the AEAD's nonce is the first 12 of the message's 32 random bytes, its
 * associated data the whole header. 2^32 messages a key at most (NIST SP 800-38D, random nonces).
 *
 * Throws INVALID_FORMAT (payload is no strict JSON, a field is out of bounds), LIMIT_EXCEEDED, KEY_REFUSED.
 */
export function sealMessage(
  deps: {
    readonly crypto: CryptoProvider;
    readonly identity: Identity;
    readonly random: Random;
    readonly clock: Clock;
  },
  draft: MessageDraft,
  options: { readonly form: MessageForm; readonly key?: MessageKey },
): Uint8Array {
  const { kind, recipient, session, sequence, payload } = draft;
  const form = forms[options.form];
  const header: Header = checkHeader({
    version: 1,
    kind,
    sender: deps.identity.peer,
    recipient,
    ...(session === undefined ? {} : { session }),
    sequence,
    timestampMs: deps.clock.nowMs(),
    nonce: deps.random.bytes(32),
    ...(options.key === undefined ? {} : { aead: options.key.aead }),
  });
  const plain = canonicalJson(payload);
  const { key } = options;
  const content =
    key === undefined
      ? plain
      : deps.crypto.aead[key.aead].seal(key.key, header.nonce.subarray(0, 12), plain, form.bind(header));
  const sealed = form.write(header, content, (signed) => deps.identity.sign(signed));
  checkSize(sealed);
  return sealed;
}

/**
 * The message, after every check in this order: size, form, version, recipient, clock, signature, seal, replay.
 *
 * Throws LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_VERSION (`details.supported`), WRONG_RECIPIENT, CLOCK_SKEW, INVALID_SIGNATURE,
 * KEY_REFUSED (sealed and no fitting key, or a key and not sealed), DECRYPTION_FAILED, REPLAY_DETECTED.
 */
export function openMessage(
  deps: { readonly crypto: CryptoProvider; readonly clock: Clock; readonly replay: ReplayWindow },
  bytes: Uint8Array,
  options: { readonly self: PeerId; readonly form: MessageForm; readonly key?: MessageKey },
): SecureMessage {
  checkSize(bytes);
  const form = forms[options.form];
  const { header, content, signed, signature } = form.read(bytes);
  const nowMs = deps.clock.nowMs();
  if (header.recipient !== options.self) throw new PeerAiError('WRONG_RECIPIENT', 'this message is for another peer');
  if (Math.abs(nowMs - header.timestampMs) > limits.clockSkewMsMax) {
    throw new PeerAiError('CLOCK_SKEW', 'the message’s time and our clock are too far apart', {
      aheadMs: header.timestampMs - nowMs,
    });
  }
  if (!deps.crypto.ed25519.verify(signature, signed, publicKeyFromPeerId(header.sender))) {
    throw new PeerAiError('INVALID_SIGNATURE', 'the signature does not fit this message and its sender');
  }
  const plain = unseal(deps.crypto, form, header, content, options.key);
  const { aead: _, version: __, ...fields } = header;
  const message: SecureMessage = { version: 1, ...fields, payload: readStrictJson(plain) };
  deps.replay.accept(header.sender, header.nonce, header.timestampMs, nowMs);
  return message;
}

function unseal(
  crypto: CryptoProvider,
  form: Form,
  header: Header,
  content: Uint8Array,
  key: MessageKey | undefined,
): Uint8Array {
  if (key === undefined && header.aead === undefined) return content;
  if (key === undefined) throw new PeerAiError('KEY_REFUSED', 'this message is sealed and there is no key for it');
  if (header.aead !== key.aead) throw new PeerAiError('KEY_REFUSED', `this message is not sealed with ${key.aead}`);
  return crypto.aead[key.aead].open(key.key, header.nonce.subarray(0, 12), content, form.bind(header));
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= limits.messageBytesMax) return;
  throw new PeerAiError('LIMIT_EXCEEDED', `a message of ${bytes.length} bytes; at most ${limits.messageBytesMax}`);
}
