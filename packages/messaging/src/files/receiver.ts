import {
  type Change,
  type Clock,
  equalBytes,
  fromHex,
  PeerAiError,
  type PeerId,
  type Random,
  type Shelf,
  toHex,
} from '@peerai/core-protocol';
import { createTurns } from '../turns.ts';
import type { FileBook, FileRecord } from './book.ts';
import { missingOf, noneHeld, withPiece } from './held.ts';
import { fileLimits } from './limits.ts';
import { keptName } from './name.ts';
import { type FileAnswer, type FileOffer, type FileQuestion, pieceLength, piecesOf } from './protocol.ts';

export interface FileReceiverDeps {
  readonly book: FileBook;
  readonly shelf: Shelf;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** Committed together with the note that the file is here: what is told of it is told once. */
  readonly received: (record: FileRecord) => Promise<readonly Change[]>;
  readonly changed: (record: FileRecord) => void;
}
/** Takes files in, piece by piece, in any order and however often they come. */
export interface FileReceiver {
  /** Throws what a later question may get past. The sender must be proven. */
  answer(peer: PeerId, question: FileQuestion, way: 'link' | 'http'): Promise<FileAnswer>;
  /** A file that came whole some other way. False for one that was here already. Throws LIMIT_EXCEEDED, LIMIT_REACHED, what shelf and store throw. */
  readonly takeWhole: (
    peer: PeerId,
    transfer: string,
    name: string,
    bytes: Uint8Array,
    sha256: Uint8Array,
  ) => Promise<boolean>;
  /** Ends one that is on its way, or removes one that is here. */
  end(record: FileRecord): Promise<FileRecord>;
  /** What an earlier life left undone, and what is too late. */
  tidy(): Promise<void>;
  idle(): Promise<void>;
}

const partOf = ({ id }: Pick<FileRecord, 'id'>): string => `receiving/${id}`;
const answerOf = (state: FileAnswer['state'], more: Partial<FileAnswer> = {}): FileAnswer => ({
  state,
  missing: [],
  code: undefined,
  retryAfterMs: undefined,
  ...more,
});

