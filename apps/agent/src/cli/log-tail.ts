import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Bytes of the log's end that are shown, and read at once. */
const tailBytes = 65_536;
/** Files put aside that are looked through for the one that was read last; the configuration allows as many. */
const asideMax = 100;
/** Times they are looked through when the log is put aside while we look. */
const walksMax = 20;

/**
 * Each call says what was written since the last one; the first says the end of the file. A log that was put aside meanwhile is read to its end, then
 * those after it: no line is left out while `logging.rotate.keep` holds them.
 */
export function tail(file: string, say: (text: string) => void): () => void {
  const decoder = new TextDecoder();
  const chunk = Buffer.alloc(tailBytes);
  let handle = openSync(file, 'r');
  let at = Math.max(0, fstatSync(handle).size - tailBytes);
  const read = (): void => {
    // A file smaller than before was emptied.
    if (fstatSync(handle).size < at) at = 0;
    for (let bytes = readSync(handle, chunk, 0, tailBytes, at); bytes > 0;) {
      at += bytes;
      say(decoder.decode(chunk.subarray(0, bytes), { stream: true }));
      bytes = readSync(handle, chunk, 0, tailBytes, at);
    }
  };
  return () => {
    read();
    for (const next of newerThan(handle, file)) {
      // Its last lines may have come between the reading and the looking.
      read();
      closeSync(handle);
      handle = next;
      at = 0;
      read();
    }
  };
}

/** The files that came after an open one, opened, oldest first: `peerai.log`, and `peerai.log.1` … between. */
function newerThan(handle: number, file: string): readonly number[] {
  const { ino } = fstatSync(handle);
  for (let attempt = 1; ; attempt += 1) {
    const newer = walk(file, ino);
    const [newest] = newer.keys();
    // A log put aside meanwhile would stand in the wrong place: look again, unless it happens all the time.
    if (attempt === walksMax || ino === inodeOf(file) || newest === inodeOf(file))
      return [...newer.values()].toReversed();
    for (const one of newer.values()) closeSync(one);
  }
}

/** From the newest file to the one with this inode, each once, whatever is renamed upwards meanwhile: inode to handle. */
function walk(file: string, ino: number): ReadonlyMap<number, number> {
  const newer = new Map<number, number>();
  for (let number = 0; number <= asideMax; number += 1) {
    const one = openIfThere(number === 0 ? file : `${file}.${number}`);
    // While files are put aside, one number after the other has none.
    if (one === undefined) continue;
    const its = fstatSync(one).ino;
    if (its === ino || newer.has(its)) closeSync(one);
    else newer.set(its, one);
    if (its === ino) break;
  }
  return newer;
}

const inodeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.ino;

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
