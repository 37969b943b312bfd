interface RawRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * A snapshot by memory of what changed: a range that is being read remembers the first old value of every row that a commit touches, and
 * puts it back into the pages it reads later. Its memory grows with what is written meanwhile, not with the range.
 */
export class Undo {
  readonly #reverse: boolean;
  readonly #before = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array | undefined }>();
  #from: Uint8Array<ArrayBuffer>;
  #to: Uint8Array<ArrayBuffer>;
  /** The bound that moves is not part of what is left, once a page was read. */
  #moved = false;
  ended = false;

  constructor(from: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>, reverse: boolean) {
    this.#from = from;
    this.#to = to;
    this.#reverse = reverse;
  }

  /** What is not read yet; undefined when that is nothing. */
  rest(): IDBKeyRange | undefined {
    if (compareBytes(this.#from, this.#to) >= 0) return undefined;
    return IDBKeyRange.bound(this.#from, this.#to, this.#moved && !this.#reverse, true);
  }

  covers(row: Uint8Array): boolean {
    const start = compareBytes(row, this.#from);
    return (start > 0 || (start === 0 && (this.#reverse || !this.#moved))) && compareBytes(row, this.#to) < 0;
  }

  remember(key: Uint8Array, value: Uint8Array | undefined): void {
    const name = key.join();
    if (!this.#before.has(name)) this.#before.set(name, { key, value });
  }

  /** A page as it would have been when reading began. `rows` are in the order of reading; `last` when there are no more. */
  page(rows: readonly RawRow[], last: boolean): readonly RawRow[] {
    const edge = rows.at(-1)?.key;
    const reached = (key: Uint8Array): boolean =>
      last || (edge !== undefined && (this.#reverse ? compareBytes(key, edge) >= 0 : compareBytes(key, edge) <= 0));
    const restored = [...this.#before.values()].filter(({ key }) => this.covers(key) && reached(key));
    if (restored.length === 0) {
      this.#move(edge, last);
      return rows;
    }
    const names = new Set(restored.map(({ key }) => key.join()));
    const merged = rows.filter(({ key }) => !names.has(key.join()));
    for (const { key, value } of restored) if (value !== undefined) merged.push({ key, value });
    const sign = this.#reverse ? -1 : 1;
    merged.sort((a, b) => sign * compareBytes(a.key, b.key));
    this.#move(edge, last);
    return merged;
  }

  #move(edge: Uint8Array | undefined, last: boolean): void {
    this.ended = last;
    this.#moved = true;
    if (edge === undefined) return;
    if (this.#reverse) this.#to = Uint8Array.from(edge);
    else this.#from = Uint8Array.from(edge);
    for (const [name, { key }] of this.#before) if (!this.covers(key)) this.#before.delete(name);
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
