import { once } from 'node:events';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { foldersOf, type LocateFlags, readInstance } from '../locate.ts';
import { tail } from '../log-tail.ts';
import { plain } from '../plain.ts';

export const logs: Verb = {
  run: command(
    'logs',
    'The end of the log file',
    {
      follow: { type: 'boolean', alias: 'f', description: 'Go on printing; with --json a line of JSON for each' },
    } as const,
    async ({ args, output, signal }) => {
      const file = await logFile(args);
      if (!existsSync(file)) {
        const hint =
          '`peerai up --detach` writes one, and so does `logging.file`; else the log is on the screen of `up`.';
        throw new PeerAiError('NOT_FOUND', `there is no log at ${file}`, { hint });
      }
      if (output.json && args.follow !== true) {
        const lines: { readonly text: string }[] = [];
        const take = linesOf((text) => lines.push({ text }));
        tail(file, take.more)();
        take.end();
        output.data({ file, lines }, () => '');
        return;
      }
      const { more } = linesOf((text) => output.data({ text }, () => ''));
      const printNew = tail(file, output.json ? more : (text) => void process.stdout.write(plain(text)));
      if (args.follow !== true) return printNew();
      // The folder, not the file: a log that is put aside keeps its own watcher.
      const watcher = watch(dirname(file));
      signal.addEventListener('abort', () => watcher.close());
      printNew();
      for await (const _ of changes(watcher, basename(file), signal)) printNew();
    },
  ),
};

/** Whole lines out of pieces; the last one, without its end, is said at the end. */
function linesOf(say: (line: string) => void): { more(this: void, text: string): void; end(this: void): void } {
  let rest = '';
  return {
    more(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) say(line);
    },
    end() {
      if (rest !== '') say(rest);
      rest = '';
    },
  };
}

/** Where the running agent writes; else where the configuration says the next one will; else where a detached one does. */
async function logFile(flags: LocateFlags): Promise<string> {
  const running = readInstance(flags)?.log;
  if (running !== undefined) return running;
  const { loadConfig } = await import('@peerai/platform/node');
  const home = flags.home ?? process.env['PEERAI_HOME'];
  const { config } = loadConfig({ env: process.env, ...(home === undefined || home === '' ? {} : { home }) });
  return resolve(config.logging.file ?? foldersOf(flags).files.log);
}

async function* changes(watcher: FSWatcher, name: string, signal: AbortSignal): AsyncIterable<void> {
  while (!signal.aborted) {
    const [, changed] = (await once(watcher, 'change', { signal }).catch(() => [])) as [string?, string?];
    if (changed === undefined || changed === null || changed === name) yield;
  }
}
