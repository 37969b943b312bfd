/**
 * Text of other peers and models must not steer a terminal: control characters but newline and tab are dropped (C0, C1, DEL),
 * and the marks that write a line backwards, with which a name could look like another one (Unicode UAX #9, section 2).
 */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- removing them is the point
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '');
}

/** JSON that a terminal may show: the characters that JSON leaves as they are become escapes, so nothing is lost. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    // oxlint-disable-next-line no-control-regex -- C1 and DEL are what JSON does not escape
    /[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text in lines of at most so many columns, broken after blanks and `|`; a longer word has a line of its own. */
export function wrapped(text: string, columns: number, first: string, rest = first): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/(?<=[ |])/u)) {
    const isFirst = line === (lines.length === 0 ? first : rest);
    if (!isFirst && line.length + word.trimEnd().length > columns) {
      lines.push(line.trimEnd());
      line = rest;
    }
    line += word;
  }
  return [...lines, line.trimEnd()].join('\n');
}

/**
 * Columns as wide as their longest cell, two blanks between. A cell has no line of its own. What is wider than the terminal has its widest
 * cells in several lines; a pipe has every row in one.
 */
export function table(
  rows: readonly (readonly string[])[],
  columns: number | undefined = process.stdout.columns,
): string {
  const cells = rows.map((row) => row.map((cell) => plain(cell).replaceAll(/\s+/g, ' ')));
  const widths = widthsOf(cells, (cell) => cell.length);
  if (columns !== undefined) shrink(widths, widthsOf(cells, longestWord), columns);
  const line = (row: readonly string[]): string =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ');
  const linesOf = (row: readonly string[]): string[] => {
    const parts = row.map((cell, index) => wrapped(cell, widths[index] ?? 0, '').split('\n'));
    const height = Math.max(...parts.map((part) => part.length));
    return Array.from({ length: height }, (_, at) => line(parts.map((part) => part[at] ?? '')).trimEnd());
  };
  return cells.flatMap(linesOf).join('\n');
}

function widthsOf(cells: readonly (readonly string[])[], of: (cell: string) => number): number[] {
  const widths: number[] = [];
  for (const row of cells) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, of(cell));
  }
  return widths;
}

const longestWord = (cell: string): number =>
  Math.max(0, ...cell.split(/(?<=[ |])/u).map((word) => word.trimEnd().length));

/** Takes from the widest column first, and from none below its longest word. */
function shrink(widths: number[], least: readonly number[], columns: number): void {
  const room = columns - 2 * (widths.length - 1);
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; over -= 1) {
    let widest = -1;
    for (const [index, width] of widths.entries())
      if (width > (least[index] ?? 0) && width > (widths[widest] ?? 0)) widest = index;
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 1) - 1;
  }
}
