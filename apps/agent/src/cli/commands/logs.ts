import { once } from 'node:events';
import { closeSync, existsSync, type FSWatcher, openSync, readSync, statSync, watch } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { foldersOf } from '../locate.ts';
import { plain } from '../plain.ts';

/** Bytes of the log's end that are shown, and read at once. */
const tailBytes = 65_536;

export const logs: Verb = {
  run: command(
    'logs',
    'The end of the log file',
    { follow: { type: 'boolean', alias: 'f', description: 'Go on printing' } } as const,
    async ({ args, signal }) => {
      const file = foldersOf(args).files.log;
      if (!existsSync(file)) {
        const hint = '`peerai up --detach` writes one; in the foreground the log is on your screen.';
        throw new PeerAiError('NOT_FOUND', `there is no log at ${file}`, { hint });
      }
      const printNew = tail(file);
      printNew();
      if (args.follow !== true) return;
      const watcher = watch(file);
      signal.addEventListener('abort', () => watcher.close());
      for await (const _ of changes(watcher, signal)) printNew();
    },
  ),
};

/** Each call prints what was written since the last one; the first prints the end of the file. */
function tail(file: string): () => void {
  const decoder = new TextDecoder();
  const chunk = Buffer.alloc(tailBytes);
  let handle = openSync(file, 'r');
  let at = Math.max(0, statSync(file).size - tailBytes);
  return () => {
    // A file smaller than before is a new one: the log was rotated.
    if (statSync(file).size < at) {
      closeSync(handle);
      handle = openSync(file, 'r');
      at = 0;
    }
    for (let read = readSync(handle, chunk, 0, tailBytes, at); read > 0;) {
      at += read;
      process.stdout.write(plain(decoder.decode(chunk.subarray(0, read), { stream: true })));
      read = readSync(handle, chunk, 0, tailBytes, at);
    }
  };
}

async function* changes(watcher: FSWatcher, signal: AbortSignal): AsyncIterable<void> {
  while (!signal.aborted) {
    await once(watcher, 'change', { signal }).catch(() => undefined);
    yield;
  }
}
