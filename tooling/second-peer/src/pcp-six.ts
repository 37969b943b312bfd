import { randomBytes } from 'node:crypto';
import { pythonNumber, pythonText } from './canonical.ts';
import { checkClock, checkRecipient, keyFor, objectOf, textOf } from './checks.ts';
import type { Receiver, Taken } from './checks.ts';
import { type Identity, verifies } from './identity.ts';
import { fromPlain, type Json, type JsonObject, NumberText, readJson } from './json.ts';
import { Refusal } from './refusal.ts';

/** What a message of profile pcp/1.0-six says. */
export interface SixMessage {
  readonly version: '0.3' | '1.0' | '1.1';
  readonly msg_type: string;
  readonly sender_id: string;
  readonly recipient_id?: string;
  readonly session_id?: string;
  readonly sequence_num?: number;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Both are made anew when they are not given. */
  readonly timestamp?: string;
  readonly nonce?: string;
}

const SIGNED = ['version', 'msg_type', 'sender_id', 'payload', 'timestamp', 'nonce'];
const VERSIONS = ['1.1', '1.0', '0.3'];
const CLOCK_MS = 60_000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)$/;

/** The bytes that a signature covers. */
export function sixSignedBytes(message: JsonObject): Buffer {
  const covered = new Map(SIGNED.map((field) => [field, message.get(field) ?? null]));
  return Buffer.from(pythonText(covered), 'utf8');
}

/** A signed message as ASCII text. */
export function writeSix(identity: Identity, said: SixMessage): string {
  const full = {
    timestamp: new Date().toISOString(),
    nonce: randomBytes(32).toString('hex'),
    ...said,
  };
  const message = objectOf(fromPlain(full, pythonNumber));
  message.set('signature', identity.sign(sixSignedBytes(message)).toString('base64'));
  return pythonText(message);
}

/** Reads and judges a message, in the order of the checks of docs/protocol/pcp.md. */
export function readSix(text: string, receiver: Receiver): Taken {
  const message = objectOf(readJson(text));
  const version = textOf(message, 'version', /^/);
  if (!VERSIONS.includes(version)) {
    throw new Refusal('INVALID_VERSION', 'this version is not spoken', { supported: VERSIONS });
  }
  const kind = textOf(message, 'msg_type', /^[a-z][a-z0-9_.-]{0,63}$/);
  const sender = textOf(message, 'sender_id', /^.{1,256}$/su);
  const recipient = message.get('recipient_id') ?? undefined;
  const nonce = nonceOf(textOf(message, 'nonce', /^/));
  const payload = objectOf(message.get('payload') ?? missing('payload'));
  const signature = signatureOf(textOf(message, 'signature', /^/));
  if (version !== '0.3' && !kind.startsWith('handshake')) {
    textOf(message, 'session_id', /^.{1,256}$/su);
    const sequence = message.get('sequence_num') ?? missing('sequence_num');
    if (!(sequence instanceof NumberText) || !/^\d+$/.test(sequence.text)) {
      throw new Refusal('INVALID_FORMAT', 'sequence_num has another form');
    }
  }
  const timeMs = timeOf(message);
  checkRecipient(receiver, recipient === undefined ? undefined : textOf(message, 'recipient_id', /^/));
  checkClock(timeMs, receiver.nowMs, CLOCK_MS);
  const key = keyFor(receiver, sender);
  const mark = `pcp/1.0-six ${key.toString('hex')} ${nonce.toString('hex')}`;
  if (receiver.seen.has(mark)) throw new Refusal('REPLAY_DETECTED', 'this message was here');
  if (!verifies(key, sixSignedBytes(message), signature)) {
    throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
  }
  receiver.seen.add(mark);
  return { kind, sender, payload };
}

function missing(field: string): never {
  throw new Refusal('MISSING_FIELDS', `Missing required field: ${field}`, { field });
}

function timeOf(message: JsonObject): number {
  const time: Json | undefined = message.get('timestamp');
  if (time instanceof NumberText) return Number(time.text) * 1000;
  return Date.parse(textOf(message, 'timestamp', TIME));
}

function nonceOf(text: string): Buffer {
  if (/^([0-9a-fA-F]{2}){16,64}$/.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]{22,88}={0,2}$/.test(text) && text.length <= 88) {
    return Buffer.from(text, 'base64');
  }
  throw new Refusal('INVALID_FORMAT', 'nonce has another form');
}

function signatureOf(text: string): Buffer {
  if (/^[0-9a-fA-F]{128}$/.test(text)) return Buffer.from(text, 'hex');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 64 && bytes.toString('base64') === text) return bytes;
  throw new Refusal('INVALID_FORMAT', 'signature is 88 characters of base64 or 128 hex digits');
}
