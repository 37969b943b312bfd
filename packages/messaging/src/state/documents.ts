import { PeerAiError, utf8 } from '@peerai/core-protocol';
import type { Book, BookDeps, Document } from './book.ts';
import { covers, type Held, heldOf, sizeOf } from './book.ts';
import { clientOf } from './charter.ts';
import { type Entry, type Mark, openEntry, signEntry } from './entry.ts';
import { limits } from './limits.ts';
import { type Changed, checkUpdate, type Parts } from './replica.ts';
import { note, placeIn, standing, type Vector } from './vector.ts';

export interface DocumentsDeps extends BookDeps {
  readonly book: Book;
  /** Something of it is different now, here. */
  readonly changed: (id: string, changed: Changed) => void;
}

/**
 * Takes entries of others into a document, each author's in order; what is known is left out, what lies beyond a gap waits for the next exchange.
 * Runs in the document's turn. Throws INVALID_FORMAT, INVALID_SIGNATURE, REFUSED, LIMIT_REACHED; what stood before the entry that is refused is taken.
 */
export async function takeEntries(deps: DocumentsDeps, id: string, all: readonly Uint8Array[]): Promise<void> {
  const document = await deps.book.open(id);
  const vector = new Map([...document.vector].map(([author, lives]) => [author, new Map(lives)]));
  const taken: Entry[] = [];
  const changes: Changed[] = [];
  let held: readonly Held[] = [...document.held.values()];
  let refused: unknown;
  for (const bytes of all) {
    try {
      const entry = openEntry(deps.crypto, bytes);
      if (entry.document !== id) throw new PeerAiError('INVALID_FORMAT', 'the entry is of another document');
      if (standing(vector, entry) !== 'next') continue;
      held = [...held.filter((one) => !covers(entry, one)), { ...entry, size: bytes.length }];
      checkRoom(vector, held, entry);
      checkUpdate(entry.update, clientsOf(deps, id, entry));
      changes.push(document.replica.apply(entry.update));
      taken.push(entry);
      note(vector, entry);
    } catch (error) {
      refused = error;
      break;
    }
  }
  // A replica that an update broke half-way is read from disk again.
  if (refused !== undefined) deps.book.drop(id);
  await deps.book.keep(document, taken);
  if (refused !== undefined) deps.book.drop(id);
  tell(deps, id, changes);
  if (refused !== undefined) throw refused;
}

function checkRoom(vector: Vector, held: readonly Held[], { author, life, covers: marks }: Entry): void {
  const size = held.reduce((sum, one) => sum + (one.author === author ? one.size : 0), 0);
  if (size > limits.authorBytesMax) {
    throw new PeerAiError('LIMIT_REACHED', `an author has at most ${limits.authorBytesMax} bytes of entries`);
  }
  const lives = new Set([...(vector.get(author)?.keys() ?? []), ...marks.map((mark) => mark.life), life]);
  if (new Set([...vector.keys(), author]).size > limits.authorsMax || lives.size > limits.livesMax) {
    throw new PeerAiError('LIMIT_REACHED', 'a document has no place for more authors, or for more lives of one');
  }
}

/** The numbers under which this entry may speak: its life's, and those of the lives it stands for. */
function clientsOf({ crypto }: DocumentsDeps, id: string, { author, life, covers }: Entry): ReadonlySet<number> {
  return new Set([life, ...covers.map((mark) => mark.life)].map((one) => clientOf(crypto, id, author, one)));
}

function tell(deps: DocumentsDeps, id: string, all: readonly Changed[]): void {
  const keys = [...new Set(all.flatMap((one) => one.keys))].toSorted();
  const text = all.some((one) => one.text);
  if (keys.length > 0 || text) deps.changed(id, { keys, text });
}

/**
 * Our own change: signed, on disk when it resolves; false where it changes nothing. Runs in the document's turn.
 * `removes`: what only removes is bounded by the own entries alone, so that a full document can be emptied. Throws LIMIT_EXCEEDED, LIMIT_REACHED, DOCUMENT_UNKNOWN, and what the store throws; then nothing is changed.
 */
