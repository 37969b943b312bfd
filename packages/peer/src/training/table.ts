import { PeerAiError } from '@peerai/core-protocol';
import Papa from 'papaparse';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** A table with a heading: what a CSV file says. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Rows of numbers and the class of each, by its place in the list of classes. */
export interface Examples {
  /** Row after row. */
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

type Code = Extract<PeerErrorCode, 'DATA_INVALID' | 'DATA_TOO_SMALL'>;
export const invalid = (message: string, details: Record<string, unknown> = {}): PeerAiError<Code> =>
  new PeerAiError<Code>('DATA_INVALID', message, details);

/** Reads CSV (commas, semicolons or tabs; the first line names the columns). Throws DATA_INVALID with the place, DATA_TOO_SMALL, LIMIT_EXCEEDED. */
export const readTable = (text: string): Table => readWide(text, limits.trainingColumnsMax);

/** The least that a table is read with: what is learned from and kept apart, or rows that are to be told. */
const fewest: Fewest = { columns: 2, rows: limits.trainingRowsMin };
interface Fewest {
  readonly columns: number;
  readonly rows: number;
}

/** The same with another bound on its columns, and on how small it may be. */
export function readWide(text: string, columnsMax: number, least: Fewest = fewest): Table {
  const { data, errors } = Papa.parse<string[]>(text, {
    delimitersToGuess: [',', ';', '\t'],
    skipEmptyLines: 'greedy',
    // One more than may be, so that more is noticed and no more is read.
    preview: limits.trainingRowsMax + 2,
  });
  const broken = errors.find(({ type }) => type === 'Quotes');
  if (broken !== undefined)
    throw invalid(`line ${(broken.row ?? 0) + 1}: a quote is not closed, or stands in the wrong place`);
  const [heading = [], ...rows] = data;
  const columns = heading.map((name) => name.trim());
  checkColumns(columns, columnsMax, least.columns);
  if (rows.length > limits.trainingRowsMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a table has at most ${limits.trainingRowsMax} rows`);
  rows.forEach((row, index) => {
    if (row.length !== columns.length)
      throw invalid(`row ${index + 1} has ${row.length} values, and the heading names ${columns.length} columns`, {
        row: index + 1,
      });
  });
  if (rows.length < least.rows)
    throw new PeerAiError<Code>(
      'DATA_TOO_SMALL',
      `the table has ${rows.length} rows under its heading; ${least.rows} are needed`,
    );
  return { columns, rows };
}

function checkColumns(columns: readonly string[], columnsMax: number, columnsMin: number): void {
  if (columns.length < columnsMin)
    throw invalid('a table has a heading and two columns at least, with , ; or a tab between them');
  if (columns.length > columnsMax) throw new PeerAiError('LIMIT_EXCEEDED', `a table has at most ${columnsMax} columns`);
  columns.forEach((name, index) => {
    if (name === '' || name.length > limits.trainingNameCharsMax)
      throw invalid(`column ${index + 1} has no name, or one above ${limits.trainingNameCharsMax} characters`);
    if (columns.indexOf(name) !== index) throw invalid(`two columns are called "${name}"`);
  });
}

/** Each column's name, whether it holds numbers only, and its different values where they are few enough to be labels. */
export function describeColumns({ columns, rows }: Table) {
  return columns.map((name, column) => {
    const values = new Set<string>();
    let numeric = true;
    for (const row of rows) {
      const value = (row[column] ?? '').trim();
      numeric &&= numberOf(value) !== undefined;
      if (values.size <= limits.trainingClassesMax) values.add(value);
    }
    const few = values.size <= limits.trainingClassesMax && !values.has('');
    return { name, numeric, values: few ? [...values].toSorted() : null };
  });
}

/** The different labels of a column, sorted. Throws DATA_INVALID for a column that is not there, an empty cell, and fewer than two labels. */
export function labelsOf(table: Table, label: string): readonly string[] {
  const column = columnOf(table, label);
  const labels = new Set(table.rows.map((row) => (row[column] ?? '').trim()));
  if (labels.size > limits.trainingClassesMax)
    throw invalid(
      `column "${label}" has more than ${limits.trainingClassesMax} different values, so it does not hold labels`,
    );
  if (labels.size < 2)
    throw invalid(`column "${label}" says the same in every row: there is nothing to tell apart`, { column: label });
  return [...labels].toSorted();
}

/** The numbers of these columns, and each row's label. Throws DATA_INVALID with row and column. */
export function readExamples(
  table: Table,
  {
    features,
    label,
    classes,
  }: { readonly features: readonly string[]; readonly label: string; readonly classes: readonly string[] },
): Examples {
  const labelColumn = columnOf(table, label);
  const labels = Int32Array.from(table.rows, (row, index) => {
    const value = (row[labelColumn] ?? '').trim();
    if (value !== '') return classOf(value, index, { label, classes });
    throw invalid(`row ${index + 1} has no label in column "${label}"`, { row: index + 1, column: label });
  });
  return { features: readNumbers(table, features), labels, count: table.rows.length };
}

/** The place of a label in the list of classes. Throws DATA_INVALID with the row. */
export function classOf(
  value: string,
  index: number,
  { label, classes }: { readonly label: string; readonly classes: readonly string[] },
): number {
  const place = classes.indexOf(value);
  if (place >= 0) return place;
  throw invalid(`row ${index + 1}: "${cut(value)}" is not one of the labels ${told(classes)}`, {
    row: index + 1,
    column: label,
  });
}

/** The numbers of these columns, row after row. Throws DATA_INVALID with row and column. */
export function readNumbers(table: Table, features: readonly string[]): Float32Array {
  const columns = features.map((name) => columnOf(table, name));
  const numbers = new Float32Array(table.rows.length * features.length);
  table.rows.forEach((row, index) =>
    columns.forEach((column, place) => {
      const value = (row[column] ?? '').trim();
      const number = numberOf(value);
      if (number === undefined)
        throw invalid(`row ${index + 1}, column "${features[place]}": "${cut(value)}" is not a number`, {
          row: index + 1,
          column: features[place],
        });
      numbers[index * features.length + place] = number;
    }),
  );
  return numbers;
}

function columnOf({ columns }: Table, name: string): number {
  const column = columns.indexOf(name);
  if (column >= 0) return column;
  throw invalid(`there is no column "${cut(name)}"; there are ${told(columns)}`, { column: name });
}

/** A finite number that float32 holds too. */
function numberOf(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(text)) return undefined;
  const number = Math.fround(Number(text));
  return Number.isFinite(number) ? number : undefined;
}

const cut = (text: string): string => (text.length > 32 ? `${text.slice(0, 32)}…` : text);
/** Names as an error tells them. */
export function told(names: readonly string[]): string {
  const shown = names.slice(0, limits.namesToldMax).map(cut).join(', ');
  return names.length > limits.namesToldMax ? `${shown} and ${names.length - limits.namesToldMax} more` : shown;
}