export function createFileReceiver(deps: FileReceiverDeps): FileReceiver {
  const { book, shelf, clock, random, received, changed } = deps;
  /** One question about a file after the other, and one admission after the other. */
  const turns = createTurns();
  const admission = createTurns();
  const put = async (record: FileRecord, changes?: readonly Change[]): Promise<FileRecord> => {
    await book.put(record, changes);
    changed(record);
    return record;
  };
  const over = async (record: FileRecord, state: FileRecord['state'], code: string): Promise<FileRecord> => {
    const { held: _, ...rest } = record;
    const ended = await put({ ...rest, state, code, endedMs: clock.nowMs() });
    await shelf.remove(partOf(record));
    return ended;
  };
  const incoming = (): readonly FileRecord[] => book.all().filter(({ direction }) => direction === 'in');
  const expire = async (): Promise<void> => {
    const deadMs = clock.nowMs() - fileLimits.lifeMs;
    for (const record of incoming()) {
      if (record.state === 'moving' && record.touchedMs < deadMs) await over(record, 'expired', 'EXPIRED');
    }
  };
  /** Room for a new one is promised here and held until it ends. */
  const admit = (peer: PeerId, transfer: string, { name, size, sha256 }: FileOffer): Promise<FileRecord> =>
    admission.run('', async () => {
      await expire();
      checkRoom(incoming(), peer, size);
      const nowMs = clock.nowMs();
      const id = toHex(random.bytes(16));
      return put({
        id,
        direction: 'in',
        peer,
        transfer,
        name,
        size,
        sha256: toHex(sha256),
        state: 'moving',
        startedMs: nowMs,
        touchedMs: nowMs,
        moved: 0,
        held: noneHeld(piecesOf(size)),
        kept: `received/${keptName(id, name)}`,
      });
    });
  /** The decision is the commit; the file gets its name after it, and a crash in between is made good by `tidy`. */
  const keep = async (record: FileRecord): Promise<FileRecord> => {
    const { held: _, ...rest } = record;
    const nowMs = clock.nowMs();
    const done: FileRecord = { ...rest, state: 'done', moved: record.size, touchedMs: nowMs, endedMs: nowMs };
    await book.put(done, await received(done), () => shelf.move(partOf(done), done.kept ?? ''));
    changed(done);
    return done;
  };
  const finish = async (record: FileRecord): Promise<FileAnswer> => {
    if (record.size === 0) await shelf.write(partOf(record), 0, new Uint8Array());
    const hash = await shelf.sha256(partOf(record)).catch((error: unknown) => {
      if (PeerAiError.is(error, 'NOT_FOUND')) return new Uint8Array();
      throw error;
    });
    if (equalBytes(hash, fromHex(record.sha256))) {
      await keep(record);
      return answerOf('done');
    }
    if (record.again === true || record.size === 0) {
      await over(record, 'refused', 'HASH_MISMATCH');
      return answerOf('refused', { code: 'HASH_MISMATCH' });
    }
    // A disk may have lost what it was thought to hold: once more from the beginning.
    await put({ ...record, again: true, moved: 0, held: noneHeld(piecesOf(record.size)) });
    return answerOf('wanted');
  };
  const standing = (record: FileRecord): FileAnswer => {
    if (record.state === 'done' || record.state === 'removed') return answerOf('done');
    return answerOf('refused', { code: record.code ?? 'REFUSED' });
  };
  const takeOffer = async (peer: PeerId, transfer: string, offer: FileOffer): Promise<FileAnswer> => {
    const known = book.find('in', peer, transfer);
    const isOther = known !== undefined && (known.sha256 !== toHex(offer.sha256) || known.size !== offer.size);
    if (isOther) throw new PeerAiError('INVALID_FORMAT', 'another file was offered under this id');
    const record = known ?? (await admit(peer, transfer, offer));
    if (record.state !== 'moving') return standing(record);
    const missing = missingOf(record.held ?? '', piecesOf(record.size));
    return missing.length === 0 ? finish(record) : answerOf('wanted', { missing });
  };
  const takePiece = async (
    record: FileRecord | undefined,
    { index, data }: { readonly index: number; readonly data: Uint8Array },
    way: 'link' | 'http',
  ): Promise<FileAnswer> => {
    if (record === undefined) return answerOf('later', { code: 'NOT_FOUND' });
    if (record.state !== 'moving') return standing(record);
    const { size, held = '' } = record;
    if (index >= piecesOf(size) || data.length !== pieceLength(size, index)) {
      throw new PeerAiError('INVALID_FORMAT', 'a piece does not fit the file it belongs to');
    }
    if (!missingOf(held, piecesOf(size)).includes(index)) return answerOf('wanted');
    await shelf.write(partOf(record), index * fileLimits.pieceBytes, data);
    const now: FileRecord = {
      ...record,
      way,
      held: withPiece(held, index),
      moved: record.moved + data.length,
      touchedMs: clock.nowMs(),
    };
    const missing = missingOf(now.held ?? '', piecesOf(size)).length;
    if (missing === 0) return finish(now);
    if (missing % fileLimits.piecesPerCommit === 0) await book.put(now);
    else book.note(now);
    changed(now);
    return answerOf('wanted');
  };
  const answer: FileReceiver['answer'] = (peer, question, way) => {
    const transfer = toHex(question.transfer);
    return turns.run(`${peer} ${transfer}`, async () => {
      try {
        if (question.step === 'offer') return await takeOffer(peer, transfer, question.offer);
        const record = book.find('in', peer, transfer);
        if (question.step === 'piece') return await takePiece(record, question, way);
        if (record?.state === 'moving') await over(record, 'cancelled', 'CANCELLED');
        return answerOf('done');
      } catch (error) {
        return refusalOf(error);
      }
    });
  };
  return {
    answer,
    takeWhole: (peer, transfer, name, bytes, sha256) =>
      turns.run(`${peer} ${transfer}`, async () => {
        const known = book.find('in', peer, transfer);
        if (known !== undefined && known.state !== 'refused') return false;
        const record = await admit(peer, transfer, { name, size: bytes.length, sha256 });
        try {
          await shelf.write(partOf(record), 0, bytes);
          await keep({ ...record, way: 'http' });
        } catch (error) {
          const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
          if (book.get(record.id)?.state === 'moving') await over(record, 'refused', code);
          throw error;
        }
        return true;
      }),
    end: ({ id, peer, transfer }) =>
      turns.run(`${peer} ${transfer}`, async () => {
        const record = book.get(id);
        if (record === undefined) throw new PeerAiError('FILE_UNKNOWN', 'there is no such file');
        if (record.state === 'moving') return over(record, 'cancelled', 'CANCELLED');
        if (record.state !== 'done') return record;
        const removed = await put({ ...record, state: 'removed' });
        await shelf.remove(record.kept ?? partOf(record));
        return removed;
      }),
    async tidy() {
      await expire();
      const parts = new Set(await shelf.list('receiving'));
      for (const record of incoming()) {
        if (!parts.has(record.id)) continue;
        if (record.state === 'moving') parts.delete(record.id);
        if (record.state !== 'done') continue;
        await shelf.move(partOf(record), record.kept ?? '');
        parts.delete(record.id);
      }
      for (const left of parts) await shelf.remove(`receiving/${left}`);
    },
    idle: async () => {
      await Promise.all([turns.idle(), admission.idle()]);
    },
  };
}

/** Throws LIMIT_EXCEEDED, LIMIT_REACHED; for what passes by itself with `retryAfterMs`. */
function checkRoom(incoming: readonly FileRecord[], peer: PeerId, size: number): void {
  const { fileBytesMax, peerBytesMax, totalBytesMax, filesMax, openPerPeerMax } = fileLimits;
  if (size > fileBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a file of ${size} bytes; at most ${fileBytesMax}`, { fileBytesMax });
  }
  const full = (what: string): PeerAiError => new PeerAiError('LIMIT_REACHED', `no room for this file: ${what}`);
  const here = incoming.filter(({ state }) => state === 'moving' || state === 'done');
  const own = here.filter((record) => record.peer === peer);
  const sum = (records: readonly FileRecord[]): number => records.reduce((bytes, record) => bytes + record.size, 0);
  if (here.length >= filesMax) throw full(`${here.length} files are here`);
  if (sum(own) + size > peerBytesMax) throw full(`files of this peer may have ${peerBytesMax} bytes together`);
  if (sum(here) + size > totalBytesMax) throw full(`all files may have ${totalBytesMax} bytes together`);
  if (own.filter(({ state }) => state === 'moving').length < openPerPeerMax) return;
  throw new PeerAiError('LIMIT_REACHED', 'too many unfinished files of this peer', {
    retryAfterMs: fileLimits.questionMs,
  });
}

/** A no for good, a no for now, or thrown on: what nobody expected says nothing to the other side. */
function refusalOf(error: unknown): FileAnswer {
  if (!PeerAiError.is(error, 'INVALID_FORMAT', 'LIMIT_EXCEEDED', 'LIMIT_REACHED', 'STORE_FULL')) throw error;
  const wait = error.details['retryAfterMs'];
  const retryAfterMs = typeof wait === 'number' ? Math.ceil(wait) : undefined;
  const isLater = retryAfterMs !== undefined || error.code === 'STORE_FULL';
  return answerOf(isLater ? 'later' : 'refused', { code: error.code, retryAfterMs });
}
