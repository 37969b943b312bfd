import {
  type Clock,
  fromHex,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Shelf,
} from '@peerai/core-protocol';
import { rest } from '../backoff.ts';
import { watchLinks } from '../outbox/watch-links.ts';
import { createTurns } from '../turns.ts';
import type { FileBook, FileRecord } from './book.ts';
import { fileLimits } from './limits.ts';
import { type FileAnswer, type FileQuestion, pieceLength, piecesOf } from './protocol.ts';
import { askFirst, type FileHttp, type FileWay } from './ways.ts';

export interface FileSenderDeps {
  readonly book: FileBook;
  readonly shelf: Shelf;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly http?: FileHttp;
  readonly changed: (record: FileRecord) => void;
}
/** Brings files to the peers they wait for, one at a time per peer, again and again until they are there, refused or too late. */
export interface FileSender {
  /** Something may wait for this peer. */
  wake(peer: PeerId): void;
  /** Why the last attempt for this peer failed, while something waits. */
  lastFailure(peer: PeerId): string | undefined;
  /** Ends one that is on its way; the receiver is told when it can be. */
  cancel(record: FileRecord): Promise<FileRecord>;
  /** Resolves when no attempt runs any more, after the signal. */
  stopped(): Promise<void>;
}

interface Run {
  nudge: AbortController;
  failures: number;
  lastFailure?: string;
  isNews: boolean;
  done: Promise<void>;
}
/** What the sender keeps of a file until it is through. */
export const sendingName = ({ id }: Pick<FileRecord, 'id'>): string => `sending/${id}`;
const codeOf = (error: unknown): string => (PeerAiError.is(error) ? error.code : 'INTERNAL');

export function createFileSender(deps: FileSenderDeps, signal: AbortSignal): FileSender {
  const { book, shelf, clock, logger } = deps;
  const runs = new Map<PeerId, Run>();
  /** Attempts that a cancellation ends. */
  const attempts = new Map<string, AbortController>();
  const writing = createTurns();
  /** The record as it is by now, changed; nothing for one that is over meanwhile. */
  const change = (id: string, to: (record: FileRecord) => Partial<FileRecord>): Promise<FileRecord | undefined> =>
    writing.run(id, async () => {
      const before = book.get(id);
      if (before?.state !== 'moving') return undefined;
      const record = { ...before, ...to(before) };
      await book.put(record);
      deps.changed(record);
      if (record.state !== 'moving') await shelf.remove(sendingName(record));
      return record;
    });
  const waiting = (peer: PeerId): FileRecord | undefined =>
    book
      .all()
      .filter((one) => one.direction === 'out' && one.peer === peer)
      .filter(({ state, told }) => state === 'moving' || (state === 'cancelled' && told === false))
      .toSorted((a, b) => a.startedMs - b.startedMs)[0];
  const end = (record: FileRecord, state: FileRecord['state'], code?: string): Promise<FileRecord | undefined> =>
    change(record.id, () => ({ state, endedMs: clock.nowMs(), ...(code === undefined ? {} : { code }) }));

  const tellCancelled = async (record: FileRecord): Promise<void> => {
    const isLate = clock.nowMs() > record.startedMs + fileLimits.lifeMs;
    const transfer = fromHex(record.transfer);
    if (!isLate) await askFirst(deps, record.peer, { transfer, step: 'cancel' }, signal);
    await writing.run(record.id, () => book.put({ ...record, told: true }));
  };
  const attempt = async (record: FileRecord, run: Run): Promise<void> => {
    if (record.state === 'cancelled') return tellCancelled(record);
    if (clock.nowMs() > record.startedMs + fileLimits.lifeMs) {
      await end(record, 'expired', run.lastFailure ?? 'EXPIRED');
      return;
    }
    const stop = new AbortController();
    attempts.set(record.id, stop);
    try {
      const both = AbortSignal.any([signal, stop.signal]);
      const answer = await bring(deps, record, both, (moved, way) => {
        // Not written down: the receiver says at each offer what it has.
        const now = book.get(record.id);
        if (now?.state !== 'moving') return;
        const noted = { ...now, moved, way, touchedMs: clock.nowMs() };
        book.note(noted);
        deps.changed(noted);
      });
      if (answer.state === 'done') {
        await change(record.id, () => ({ state: 'done', moved: record.size, endedMs: clock.nowMs() }));
      } else await end(record, 'refused', answer.code?.slice(0, 64) ?? 'REFUSED');
    } catch (error) {
      // Cancelled while it went: the next look at what waits finds that to be told.
      if (!stop.signal.aborted || signal.aborted) throw error;
    } finally {
      attempts.delete(record.id);
    }
  };
  const bringAll = async (peer: PeerId, run: Run): Promise<void> => {
    while (!signal.aborted) {
      run.isNews = false;
      const record = waiting(peer);
      if (record === undefined) return;
      try {
        await attempt(record, run);
        run.failures = 0;
        delete run.lastFailure;
      } catch (error) {
        if (signal.aborted) return;
        run.failures += 1;
        run.lastFailure = codeOf(error);
        logger.debug('file-attempt-failed', { peer, code: run.lastFailure, failures: run.failures });
        deps.changed(book.get(record.id) ?? record);
        const wait = PeerAiError.is(error) ? error.details['retryAfterMs'] : undefined;
        run.nudge = new AbortController();
        const leastMs = typeof wait === 'number' ? Math.min(wait, fileLimits.questionMs) : 0;
        await rest(deps, run.failures, { nudge: run.nudge.signal, leastMs }, signal);
      }
    }
  };
  const wake = (peer: PeerId): void => {
    if (signal.aborted) return;
    const running = runs.get(peer);
    if (running !== undefined) {
      running.isNews = true;
      running.nudge.abort();
      return;
    }
    const run: Run = { nudge: new AbortController(), failures: 0, isNews: false, done: Promise.resolve() };
    runs.set(peer, run);
    run.done = bringAll(peer, run)
      .catch((error: unknown) => {
        if (!signal.aborted) logger.error('file-sending-stopped', { peer, code: codeOf(error) });
      })
      .finally(() => {
        runs.delete(peer);
        if (run.isNews) wake(peer);
      });
  };
  const links = watchLinks(deps, signal, (peer) => runs.get(peer)?.nudge.abort());
  return {
    wake,
    lastFailure: (peer) => runs.get(peer)?.lastFailure,
    async cancel(record) {
      const ended = await change(record.id, () => ({
        state: 'cancelled',
        code: 'CANCELLED',
        told: false,
        endedMs: clock.nowMs(),
      }));
      attempts.get(record.id)?.abort(new PeerAiError('ABORTED', 'the file was cancelled'));
      wake(record.peer);
      return ended ?? book.get(record.id) ?? record;
    },
    async stopped() {
      await Promise.all([links, ...[...runs.values()].map(({ done }) => done)]);
      await writing.idle();
    },
  };
}

