import { toHex, utf8 } from '../bytes.ts';
import { wrongField } from './errors.ts';
import { decodeBase64, encodeBase64, need, needKind, needSignature, needText, needTimestamp } from './legacy-fields.ts';
import { pcpLimits } from './limits.ts';
import type { LegacyReader, PcpSealDeps } from './profile.ts';
import { plainJson, type RawObject, readRawJson, writeAsciiJson } from './raw-json.ts';
import { sealLegacy } from './seal-legacy.ts';
import { limits } from '../limits.ts';

export const concatProven: ReadonlySet<string> = new Set([
  'version',
  'kind',
  'sender',
  'recipient',
  'timestampMs',
  'nonce',
  'payload',
]);
const orderedNames = ['version', 'msg_type', 'sender_id', 'recipient_id', 'timestamp', 'nonce'] as const;

/**
 * pcp/0.1 signs its fields written one behind the other. Their borders are not signed; they are certain here all the same, because version
 * and recipient are known, the sender is the one whose key fits, and the last three have a form of their own.
 */
export function concatSignedBytes(message: RawObject): Uint8Array {
  const fields = orderedNames.map((name) => needText(message, name, pcpLimits.entityIdBytesMax));
  return utf8(fields.join('') + dataOf(message));
}

/** `{data}` with the payload's JSON in base64; other members are not signed and not read. */
function dataOf(message: RawObject): string {
  const payload = need(message, 'payload');
  if (!(payload instanceof Map)) throw wrongField('payload');
  return needText(payload, 'data', limits.messageBytesMax);
}

export const readConcat: LegacyReader = (message) => {
  const nonce = needText(message, 'nonce', 32);
  if (!/^[0-9a-fA-F]{32}$/.test(nonce)) throw wrongField('nonce');
  if (typeof need(message, 'timestamp') !== 'string') throw wrongField('timestamp');
  return {
    profile: 'pcp/0.1',
    version: needText(message, 'version', 8),
    kind: needKind(message),
    senderId: needText(message, 'sender_id', pcpLimits.entityIdBytesMax),
    recipientId: needText(message, 'recipient_id', pcpLimits.entityIdBytesMax),
    timestampMs: needTimestamp(message),
    nonce,
    payload: plainJson(readRawJson(decodeBase64('payload.data', dataOf(message)))),
    signature: needSignature(message, ['hex']),
    signed: concatSignedBytes(message),
  };
};

export interface ConcatDraft {
  readonly kind: string;
  readonly senderId: string;
  readonly recipientId: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A message for a peer of version 0.1, its signature in hex. Throws INVALID_FORMAT, MISSING_FIELDS, LIMIT_EXCEEDED. */
export function sealConcat(deps: PcpSealDeps, draft: ConcatDraft): Uint8Array {
  const fields = new Map<string, unknown>([
    ['version', '0.1'],
    ['msg_type', draft.kind],
    ['sender_id', draft.senderId],
    ['recipient_id', draft.recipientId],
    ['timestamp', new Date(deps.clock.nowMs()).toISOString()],
    ['nonce', toHex(deps.random.bytes(16))],
    ['payload', { data: encodeBase64(utf8(writeAsciiJson(draft.payload))) }],
  ]);
  return sealLegacy(readConcat, fields, (signed) => toHex(deps.identity.sign(signed)));
}
