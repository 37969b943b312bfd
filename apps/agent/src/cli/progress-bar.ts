/** How far something is, for the line that `Output.progress` overwrites: on a terminal only, and never with `--json`. */
import { sizeText } from './open-file.ts';
import type { Output } from './output.ts';

const signs = 20;

/** Whole percent that are there; all of them only when everything is. */
export const percentOf = (part: number, whole: number): number =>
  whole <= 0 ? 100 : Math.floor((100 * Math.min(Math.max(part, 0), whole)) / whole);

/** Twenty signs, of which as many are full as the part is of the whole; all of them only when everything is there. */
export function bar(part: number, whole: number): string {
  const done = Math.floor((signs * percentOf(part, whole)) / 100);
  return `${'█'.repeat(done)}${'░'.repeat(signs - done)}`;
}

/** `name: ██░░… 12 % of 3.4 MiB`. */
export const bytesBar = (name: string, moved: number, bytes: number): string =>
  `${name}: ${bar(moved, bytes)} ${percentOf(moved, bytes)} % of ${sizeText(bytes)}`;

/** `name: ██░░… 12 % of 300 capsules`. */
export const countBar = (name: string, done: number, all: number, what: string): string =>
  `${name}: ${bar(done, all)} ${percentOf(done, all)} % of ${all} ${what}`;

/** Draws a bar for each whole percent of the bytes, however small their pieces are. */
export function byteProgress(output: Pick<Output, 'progress'>, name: string, bytes: number): (moved: number) => void {
  let told = '';
  return (moved) => {
    const line = bytesBar(name, moved, bytes);
    if (line === told) return;
    told = line;
    output.progress(line);
  };
}

/** A file that says how many of its bytes were read, each time it is sent. */
export class CountedFile extends Blob {
  readonly #moved: (bytes: number) => void;

  constructor(file: Blob, moved: (bytes: number) => void) {
    super([file], { type: file.type });
    this.#moved = moved;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let moved = 0;
    const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (piece, out) => {
        moved += piece.length;
        this.#moved(moved);
        out.enqueue(piece);
      },
    });
    return super.stream().pipeThrough(counting);
  }
}
