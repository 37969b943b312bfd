import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/rounds/', import.meta.url));

/** Results of parts that take minutes, each kept in a file until the whole is done: a run that broke goes on where it was. */
export interface Kept {
  /** What was kept under the same terms, or what `work` gives. */
  part<T>(name: string, terms: unknown, work: () => Promise<T>): Promise<T>;
  /** The whole is done: the next run measures anew. */
  forget(): void;
}

/** @param log - hears which parts were not measured anew. */
export function keptParts(log: (line: string) => void, folder = cache): Kept {
  const used: string[] = [];
  return {
    async part<T>(name: string, terms: unknown, work: () => Promise<T>): Promise<T> {
      const key = createHash('sha256')
        .update(JSON.stringify([name, terms]))
        .digest('hex');
      const file = join(folder, `${key.slice(0, 24)}.json`);
      used.push(file);
      const before = read(file);
      if (before !== undefined) {
        log(`${name}: kept from a run that was broken off`);
        return before as T;
      }
      const result = await work();
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, JSON.stringify(result));
      return result;
    },
    forget() {
      for (const file of used) rmSync(file, { force: true });
    },
  };
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
