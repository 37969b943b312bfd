import { type CryptoProvider, PeerAiError, type Random, type Shelf, toHex } from '@peerai/core-protocol';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type DataRow, places, readWhole, type RunBook } from './run-book.ts';
import type { TrainingDataView } from './training.schema.ts';

export interface DataSetsDeps {
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly book: RunBook;
  readonly shelf: Shelf;
  readonly nowMs: () => number;
  /** Whether a run that is not over learns from it. */
  readonly isUsed: (id: string) => boolean;
}

/** Reads data in, for a run of this machine. Throws DATA_INVALID, DATA_TOO_SMALL, LIMIT_EXCEEDED, what the shelf throws. */
export async function readIn(
  deps: DataSetsDeps,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<TrainingDataView> {
  const { random, book, shelf, nowMs } = deps;
  const whole = await gathered(bytes);
  const table = await tableOf(name, textOf(whole));
  const view = {
    id: toHex(random.bytes(8)),
    name: name.slice(0, limits.trainingNameCharsMax),
    bytes: whole.length,
    table,
  };
  await shelf.write(places.data(view.id), 0, whole);
  await book.saveData({ ...view, sha256: toHex(deps.crypto.sha256(whole)), madeMs: nowMs() });
  const unused = book.data().filter(({ id }) => !deps.isUsed(id));
  for (const { id } of unused.slice(0, Math.max(0, unused.length - limits.trainingDataKept))) await book.removeData(id);
  return view;
}

/** Throws DATA_UNKNOWN. */
export function findData(book: RunBook, id: string): DataRow {
  const row = book.data().find((one) => one.id === id);
  if (row !== undefined) return row;
  throw new PeerAiError<PeerErrorCode>(
    'DATA_UNKNOWN',
    `there is no data "${id.slice(0, 64)}" here; read the file in again`,
  );
}

/** Throws NOT_FOUND. */
export const readText = async (shelf: Shelf, { id, bytes }: DataRow): Promise<string> =>
  textOf(await readWhole(shelf, places.data(id), bytes));

async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > limits.trainingDataBytesMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `data has at most ${limits.trainingDataBytesMax} bytes`, {
        bytesMax: limits.trainingDataBytesMax,
      });
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PeerAiError<PeerErrorCode>('DATA_INVALID', 'this is no text: UTF-8 is what is read', {}, { cause });
  }
}

/** A file that is called a table has to be one; any other may be, and is text if not. */
async function tableOf(name: string, text: string): Promise<TrainingDataView['table']> {
  const { describeColumns, readTable } = await import('./lazy.ts');
  try {
    const table = readTable(text);
    return { rows: table.rows.length, columns: describeColumns(table) };
  } catch (error) {
    if (/\.[ct]sv$/iu.test(name) || !PeerAiError.is(error, 'DATA_INVALID', 'DATA_TOO_SMALL', 'LIMIT_EXCEEDED'))
      throw error;
    return null;
  }
}