type Told = (moved: number, way: FileWay['way']) => void;

/** One attempt: offered, then what is missing is sent, until it is there or refused. Throws what a later attempt may get past. */
async function bring(deps: FileSenderDeps, record: FileRecord, signal: AbortSignal, told: Told): Promise<FileAnswer> {
  const { name, size, peer } = record;
  const transfer = fromHex(record.transfer);
  const offer: FileQuestion = { transfer, step: 'offer', offer: { name, size, sha256: fromHex(record.sha256) } };
  const { way, answer: first } = await askFirst(deps, peer, offer, signal);
  let answer = first;
  for (let round = 1; answer.state === 'wanted' && round < fileLimits.roundsMax; round += 1) {
    const { missing } = answer;
    checkMissing(missing, size);
    told(size - missing.reduce((bytes, index) => bytes + pieceLength(size, index), 0), way.way);
    const ended = await sendPieces(deps, record, { way, missing, transfer }, signal, told);
    answer = ended ?? (await way.ask(offer, signal));
  }
  if (answer.state === 'done' || answer.state === 'refused') return answer;
  if (answer.state === 'wanted') throw new PeerAiError('TIMEOUT', 'pieces get lost as fast as they are sent');
  throw laterError(answer);
}

function checkMissing(missing: readonly number[], size: number): void {
  if (missing.length > 0 && missing.every((index) => index < piecesOf(size))) return;
  throw new PeerAiError('INVALID_FORMAT', 'the receiver asks for pieces that this file does not have');
}

const laterError = ({ code, retryAfterMs }: FileAnswer): PeerAiError =>
  new PeerAiError(
    code !== undefined && /^[A-Z][A-Z_]{2,63}$/u.test(code) ? code : 'PEER_UNREACHABLE',
    'the peer does not take this file now',
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );

/** Pieces in the order asked for, `way.window` on their way at once. The answer that ended it early, if one did. Throws `later`. */
async function sendPieces(
  deps: FileSenderDeps,
  record: FileRecord,
  {
    way,
    missing,
    transfer,
  }: { readonly way: FileWay; readonly missing: readonly number[]; readonly transfer: Uint8Array },
  signal: AbortSignal,
  told: Told,
): Promise<FileAnswer | undefined> {
  const left = [...missing];
  let bytesLeft = left.reduce((bytes, index) => bytes + pieceLength(record.size, index), 0);
  let ended: FileAnswer | undefined;
  const lane = async (): Promise<void> => {
    for (let index = left.shift(); index !== undefined && ended === undefined; index = left.shift()) {
      const data = await deps.shelf.read(
        sendingName(record),
        index * fileLimits.pieceBytes,
        pieceLength(record.size, index),
      );
      const answer = await way.ask({ transfer, step: 'piece', index, data }, signal);
      if (answer.state === 'later') throw laterError(answer);
      if (answer.state !== 'wanted') {
        ended = answer;
        return;
      }
      bytesLeft -= data.length;
      told(record.size - bytesLeft, way.way);
    }
  };
  const lanes = Array.from({ length: Math.min(way.window, left.length) }, lane);
  try {
    await Promise.all(lanes);
  } finally {
    // None goes on behind a failure of another.
    left.length = 0;
    await Promise.allSettled(lanes);
  }
  return ended;
}
