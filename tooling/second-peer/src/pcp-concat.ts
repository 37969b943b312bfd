import { randomBytes } from 'node:crypto';
import { pythonNumber, pythonText } from './canonical.ts';
import { checkClock, checkRecipient, keyFor, objectOf, textOf } from './checks.ts';
import type { Receiver, Taken } from './checks.ts';
import { type Identity, verifies } from './identity.ts';
import { fromPlain, type JsonObject, readJson } from './json.ts';
import { Refusal } from './refusal.ts';

/** What a message of profile pcp/0.1 says. */
export interface ConcatMessage {
  readonly msg_type: string;
  readonly sender_id: string;
  readonly recipient_id: string;
  /** Any JSON; it travels as base64. */
  readonly data: unknown;
  /** Both are made anew when they are not given. */
  readonly timestamp?: string;
  readonly nonce?: string;
}

const HEAD = ['version', 'msg_type', 'sender_id', 'recipient_id', 'timestamp', 'nonce'];
const CLOCK_MS = 299_999;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)$/;

/** The bytes that a signature covers: the fields one behind the other. */
export function concatSignedBytes(message: JsonObject): Buffer {
  const payload = objectOf(message.get('payload') ?? null);
  const texts = [...HEAD.map((field) => message.get(field)), payload.get('data')];
  return Buffer.from(texts.map(String).join(''), 'utf8');
}

/** A signed message as ASCII text. */
export function writeConcat(identity: Identity, said: ConcatMessage): string {
  const { data, ...head } = said;
  const text = pythonText(fromPlain(data, pythonNumber));
  const message = objectOf(
    fromPlain({
      version: '0.1',
      timestamp: new Date().toISOString(),
      nonce: randomBytes(16).toString('hex'),
      ...head,
      payload: { data: Buffer.from(text, 'utf8').toString('base64') },
    }),
  );
  message.set('signature', identity.sign(concatSignedBytes(message)).toString('hex'));
  return pythonText(message);
}

/** Reads and judges a message, in the order of the checks of docs/protocol/pcp.md. */
export function readConcat(text: string, receiver: Receiver): Taken {
  const message = objectOf(readJson(text));
  if (textOf(message, 'version', /^/) !== '0.1') {
    throw new Refusal('INVALID_VERSION', 'this version is not spoken here', { supported: ['0.1'] });
  }
  const kind = textOf(message, 'msg_type', /^[a-z][a-z0-9_.-]{0,63}$/);
  const sender = textOf(message, 'sender_id', /^.{1,256}$/su);
  const recipient = textOf(message, 'recipient_id', /^.{1,256}$/su);
  const timeMs = Date.parse(textOf(message, 'timestamp', TIME));
  const nonce = textOf(message, 'nonce', /^[0-9a-fA-F]{32}$/);
  const signature = Buffer.from(textOf(message, 'signature', /^[0-9a-fA-F]{128}$/), 'hex');
  const inner = objectOf(message.get('payload') ?? null);
  const data = textOf(inner, 'data', /^[A-Za-z0-9+/]*={0,2}$/);
  checkRecipient(receiver, recipient);
  checkClock(timeMs, receiver.nowMs, CLOCK_MS);
  const key = keyFor(receiver, sender);
  const mark = `pcp/0.1 ${key.toString('hex')} ${nonce.toLowerCase()}`;
  if (receiver.seen.has(mark)) throw new Refusal('REPLAY_DETECTED', 'this message was here');
  if (!verifies(key, concatSignedBytes(message), signature)) {
    throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
  }
  receiver.seen.add(mark);
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) {
    throw new Refusal('INVALID_FORMAT', 'data is padded base64');
  }
  return { kind, sender, payload: readJson(bytes.toString('utf8')) };
}