export async function writeDocument(
  deps: DocumentsDeps,
  id: string,
  change: (parts: Parts) => void,
  removes = false,
): Promise<boolean> {
  const { book, identity, crypto } = deps;
  const document = await book.open(id);
  const life = document.life ?? newLife(deps, document);
  try {
    const made = document.replica.write(clientOf(crypto, id, identity.peer, life), change);
    if (made === undefined) return false;
    checkSize(document);
    const place = placeIn(document.vector, identity.peer, life) + 1;
    const entry =
      compacted(deps, document, life, place) ??
      signEntry(identity, { document: id, life, place, covers: [], update: made.update });
    if (!fits(document, entry, removes)) {
      const whole = compacted(deps, document, life, place, true);
      if (whole === undefined || !fits(document, whole, removes)) throw full();
      await book.keep(document, [whole], { life });
    } else await book.keep(document, [entry], { life });
    tell(deps, id, [made.changed]);
    return true;
  } catch (error) {
    book.drop(id);
    throw error;
  }
}

const full = (): PeerAiError =>
  new PeerAiError('LIMIT_REACHED', `a document has at most ${limits.documentBytesMax} bytes of changes`);

/** Whether there is room for an entry of ours, without those it stands for. */
function fits(document: Document, { author, bytes, covers: marks }: Entry, removes: boolean): boolean {
  const own = heldOf(document, author).reduce((sum, { size }) => sum + size, 0);
  const ownAfter = (marks.length === 0 ? own : 0) + bytes.length;
  if (ownAfter > limits.authorBytesMax) return false;
  return removes || sizeOf(document) - own + ownAfter <= limits.documentBytesMax;
}

function checkSize({ replica }: Document): void {
  if (replica.entries().length > limits.keysMax) {
    throw new PeerAiError('LIMIT_REACHED', `a document has at most ${limits.keysMax} keys`);
  }
  if (replica.text().length > limits.textCharsMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a document's text has at most ${limits.textCharsMax} characters`);
  }
}

/** Later than every life of ours that anybody told of, also where the clock was set back. */
function newLife({ clock, identity }: DocumentsDeps, { vector }: Document): number {
  const lives = [...(vector.get(identity.peer)?.keys() ?? [])];
  const last = Math.max(-1, ...lives);
  return lives.length >= limits.livesMax ? last : Math.max(Math.trunc(clock.nowMs()), last + 1);
}

/** All our changes as one entry, when there are many, or when room is needed. */
function compacted(
  { identity, crypto }: DocumentsDeps,
  document: Document,
  life: number,
  place: number,
  isNeeded = false,
): Entry | undefined {
  const { id } = document.charter;
  if (!isNeeded && heldOf(document, identity.peer).length < limits.ownEntriesMax) return undefined;
  const lives = new Map(document.vector.get(identity.peer));
  if (place > 0) lives.set(life, place - 1);
  const covers: Mark[] = [...lives].map(([one, last]) => ({ life: one, place: last }));
  const clients = new Set([life, ...lives.keys()].map((one) => clientOf(crypto, id, identity.peer, one)));
  const update = document.replica.snapshot(clients);
  return update === undefined || covers.length === 0
    ? undefined
    : signEntry(identity, { document: id, life, place, covers, update });
}

/** Throws INVALID_FORMAT (no JSON), LIMIT_EXCEEDED. */
export function readValue(key: string, value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new PeerAiError('INVALID_FORMAT', 'the value is not JSON');
  const keyBytes = utf8(key).length;
  if (keyBytes < 1 || keyBytes > limits.keyBytesMax || !key.isWellFormed()) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a key has 1 to ${limits.keyBytesMax} bytes`);
  }
  if (utf8(json).length > limits.valueBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a value has at most ${limits.valueBytesMax} bytes of JSON`);
  }
  return json;
}
