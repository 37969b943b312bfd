import { randomBytes } from 'node:crypto';
import type { Receiver } from './checks.ts';
import type { Identity } from './identity.ts';
import { plain } from './json.ts';
import { type OwnMessage, readOwnProtobuf, writeOwnProtobuf } from './own.ts';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';

/** What a message's payload holds when it is a letter (docs/protocol/message-delivery.md). */
export interface Letter {
  /** 32 hex digits, the same in every attempt. */
  readonly id: string;
  readonly sentMs: number;
  readonly expiresMs: number;
  readonly content: unknown;
}

const LIFE_MS = 60_000;

/** A letter with an id of its own. */
export function letterOf(content: unknown, nowMs = Date.now(), lifeMs = LIFE_MS): Letter {
  return { id: randomBytes(16).toString('hex'), sentMs: nowMs, expiresMs: nowMs + lifeMs, content };
}

/** One attempt as a message: signed anew each time. */
export function messageOf(kind: string, recipient: string, letter: Letter): OwnMessage {
  return { kind, recipient, sequence: 1, payload: letter };
}

/** The request of `/peerai/message/1`. */
export function writeDelivery(identity: Identity, message: OwnMessage): Buffer {
  return writeFields([[1, writeOwnProtobuf(identity, message)]]);
}

/** The letter of a request. Throws a Refusal when its message does not hold. */
export function readDelivery(request: Buffer, receiver: Receiver): { kind: string; sender: string; letter: Letter } {
  const { kind, sender, payload } = readOwnProtobuf(bytesOf(readFields(request), 1), receiver);
  return { kind, sender, letter: plain(payload) as Letter };
}

/** What the receiver made of it. */
export function readOutcome(answer: Buffer): { readonly outcome: 'taken' | 'refused'; readonly code: string } {
  const fields = readFields(answer);
  const code = fields.some(([number]) => number === 2) ? bytesOf(fields, 2).toString('utf8') : '';
  return { outcome: numberOf(fields, 1) === 1n ? 'taken' : 'refused', code };
}

/** The answer for a letter that was taken. */
export function taken(): Buffer {
  return writeFields([[1, 1n]]);
}
