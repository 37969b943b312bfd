#!/usr/bin/env node
import { exitCodes } from './cli/exit-codes.ts';
import { readWords } from './cli/read-words.ts';
import { nearest, overview, verbs } from './cli/verbs.ts';
import { version } from './version.ts';

async function main(args: readonly string[]): Promise<void> {
  const { word, rest, wantsHelp } = readWords(args);
  if (word === '--version' || word === '-V') {
    process.stdout.write(`${version}\n`);
    return;
  }
  if (word === undefined || word === 'help') {
    process.stdout.write(overview(version));
    return;
  }
  const entry = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (entry === undefined) return unknown(word, Object.keys(verbs));
  const verb = await entry.load();
  const [subWord] = rest;
  const subs = verb.subs ?? {};
  const sub = subWord !== undefined && Object.hasOwn(subs, subWord) ? subs[subWord] : undefined;
  const chosen = sub ?? verb.run;
  // citty looks at this once, when it is loaded.
  if (!process.stdout.isTTY || args.includes('--no-color')) process.env['NO_COLOR'] = '1';
  const { renderUsage, runCommand } = await import('citty');
  if (wantsHelp) {
    const more = sub === undefined && verb.subs !== undefined ? `\nVerbs: ${Object.keys(subs).join(', ')}\n` : '';
    const usage = chosen === undefined ? `peerai ${entry.usage}: ${entry.says}` : await renderUsage(chosen);
    process.stdout.write(`${usage}\n${more}`);
    return;
  }
  const isSubMissing = sub === undefined && subWord !== undefined && !subWord.startsWith('-');
  if (chosen === undefined || (isSubMissing && verb.subs !== undefined && !takesWords(chosen.args))) {
    return unknown(
      `${word} ${subWord ?? ''}`.trim(),
      Object.keys(subs).map((one) => `${word} ${one}`),
    );
  }
  await runCommand(chosen, { rawArgs: sub === undefined ? [...rest] : rest.slice(1) }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`peerai ${word}: ${reason}\n  peerai ${word} --help\n`);
    process.exit(exitCodes.usage);
  });
}

const takesWords = (args: unknown): boolean =>
  Object.values((args ?? {}) as Record<string, { type?: string }>).some(({ type }) => type === 'positional');

function unknown(word: string, words: readonly string[]): never {
  const meant = nearest(word, words);
  const guess = meant === undefined ? '' : `; did you mean "peerai ${meant}"?`;
  process.stderr.write(`peerai: there is no "${word}"${guess}\n  peerai --help\n`);
  process.exit(exitCodes.usage);
}

// `peerai ledger export | head` closes our output early: that is no failure.
process.stdout.on('error', (error: { readonly code?: string }) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});
await main(process.argv.slice(2));
