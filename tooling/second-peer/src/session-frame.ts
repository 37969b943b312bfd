import { createCipheriv, createDecipheriv } from 'node:crypto';
import { hkdf } from './curve.ts';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';
import type { SessionKeys } from './session.ts';

const TAG = Buffer.from('peerai/session-frame/1\0');
const EPOCHS_AHEAD_MAX = 4;

/** One direction of a session: the keys that its frames are sealed with. */
export interface Direction {
  readonly keys: SessionKeys;
  readonly from: 'initiator' | 'responder';
  /** 32 bytes each. */
  readonly sender: Buffer;
  readonly recipient: Buffer;
}
export interface SessionFrame {
  readonly sequence: number;
  readonly epoch: number;
  readonly kind: string;
  readonly timestampMs: number;
  readonly payload: Buffer;
}

/** Seals one frame. */
export function sealFrame(way: Direction, frame: SessionFrame): Buffer {
  const header = writeFields([
    [1, 1n],
    [2, way.keys.session],
    [3, way.sender],
    [4, way.recipient],
    [5, BigInt(frame.sequence)],
    [6, Buffer.from(frame.kind)],
    [7, BigInt(frame.timestampMs)],
    // The epoch is written also where it is 0, as every field here.
    [8, BigInt(frame.epoch)],
  ]);
  const cipher = createCipheriv(nameOf(way), keyOf(way, frame.epoch), nonceOf(way, frame.sequence), {
    authTagLength: 16,
  } as never) as ReturnType<typeof createCipheriv> & { getAuthTag(): Buffer; setAAD(bytes: Buffer): void };
  cipher.setAAD(Buffer.concat([TAG, header]));
  const sealed = Buffer.concat([cipher.update(frame.payload), cipher.final(), cipher.getAuthTag()]);
  return writeFields([
    [1, header],
    [2, sealed],
  ]);
}

/** Opens one frame; which sequences were here is the caller's to know. Throws a Refusal. */
export function openFrame(way: Direction, bytes: Buffer): SessionFrame {
  const outer = readFields(bytes);
  const header = bytesOf(outer, 1);
  const sealed = bytesOf(outer, 2);
  const fields = readFields(header);
  if (numberOf(fields, 1) !== 1n) throw new Refusal('INVALID_VERSION', 'another version');
  if (!bytesOf(fields, 2).equals(way.keys.session)) throw new Refusal('WRONG_SESSION', 'another session');
  if (!bytesOf(fields, 4).equals(way.recipient)) throw new Refusal('WRONG_RECIPIENT', 'for somebody else');
  if (!bytesOf(fields, 3).equals(way.sender)) throw new Refusal('UNKNOWN_SENDER', 'of somebody else');
  const sequence = Number(numberOf(fields, 5));
  const epoch = Number(numberOf(fields, 8));
  if (epoch > EPOCHS_AHEAD_MAX) throw new Refusal('DECRYPTION_FAILED', 'too many epochs ahead');
  const cipher = createDecipheriv(nameOf(way), keyOf(way, epoch), nonceOf(way, sequence), {
    authTagLength: 16,
  } as never) as ReturnType<typeof createDecipheriv> & { setAuthTag(tag: Buffer): void; setAAD(bytes: Buffer): void };
  cipher.setAAD(Buffer.concat([TAG, header]));
  cipher.setAuthTag(sealed.subarray(-16));
  try {
    const payload = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    const kind = bytesOf(fields, 6).toString('utf8');
    return { sequence, epoch, kind, timestampMs: Number(numberOf(fields, 7)), payload };
  } catch {
    throw new Refusal('DECRYPTION_FAILED', 'the seal does not hold');
  }
}

const nameOf = ({ keys }: Direction): string => keys.suite;

function keyOf({ keys, from }: Direction, epoch: number): Buffer {
  let chain = from === 'initiator' ? keys.initiatorChain : keys.responderChain;
  let both: Buffer = Buffer.alloc(0);
  for (let at = 0; at <= epoch; at += 1) {
    both = hkdf(chain, Buffer.alloc(0), 'peerai/session/1/ratchet', 64);
    chain = both.subarray(32);
  }
  return both.subarray(0, 32);
}

function nonceOf({ from }: Direction, sequence: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(from === 'initiator' ? 1 : 2, 0);
  nonce.writeBigUInt64BE(BigInt(sequence), 4);
  return nonce;
}
