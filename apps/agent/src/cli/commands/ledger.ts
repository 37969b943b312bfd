import { writeFileSync } from 'node:fs';
import { fromBase64Url, PeerAiError } from '@peerai/core-protocol';
import type { LedgerEntryView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { counted, shortId } from '../words.ts';

const pageMax = 500;

const tail = command(
  'tail',
  'The newest entries',
  { n: { type: 'string', default: '20', valueHint: 'N', description: 'How many' } } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const [{ entries }, { peerId }] = await Promise.all([
      client.ledgerEntries({ limit: count(args.n) }),
      client.node(),
    ]);
    output.data({ entries }, () =>
      entries.length === 0
        ? 'No entries yet: an answer from or to another peer makes one, and so does a round of training together.'
        : table([['#', 'TIME', 'KIND', 'WHAT'], ...entries.map((entry) => row(entry, peerId))]),
    );
  },
);

const verify = command(
  'verify',
  'Check every entry, hash and signature on disk',
  {},
  async ({ agent, output, signal }) => {
    const result = await (await agent()).client.verifyLedger(signal);
    output.data(result, () =>
      result.ok
        ? `✓ ${counted(result.checked, 'entry', 'entries')}, ${counted(result.receipts, 'receipt', 'receipts')} signed by both sides${result.rounds === 0 ? '' : `, ${counted(result.rounds, 'training round', 'training rounds')}`}: all good.`
        : `⊗ entry ${result.firstBad?.index ?? '?'}: ${result.firstBad?.reason ?? 'damaged'} (${result.checked} before it are good)`,
    );
    if (!result.ok) process.exitCode = 6;
  },
);

const prove = command(
  'prove',
  'One file that proves an entry offline',
  {
    index: { type: 'positional', required: true, description: 'Place of the entry' },
    out: { type: 'string', valueHint: 'FILE', description: 'Write there (default: entry-N.proof)' },
  } as const,
  async ({ args, agent, output }) => {
    const index = count(args.index, 0);
    const { proof, entry } = await (await agent()).client.prove(index);
    const file = args.out ?? `entry-${index}.proof`;
    writeFileSync(file, fromBase64Url(proof));
    writeFileSync(`${file}.entry`, fromBase64Url(entry));
    output.data({ index, file }, () => `${file} and ${file}.entry`);
  },
);

const exportAll = command('export', 'All entries as lines of JSON', {}, async ({ agent }) => {
  const { client } = await agent();
  for (let from = 0; ; from += pageMax) {
    const { entries, size } = await client.ledgerEntries({ from, limit: pageMax });
    for (const entry of entries) process.stdout.write(`${JSON.stringify({ v: 1, ...entry })}\n`);
    if (from + pageMax >= size) return;
  }
});

function row({ index, timeMs, kind, receipt, training }: LedgerEntryView, self: string): string[] {
  const time = new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
  if (training !== undefined) return [`${index}`, time, kind, roundText(training)];
  if (receipt === undefined) return [`${index}`, time, kind, ''];
  const gave = receipt.provider === self;
  const other = shortId(gave ? receipt.consumer : receipt.provider);
  return [
    `${index}`,
    time,
    kind,
    `${gave ? `answered ${other}` : `answer of ${other}`} · ${receipt.model} · ${receipt.promptTokens}+${receipt.answerTokens} tokens · ${receipt.signedBy === 'both' ? 'signed ✓' : 'half signed'}`,
  ];
}

function roundText(training: NonNullable<LedgerEntryView['training']>): string {
  const { run, round, before, after, counted: updates, refused, own } = training;
  const out = refused === 0 ? '' : `, ${refused} refused`;
  const mine = own === null ? 'without its own' : 'its own among them';
  return `round ${round + 1} of ${run.slice(0, 8)} · ${counted(updates, 'update', 'updates')}${out}, ${mine} · ${before.slice(0, 8)} → ${after.slice(0, 8)}`;
}

function count(text: string, min = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > 1_000_000_000)
    throw new PeerAiError('USAGE', `"${text}" must be a whole number from ${min}`);
  return value;
}

export const ledger: Verb = { run: tail, subs: { tail, verify, prove, export: exportAll } };
