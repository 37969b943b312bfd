import { type CryptoProvider, PeerAiError, type Random, type Shelf, toHex } from '@peerai/core-protocol';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { gathered } from '../store/gathered.ts';
import { type DataRow, places, readWhole, type RunBook } from './run-book.ts';
import type { Table } from './table.ts';
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
  const whole = await gathered(bytes, limits.trainingDataBytesMax);
  const told = await toldOf(name, textOf(whole));
  const view = {
    id: toHex(random.bytes(8)),
    name: name.slice(0, limits.trainingNameCharsMax),
    bytes: whole.length,
    ...told,
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

/** Throws DATA_INVALID. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PeerAiError<PeerErrorCode>('DATA_INVALID', 'this is no text: UTF-8 is what is read', {}, { cause });
  }
}

/** A file that is called a table (.csv, .tsv) has to be one, and one that is called a text (.txt) is none, whatever its commas look like; any other may be. */
async function toldOf(name: string, text: string): Promise<Pick<TrainingDataView, 'table' | 'images'>> {
  if (/\.txt$/iu.test(name)) return { table: null, images: null };
  const { describeColumns, readImageTable, sidesIfAny } = await import('./lazy.ts');
  try {
    const table = readImageTable(text);
    const images = sidesIfAny(table.columns.length) ?? null;
    if (table.columns.length > limits.trainingColumnsMax && images === null)
      throw new PeerAiError(
        'LIMIT_EXCEEDED',
        `a table has at most ${limits.trainingColumnsMax} columns, unless they are the pixels of square images`,
      );
    return { table: { rows: table.rows.length, columns: describeColumns(ends(table)) }, images };
  } catch (error) {
    if (/\.[ct]sv$/iu.test(name) || !PeerAiError.is(error, 'DATA_INVALID', 'DATA_TOO_SMALL', 'LIMIT_EXCEEDED'))
      throw error;
    return { table: null, images: null };
  }
}

/** Of images the first and the last column, where labels stand: nobody reads the names of a thousand pixels. */
function ends({ columns, rows }: Table): Table {
  if (columns.length <= limits.trainingColumnsMax) return { columns, rows };
  const both = (values: readonly string[]): readonly string[] => [values[0] ?? '', values.at(-1) ?? ''];
  return { columns: both(columns), rows: rows.map(both) };
}
