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

/** Columns as wide as their longest cell, two blanks between. A cell has no line of its own. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => plain(cell).replaceAll(/\s+/g, ' ')));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ');
  return cells.map((row) => line(row).trimEnd()).join('\n');
}
