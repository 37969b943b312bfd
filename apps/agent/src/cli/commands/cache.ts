import type { FetchedView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { ago } from '../words.ts';

const which = {
  sha256: { type: 'positional', required: true, description: 'SHA-256 of the file, 64 hex digits' },
} as const;

const ls = command('ls', 'What was fetched, used last first', {}, async ({ agent, output, signal }) => {
  const view = await (await agent()).client.cache(signal);
  output.data(view, () => {
    const used = `${sizeText(view.bytes)} of ${sizeText(view.quotaBytes)} (cache.quota)`;
    const offer = view.offered
      ? 'devices that may chat fetch from here'
      : 'only your own devices fetch from here (cache.offer)';
    if (view.files.length === 0) return `Nothing yet; ${used}; ${offer}.`;
    const rows = view.files.map((one) => [
      one.sha256,
      sizeText(one.bytes),
      one.fromName,
      ago(one.fetchedMs),
      ago(one.usedMs),
    ]);
    return `${table([['SHA-256', 'SIZE', 'FROM', 'FETCHED', 'USED'], ...rows])}\n\n${used}; ${offer}.`;
  });
});

const get = command(
  'get',
  'Fetch a model file, or a capsule, from the nearest device that has it',
  {
    ...which,
    import: { type: 'string', valueHint: 'NAME', description: 'Import the model under this name then' },
    capsule: { type: 'boolean', description: 'It is the id of a capsule: it is kept in the memory' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (
      await agent()
    ).client.fetchToCache(
      {
        sha256: args.sha256,
        ...(args.capsule === true ? { kind: 'capsule' as const } : {}),
        ...(args.import === undefined ? {} : { importAs: args.import }),
      },
      signal,
    );
    output.data(found, () => textOf(found));
  },
);

const rm = command('rm', 'Remove a file from the cache', which, async ({ args, agent, output }) => {
  await (await agent()).client.removeFromCache(args.sha256);
  output.data({ removed: args.sha256 }, () => 'Removed.');
});

export const cache: Verb = { run: ls, subs: { ls, get, rm } };

function textOf({ bytes, wasHere, asked, importedAs }: FetchedView): string {
  const imported = importedAs === undefined ? '' : `\nImported as ${importedAs}: peerai models show ${importedAs}`;
  if (wasHere) return `It is here already, ${sizeText(bytes)}.${imported}`;
  const rows = asked.map((one) => [
    one.name,
    one.roundTripMs === null ? '-' : `${one.roundTripMs.toFixed(1)} ms`,
    one.code === null ? `gave it, ${sizeText(bytes)}` : `${one.code}: ${one.reason ?? ''}`,
  ]);
  return `${table([['ASKED', 'ROUND TRIP', 'ANSWER'], ...rows])}${imported}`;
}
