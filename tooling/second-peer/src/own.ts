import { randomBytes } from 'node:crypto';
import { rfc8785 } from './canonical.ts';
import { checkClock, checkRecipient, objectOf, textOf } from './checks.ts';
import type { Receiver, Taken } from './checks.ts';
import { type Identity, verifies } from './identity.ts';
import { fromPlain, type Json, type JsonObject, NumberText, readJson } from './json.ts';
import { keyOfPeerId, peerIdOf } from './peer-id.ts';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** What a message of our own profile says. */
export interface OwnMessage {
  readonly kind: string;
  /** Peer id. */
  readonly recipient: string;
  readonly sequence: number;
  readonly payload: unknown;
  /** 16 bytes in hex. */
  readonly session?: string;
  /** Both are made anew when they are not given. */
  readonly timestampMs?: number;
  /** 32 bytes in hex. */
  readonly nonce?: string;
}

const JSON_TAG = Buffer.from('peerai/message/1/json\0', 'utf8');
const PROTOBUF_TAG = Buffer.from('peerai/message/1/protobuf\0', 'utf8');
const CLOCK_MS = 60_000;
const NAMES = new Set(
  'version kind sender recipient session sequence timestampMs nonce aead payload signature'.split(' '),
);

/** The bytes that the signature of the JSON form covers. */
export function ownSignedBytes(message: JsonObject): Buffer {
  const covered = new Map([...message].filter(([field]) => field !== 'signature'));
  return Buffer.concat([JSON_TAG, Buffer.from(rfc8785(covered), 'utf8')]);
}

/** A signed message in the JSON form. */
export function writeOwn(identity: Identity, said: OwnMessage): string {
  const full = {
    version: 1,
    sender: identity.peerId,
    timestampMs: Date.now(),
    nonce: randomBytes(32).toString('hex'),
    ...said,
  };
  const message = objectOf(fromPlain(full));
  message.set('signature', identity.sign(ownSignedBytes(message)).toString('base64url'));
  return rfc8785(message);
}

/** Reads and judges a message in the JSON form, in the order of the checks of docs/protocol/messages.md. */
export function readOwn(text: string, receiver: Receiver): Taken {
  const message = objectOf(readJson(text));
  const unknown = [...message.keys()].find((field) => !NAMES.has(field));
  if (unknown !== undefined) throw new Refusal('INVALID_FORMAT', `${unknown} is no field`);
  if (wholeOf(message, 'version') !== 1) {
    throw new Refusal('INVALID_VERSION', 'this version is not spoken', { supported: [1] });
  }
  const kind = textOf(message, 'kind', /^[^]{1,64}$/u);
  const sender = textOf(message, 'sender', /^/);
  const nonce = textOf(message, 'nonce', /^[0-9a-f]{64}$/);
  const signature = textOf(message, 'signature', /^[A-Za-z0-9_-]{86}$/);
  const timeMs = wholeOf(message, 'timestampMs');
  wholeOf(message, 'sequence');
  const key = keyOfPeerId(sender);
  const payload = message.get('payload');
  if (payload === undefined) throw new Refusal('INVALID_FORMAT', 'payload is not there');
  if (message.has('aead')) throw new Refusal('KEY_REFUSED', 'there is no key for a sealed payload');
  checkRecipient(receiver, textOf(message, 'recipient', /^/));
  checkClock(timeMs, receiver.nowMs, CLOCK_MS);
  if (!verifies(key, ownSignedBytes(message), Buffer.from(signature, 'base64url'))) {
    throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
  }
  remember(receiver, sender, nonce);
  return { kind, sender, payload };
}

/** A signed message in the protobuf form. */
export function writeOwnProtobuf(identity: Identity, said: OwnMessage): Buffer {
  const body = writeFields([
    [1, 1n],
    [2, Buffer.from(said.kind, 'utf8')],
    [3, identity.publicKey],
    [4, keyOfPeerId(said.recipient)],
    ...(said.session === undefined ? [] : [[5, Buffer.from(said.session, 'hex')] as const]),
    [6, BigInt(said.sequence)],
    [7, BigInt(said.timestampMs ?? Date.now())],
    [8, said.nonce === undefined ? randomBytes(32) : Buffer.from(said.nonce, 'hex')],
    [10, Buffer.from(JSON.stringify(said.payload), 'utf8')],
  ]);
  return writeFields([
    [1, body],
    [2, identity.sign(Buffer.concat([PROTOBUF_TAG, body]))],
  ]);
}

/** Reads a message in the protobuf form and checks who signed it; clock, recipient and replay as in the JSON form. */
export function readOwnProtobuf(bytes: Buffer, receiver: Receiver): Taken {
  const envelope = readFields(bytes);
  const body = bytesOf(envelope, 1);
  const fields = readFields(body);
  if (numberOf(fields, 1) !== 1n) throw new Refusal('INVALID_VERSION', 'this version is not spoken');
  const sender = bytesOf(fields, 3);
  checkRecipient(receiver, peerIdOf(bytesOf(fields, 4)));
  checkClock(Number(numberOf(fields, 7)), receiver.nowMs, CLOCK_MS);
  if (!verifies(sender, Buffer.concat([PROTOBUF_TAG, body]), bytesOf(envelope, 2))) {
    throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
  }
  const payload: Json = readJson(bytesOf(fields, 10).toString('utf8'));
  remember(receiver, peerIdOf(sender), bytesOf(fields, 8).toString('hex'));
  return { kind: bytesOf(fields, 2).toString('utf8'), sender: peerIdOf(sender), payload };
}

function remember(receiver: Receiver, sender: string, nonce: string): void {
  const mark = `peerai/1 ${sender} ${nonce}`;
  if (receiver.seen.has(mark)) throw new Refusal('REPLAY_DETECTED', 'this message was here');
  receiver.seen.add(mark);
}

function wholeOf(message: JsonObject, field: string): number {
  const value = message.get(field);
  const number = value instanceof NumberText && /^\d+$/.test(value.text) ? Number(value.text) : -1;
  if (number >= 0 && Number.isSafeInteger(number)) return number;
  throw new Refusal('INVALID_FORMAT', `${field} is a whole number`);
}
