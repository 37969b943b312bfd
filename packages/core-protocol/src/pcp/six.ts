import { toHex, utf8 } from '../bytes.ts';
import { missingField, wrongField } from './errors.ts';
import {
  encodeBase64,
  need,
  needKind,
  needNonce,
  needSignature,
  needText,
  needTimestamp,
  optionalCount,
  optionalText,
} from './legacy-fields.ts';
import { pcpLimits } from './limits.ts';
import type { LegacyReader, PcpSealDeps } from './profile.ts';
import { sealLegacy } from './seal-legacy.ts';
import { plainJson, type RawObject, writeAsciiJson } from './raw-json.ts';

/** pcp/1.0-six signs these and nothing else: who it is for and where it stands in a session anybody on the way may change. */
export const sixProven: ReadonlySet<string> = new Set(['version', 'kind', 'sender', 'payload', 'timestampMs', 'nonce']);
const signedNames = ['version', 'msg_type', 'sender_id', 'payload', 'timestamp', 'nonce'] as const;

/** One JSON object of the six fields, written as Python writes it: compact, keys by code point at every level, ASCII only. */
export function sixSignedBytes(message: RawObject): Uint8Array {
  return utf8(writeAsciiJson(new Map(signedNames.map((name) => [name, need(message, name)]))));
}

export const readSix: LegacyReader = (message) => {
  const version = needText(message, 'version', 8);
  const kind = needKind(message);
  const payload = need(message, 'payload');
  if (!(payload instanceof Map)) throw wrongField('payload');
  const [recipientId, sessionId] = ['recipient_id', 'session_id'].map((field) =>
    optionalText(message, field, pcpLimits.entityIdBytesMax),
  );
  const sequence = optionalCount(message, 'sequence_num');
  // The reference asks for both from version 1.0 on. A handshake brings the new session's id inside.
  if (version !== '0.3' && !kind.startsWith('handshake')) {
    if (sessionId === undefined) throw missingField('session_id');
    if (sequence === undefined) throw missingField('sequence_num');
  }
  return {
    profile: 'pcp/1.0-six',
    version,
    kind,
    senderId: needText(message, 'sender_id', pcpLimits.entityIdBytesMax),
    ...(recipientId === undefined ? {} : { recipientId }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(sequence === undefined ? {} : { sequence }),
    timestampMs: needTimestamp(message),
    nonce: needNonce(message),
    payload: plainJson(payload),
    signature: needSignature(message, ['base64', 'hex']),
    signed: sixSignedBytes(message),
  };
};

export interface SixDraft {
  readonly version?: '0.3' | '1.0';
  readonly kind: string;
  readonly senderId: string;
  readonly recipientId?: string;
  readonly sessionId?: string;
  readonly sequence?: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * A message for a peer of versions 0.3 and 1.0, its signature in base64, its numbers as Python writes them back. The body is ASCII.
 * Throws INVALID_FORMAT, MISSING_FIELDS, LIMIT_EXCEEDED: nothing leaves that `openPcp` would not read.
 */
export function sealSix(deps: PcpSealDeps, draft: SixDraft): Uint8Array {
  const fields = new Map<string, unknown>([
    ['version', draft.version ?? '1.0'],
    ['msg_type', draft.kind],
    ['sender_id', draft.senderId],
    ['recipient_id', draft.recipientId],
    ['session_id', draft.sessionId],
    ['sequence_num', draft.sequence],
    ['timestamp', new Date(deps.clock.nowMs()).toISOString()],
    ['nonce', toHex(deps.random.bytes(32))],
    ['payload', draft.payload],
  ]);
  return sealLegacy(readSix, fields, (signed) => encodeBase64(deps.identity.sign(signed)));
}
