#!/usr/bin/env node
import type { ArgsDef } from 'citty';
import type { AnyCommand } from './cli/command.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { negativeWordsLast } from './cli/negative-words.ts';
import { readWords } from './cli/read-words.ts';
import { joinRepeated } from './cli/repeated-flags.ts';
import { nearest, overview, verbs } from './cli/verbs.ts';
import { version } from './version.ts';
import { withSmallBufferPool, withSmallYoungHeap } from './cli/young-heap.ts';

const nodeMin = 24;

async function main(args: readonly string[]): Promise<void> {
  const { word, rest, wantsHelp } = readWords(args);
  if (word === '--version' || word === '-V') {
    process.stdout.write(`${version}\n`);
    return;
  }
  if (word === undefined || word === 'help') {
    process.stdout.write(overview(version, process.stdout.columns));
    return;
  }
  const entry = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (entry === undefined) return unknown(word, Object.keys(verbs), args, '--help');
  refuseOldNode();
  if (word === 'up' && !wantsHelp) withSmallYoungHeap();
  withSmallBufferPool();
  // citty looks at this once, when it is loaded.
  if (!process.stdout.isTTY || args.includes('--no-color')) process.env['NO_COLOR'] = '1';
  const verb = await entry.load();
  const [subWord] = rest;
  const subs = verb.subs ?? {};
  const sub = subWord !== undefined && Object.hasOwn(subs, subWord) ? subs[subWord] : undefined;
  const chosen = sub ?? verb.run;
  const { renderUsage, runCommand } = await import('citty');
  if (wantsHelp) {
    const all = sub === undefined ? verbList(word, subs) : '';
    const head = all === '' ? '' : `peerai ${word}: ${entry.says}\n\n${all}\n`;
    const usage = chosen === undefined ? '' : await renderUsage(chosen, parentOf(chosen, word));
    process.stdout.write(`${head}${usage}\n`);
    return;
  }
  const isSubMissing = sub === undefined && subWord !== undefined && !subWord.startsWith('-');
  if (chosen === undefined || (isSubMissing && verb.subs !== undefined && !takesWords(chosen.args))) {
    const siblings = Object.keys(subs).map((one) => `${word} ${one}`);
    return unknown(`${word} ${subWord ?? ''}`.trim(), siblings, args, `${word} --help`);
  }
  const said = sub === undefined ? word : `${word} ${subWord ?? ''}`;
  const known = (chosen.args ?? {}) as ArgsDef;
  const { words, twice } = joinRepeated(negativeWordsLast(sub === undefined ? rest : rest.slice(1), known), known);
  if (twice !== undefined) return misused(`${twice} is given twice`, args, `${said} --help`);
  await runCommand(chosen, { rawArgs: [...words] }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const missing = /^Missing required (?:positional )?argument: (.+)$/u.exec(reason)?.[1];
    return misused(missing === undefined ? reason : `${said}: ${missing} is missing`, args, `${said} --help`);
  });
}

/** The store needs node:sqlite; an older Node would only say that it knows no such module. */
function refuseOldNode(): void {
  if (Number(process.versions.node.split('.')[0]) >= nodeMin) return;
  process.stderr.write(
    `peerai: this is Node ${process.versions.node}; peerai needs ${nodeMin} or newer\n  In the repository: pnpm exec peerai, which brings its own.\n`,
  );
  process.exit(exitCodes.failure);
}

/** Every verb of a noun with its words and what it does, a line each. */
function verbList(word: string, subs: Readonly<Record<string, AnyCommand>>): string {
  const lines = Object.entries(subs).map(([name, { args, meta }]) => {
    const words = Object.entries((args ?? {}) as ArgsDef).flatMap(([key, { type, ...definition }]) =>
      type !== 'positional' ? [] : [definition.required === true ? `<${key}>` : `[${key}]`],
    );
    const { description = '' } = (meta ?? {}) as { readonly description?: string };
    return [['peerai', word, name, ...words].join(' '), description] as const;
  });
  const width = Math.max(0, ...lines.map(([usage]) => usage.length));
  return lines.map(([usage, says]) => `  ${usage.padEnd(width)}   ${says}\n`).join('');
}

/** The words before a command's own name in its usage line. */
const parentOf = (chosen: AnyCommand, word: string): AnyCommand => {
  const isVerb = (chosen.meta as { readonly name?: string } | undefined)?.name === word;
  return { meta: { name: isVerb ? 'peerai' : `peerai ${word}` } };
};

const takesWords = (args: unknown): boolean =>
  Object.values((args ?? {}) as Record<string, { type?: string }>).some(({ type }) => type === 'positional');

function unknown(word: string, words: readonly string[], args: readonly string[], help: string): Promise<never> {
  const meant = nearest(word, words);
  const guess = meant === undefined ? '' : `; did you mean "peerai ${meant}"?`;
  return misused(`there is no "${word}"${guess}`, args, help);
}

/** Words that no command takes end like its other failures, as JSON where that was asked for. */
async function misused(message: string, args: readonly string[], help: string): Promise<never> {
  const [{ fail }, { PeerAiError }] = await Promise.all([import('./cli/output.ts'), import('@peerai/core-protocol')]);
  const asked = { json: args.includes('--json'), jsonl: args.includes('--jsonl') };
  return fail(new PeerAiError('USAGE', message, { hint: `See: peerai ${help}` }), asked);
}

// `peerai ledger export | head` closes our output early: that is no failure.
process.stdout.on('error', (error: { readonly code?: string }) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});
await main(process.argv.slice(2));
