import type { Protocol } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { StreamWriter } from './stream-writer.ts';

/** One frame on its way: pieces of it go out whenever it is its turn. */
export interface Leaving {
  /** Resolves when all of it was given to the stream. Throws CHANNEL_CLOSED, or the signal's reason. */
  readonly done: Promise<void>;
  /** A part of it has left, and not all: nothing else may be written to this stream. */
  readonly isCut: boolean;
  /** Gives the rest to the stream now, whosever turn it is. Throws CHANNEL_CLOSED. */
  finish(): void;
}

/** Who writes next on one link. */
export interface LinkTurns {
  write(frame: Uint8Array, by: Writing): Leaving;
}
export interface Writing {
  readonly writer: Pick<StreamWriter, 'write' | 'drained' | 'full'>;
  readonly signal: AbortSignal;
  readonly priority: NonNullable<Protocol['priority']>;
  /** Told when the stream has taken one piece and gets another. */
  readonly moved?: () => void;
}

interface Line extends Writing {
  rest: Uint8Array;
  isBegun: boolean;
  /** Somebody waits for this stream to take more. */
  isStuck: boolean;
  readonly over: PromiseWithResolvers<void>;
}

const rank = { high: 0, normal: 1, low: 2 };

/**
 * Frames of all channels of one link leave in pieces: the highest priority first, among equals whose last turn is longest ago; and after `overtakesMax`
 * turns the one whose turn is longest ago of all, so that what is low still moves. A stream that takes nothing is passed over.
 *
 * @param paced - the link's rate, where it has one: a piece then waits for its time within its turn.
 */
export function createLinkTurns(paced?: {
  readonly bytesPerSecond: number;
  pace(bytes: number, signal: AbortSignal): Promise<void>;
}): LinkTurns {
  const rateBytes = ((paced?.bytesPerSecond ?? Number.POSITIVE_INFINITY) * limits.pacedPieceMs) / 1_000;
  const pieceBytesMax = Math.max(limits.pieceBytesMin, Math.min(limits.pieceBytes, Math.floor(rateBytes)));
  /** In the order of their last turns, and newcomers behind them. */
  const lines: Line[] = [];
  let turn = 0;
  let isPacing = false;

  function leave(line: Line, error?: unknown): void {
    const at = lines.indexOf(line);
    if (at >= 0) lines.splice(at, 1);
    if (error === undefined) line.over.resolve();
    else line.over.reject(error);
  }

  function pick(): Line | undefined {
    const ready = lines.filter(({ writer }) => !writer.full);
    if (turn % (limits.overtakesMax + 1) === limits.overtakesMax) return ready[0];
    return ready.toSorted((a, b) => rank[a.priority] - rank[b.priority])[0];
  }

  /** Looks again when a stream takes more, or tells its frame that it never will. */
  async function watch(line: Line): Promise<void> {
    if (line.isStuck || !line.writer.full) return;
    line.isStuck = true;
    try {
      await line.writer.drained();
      line.isStuck = false;
    } catch (error) {
      leave(line, error);
    }
    pump();
  }

  function put(line: Line, bytes: number): void {
    const piece = line.rest.subarray(0, bytes);
    line.rest = line.rest.subarray(bytes);
    if (line.isBegun) line.moved?.();
    line.isBegun = true;
    try {
      line.writer.write(piece);
    } catch (error) {
      return leave(line, error);
    }
    if (line.rest.length === 0) leave(line);
  }

  function pump(): void {
    while (!isPacing) {
      const line = pick();
      for (const other of lines) void watch(other);
      if (line === undefined) return;
      const alone = lines.length === 1;
      turn = alone ? 0 : turn + 1;
      lines.push(...lines.splice(lines.indexOf(line), 1));
      const bytes = pieceOf(line.rest.length, alone ? pieceBytesMax : Math.min(pieceBytesMax, limits.sharedPieceBytes));
      if (paced === undefined) put(line, bytes);
      else void putPaced(line, bytes, paced);
    }
  }

  async function putPaced(line: Line, bytes: number, by: NonNullable<typeof paced>): Promise<void> {
    isPacing = true;
    await by.pace(bytes, line.signal).catch(() => undefined);
    isPacing = false;
    // It may have been finished or given up meanwhile.
    if (lines.includes(line)) put(line, Math.min(bytes, line.rest.length));
    pump();
  }

  return {
    write(frame, by) {
      const line: Line = { ...by, rest: frame, isBegun: false, isStuck: false, over: Promise.withResolvers<void>() };
      const gone = (): void => leave(line, by.signal.reason);
      by.signal.addEventListener('abort', gone, { once: true });
      const done = line.over.promise.finally(() => by.signal.removeEventListener('abort', gone));
      done.catch(() => undefined);
      if (by.signal.aborted) gone();
      else {
        lines.push(line);
        pump();
      }
      return {
        done,
        get isCut() {
          return line.isBegun && line.rest.length > 0;
        },
        finish: () => put(line, line.rest.length),
      };
    },
  };
}

/** A last piece of less than a half goes along with the one before it. */
const pieceOf = (restBytes: number, bytesMax: number): number => (restBytes <= 1.5 * bytesMax ? restBytes : bytesMax);
