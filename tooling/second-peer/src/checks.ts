import type { Json, JsonObject } from './json.ts';
import { Refusal } from './refusal.ts';

/** What a receiver knows when it judges a message. */
export interface Receiver {
  /** The names that messages to it may bear. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** The Ed25519 key of a sender in the older profiles. */
  keyOf(name: string): Buffer | undefined;
  /** Nonces that were taken, each with its sender and profile. */
  readonly seen: Set<string>;
}

/** A message whose signature held. */
export interface Taken {
  readonly kind: string;
  readonly sender: string;
  readonly payload: Json;
}

/** The members of a JSON object. Throws INVALID_FORMAT for anything else. */
export function objectOf(value: Json): JsonObject {
  if (value instanceof Map) return value;
  throw new Refusal('INVALID_FORMAT', 'this is no object');
}

/** A text that must be there, in the form of `pattern`. Throws MISSING_FIELDS or INVALID_FORMAT. */
export function textOf(message: JsonObject, field: string, pattern: RegExp): string {
  const value = message.get(field);
  if (value === undefined || value === null) {
    throw new Refusal('MISSING_FIELDS', `Missing required field: ${field}`, { field });
  }
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new Refusal('INVALID_FORMAT', `${field} has another form`, { field });
}

/** Throws CLOCK_SKEW when the time is more than `boundMs` away. */
export function checkClock(timeMs: number, nowMs: number, boundMs: number): void {
  if (!(Math.abs(timeMs - nowMs) <= boundMs)) {
    throw new Refusal('CLOCK_SKEW', 'the clocks differ too much');
  }
}

/** Throws UNKNOWN_SENDER for a name without a key. */
export function keyFor(receiver: Receiver, name: string): Buffer {
  const key = receiver.keyOf(name);
  if (key === undefined) throw new Refusal('UNKNOWN_SENDER', `nobody here knows ${name}`);
  return key;
}

/** Throws WRONG_RECIPIENT when a name is given and is none of the receiver's. */
export function checkRecipient(receiver: Receiver, name: string | undefined): void {
  if (name !== undefined && !receiver.names.includes(name)) {
    throw new Refusal('WRONG_RECIPIENT', 'this message is for somebody else');
  }
}
