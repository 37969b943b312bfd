import { createReadStream, existsSync, statSync, watch } from 'node:fs';
import { once } from 'node:events';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { foldersOf } from '../locate.ts';

/** Bytes of the log's end that are shown. */
const tailBytes = 65_536;

export const logs: Verb = {
  run: command('logs', 'The end of the log file', { follow: { type: 'boolean', alias: 'f', description: 'Go on printing' } } as const, async ({ args, signal }) => {
    const file = foldersOf(args).files.log;
    if (!existsSync(file)) throw new PeerAiError('NOT_FOUND', `there is no log at ${file}`, { hint: '`peerai up --detach` writes one; in the foreground the log is on your screen.' });
    let at = Math.max(0, statSync(file).size - tailBytes);
    const print = async (): Promise<void> => {
      const size = statSync(file).size;
      if (size < at) at = 0;
      if (size === at) return;
      const stream = createReadStream(file, { start: at, end: size - 1 });
      at = size;
      stream.pipe(process.stdout, { end: false });
      await once(stream, 'end');
    };
    await print();
    if (args.follow !== true) return;
    const watcher = watch(file);
    signal.addEventListener('abort', () => watcher.close());
    for await (const _ of changes(watcher, signal)) await print();
  }),
};

async function* changes(watcher: ReturnType<typeof watch>, signal: AbortSignal): AsyncIterable<void> {
  while (!signal.aborted) {
    await once(watcher, 'change', { signal }).catch(() => undefined);
    yield;
  }
}
