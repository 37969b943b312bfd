import {
  checkWithSecret,
  type CryptoProvider,
  fromUtf8,
  openWithSecret,
  PeerAiError,
  type Random,
  sealWithSecret,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { httpLimits } from './limits.ts';

/** A line of the first assistants' chat. */
export interface AssistantText {
  readonly text: string;
  readonly type: 'user' | 'bot' | 'handshake';
  readonly conversationId?: string;
  /** Only what a person wrote is answered by a model: that ends talk between two of them. */
  readonly userInitiated: boolean;
}
export interface OpenedEnvelope extends AssistantText {
  readonly from: string;
  /** 32 hex digits, the same whenever this envelope comes again. */
  readonly id: string;
}

/**
 * An envelope of `POST /inbox`: `encrypted`, or the older `message` with `hmac_sig`. Only the text is proven, and only that its writer has the secret.
 * An encrypted one is known again by its nonce; the older form has none, there the same text of the same sender counts as repeated.
 * Throws INVALID_FORMAT, MISSING_FIELDS, WRONG_RECIPIENT, DECRYPTION_FAILED, INVALID_SIGNATURE.
 */
export function openEnvelope(
  crypto: CryptoProvider,
  { self, secret }: { readonly self: string; readonly secret: string },
  body: Uint8Array,
): OpenedEnvelope {
  const fields = readFields(body);
  const from = needText(fields, 'from');
  if (needText(fields, 'to') !== self) throw new PeerAiError('WRONG_RECIPIENT', 'this message is for another peer');
  const type = fields['type'] ?? 'user';
  if (type !== 'user' && type !== 'bot' && type !== 'handshake') throw wrongField('type');
  const conversationId = fields['conversation_id'] ?? undefined;
  if (
    conversationId !== undefined &&
    (typeof conversationId !== 'string' || conversationId.length > httpLimits.envelopeNameCharsMax)
  ) {
    throw wrongField('conversation_id');
  }
  const { text, mark } = openText(crypto, secret, from, fields);
  return {
    from,
    text,
    type,
    userInitiated: fields['user_initiated'] === true,
    ...(conversationId === undefined ? {} : { conversationId }),
    id: toHex(crypto.sha256(utf8(mark)).subarray(0, 16)),
  };
}

function openText(
  crypto: CryptoProvider,
  secret: string,
  from: string,
  fields: Readonly<Record<string, unknown>>,
): { readonly text: string; readonly mark: string } {
  if (fields['encrypted'] !== undefined) {
    const { text, nonce } = openWithSecret(crypto, secret, needText(fields, 'encrypted', httpLimits.bodyBytesMax));
    return { text, mark: `encrypted ${nonce}` };
  }
  const text = needText(fields, 'message', httpLimits.bodyBytesMax);
  checkWithSecret(secret, text, needText(fields, 'hmac_sig'));
  return { text, mark: `signed ${from}\n${text}` };
}

/** The envelope's bytes for a peer. */
export function sealEnvelope(
  deps: { readonly crypto: CryptoProvider; readonly random: Random },
  {
    from,
    to,
    secret,
    sentMs,
  }: { readonly from: string; readonly to: string; readonly secret: string; readonly sentMs: number },
  { text, type, conversationId, userInitiated }: AssistantText,
): Uint8Array {
  const envelope = {
    from,
    to,
    type,
    encrypted: sealWithSecret(deps, secret, text),
    // As the first assistants write it: UTC, and no zone said.
    timestamp: new Date(sentMs).toISOString().replace('Z', ''),
    conversation_id: conversationId ?? null,
    user_initiated: userInitiated,
  };
  return utf8(JSON.stringify(envelope));
}

const wrongField = (field: string): PeerAiError =>
  new PeerAiError('INVALID_FORMAT', `${field} is not as it must be`, { field });

function readFields(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(fromUtf8(body)) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new PeerAiError('INVALID_FORMAT', 'not JSON', {}, { cause });
  }
  throw new PeerAiError('INVALID_FORMAT', 'not a JSON object');
}

function needText(
  fields: Readonly<Record<string, unknown>>,
  field: string,
  charsMax: number = httpLimits.envelopeNameCharsMax,
): string {
  const value = fields[field];
  if (value === undefined || value === null) {
    throw new PeerAiError('MISSING_FIELDS', `Missing required field: ${field}`, { field });
  }
  if (typeof value !== 'string' || value === '' || value.length > charsMax || !value.isWellFormed()) {
    throw wrongField(field);
  }
  return value;
}
