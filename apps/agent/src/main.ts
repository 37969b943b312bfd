#!/usr/bin/env node
import { exitCodes } from './cli/exit-codes.ts';
import { nearest, overview, verbs } from './cli/verbs.ts';
import { version } from './version.ts';

async function main(args: readonly string[]): Promise<void> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(overview(version));
    return;
  }
  if (word === '--version' || word === '-V') {
    process.stdout.write(`${version}\n`);
    return;
  }
  const entry = verbs[word];
  if (entry === undefined) return unknown(word, Object.keys(verbs));
  const verb = await entry.load();
  const [subWord] = rest;
  const sub = subWord === undefined ? undefined : verb.subs?.[subWord];
  const chosen = sub ?? verb.run;
  const { renderUsage, runCommand } = await import('citty');
  if (rest.includes('--help') || rest.includes('-h')) {
    const subs = sub === undefined && verb.subs !== undefined ? `\nVerbs: ${Object.keys(verb.subs).join(', ')}\n` : '';
    process.stdout.write(`${chosen === undefined ? `peerai ${entry.usage}: ${entry.says}\n` : `${await renderUsage(chosen)}\n`}${subs}`);
    return;
  }
  if (chosen === undefined) return unknown(`${word} ${subWord ?? ''}`.trim(), Object.keys(verb.subs ?? {}).map((one) => `${word} ${one}`));
  await runCommand(chosen, { rawArgs: sub === undefined ? rest : rest.slice(1) }).catch((error: unknown) => {
    process.stderr.write(`peerai ${word}: ${error instanceof Error ? error.message : String(error)}\n  peerai ${word} --help\n`);
    process.exit(exitCodes.usage);
  });
}

function unknown(word: string, words: readonly string[]): never {
  const meant = nearest(word, words);
  process.stderr.write(`peerai: there is no "${word}"${meant === undefined ? '' : `; did you mean "peerai ${meant}"?`}\n  peerai --help\n`);
  process.exit(exitCodes.usage);
}

await main(process.argv.slice(2));
