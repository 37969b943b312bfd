import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { utf8 } from '@peerai/core-protocol';

export interface RotatingFileOptions {
  readonly path: string;
  /** A line that would make the file longer than this goes into a new one. */
  readonly bytesMax: number;
  /** Old files kept, `<path>.1` the newest; at 0 the file begins anew. */
  readonly keep: number;
}
export interface LineSink {
  write(line: string): void;
  close(): void;
}

/**
 * Lines into a private file (0600) that is put aside at a size. Writes are synchronous: the last words of a dying process are on disk.
 *
 * A disk that refuses must not end the agent: lines are dropped and counted, and the count is the first line written afterwards.
 */
export function openRotatingFile({ path, bytesMax, keep }: RotatingFileOptions): LineSink {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file: number | undefined;
  let size = 0;
  let dropped = 0;
  reopen();

  return {
    write(line) {
      try {
        if (file === undefined) reopen();
        const note =
          dropped > 0 ? `${JSON.stringify({ level: 'warn', event: 'log-lines-dropped', count: dropped })}\n` : '';
        put(utf8(note + line));
        dropped = 0;
      } catch {
        dropped += 1;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };

  function put(bytes: Uint8Array): void {
    if (size > 0 && size + bytes.length > bytesMax) rotate();
    if (file === undefined) return;
    let offset = 0;
    while (offset < bytes.length) {
      const written = writeSync(file, bytes, offset);
      offset += written;
      size += written;
    }
  }

  function rotate(): void {
    if (file !== undefined) closeSync(file);
    file = undefined;
    rmSync(`${path}.${keep}`, { force: true });
    for (let number = keep - 1; number >= 1; number -= 1) moveIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    if (keep > 0) moveIfThere(path, `${path}.1`);
    else rmSync(path, { force: true });
    reopen();
  }

  function reopen(): void {
    file = openSync(path, 'a', 0o600);
    size = fstatSync(file).size;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
