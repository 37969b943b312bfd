import { writeFileSync } from 'node:fs';
import { fromBase64Url, PeerAiError } from '@peerai/core-protocol';
import type { LedgerEntryView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { counted, shortId } from '../words.ts';
import type { Offline } from './ledger-files.ts';
import { statedText } from './ledger-words.ts';
import { anchor } from './ledger-anchor.ts';
import { goOn, repair } from './ledger-repair.ts';
import { check, evidence, origins, pardon, witness } from './ledger-logs.ts';

const pageMax = 500;
const ofLog = {
  origin: { type: 'string', valueHint: 'PEER', description: 'The copy of another peer’s log: its id or name' },
} as const;
const originOf = ({ origin }: { readonly origin?: string | undefined }) => (origin === undefined ? {} : { origin });

const tail = command(
  'tail',
  'The newest entries',
  { n: { type: 'string', default: '20', valueHint: 'N', description: 'How many' }, ...ofLog } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    const [{ entries }, { peerId }] = await Promise.all([
      client.ledgerEntries({ limit: count(args.n), ...originOf(args) }),
      client.node(),
    ]);
    output.data({ entries }, () =>
      entries.length === 0
        ? 'No entries yet: an answer, a message, a lease, a decision or a round of training with another peer makes one.'
        : table([['#', 'TIME', 'KIND', 'WHAT'], ...entries.map((entry) => row(entry, peerId))]),
    );
  },
);

const verify = command(
  'verify',
  'Check every entry, hash and signature on disk; or a proof, a folder or evidence, without an agent',
  {
    ...ofLog,
    from: { type: 'string', valueHint: 'PATH', description: 'A proof file, a folder of tiles, or evidence of a fork' },
    witness: { type: 'string', valueHint: 'ID,ID', description: 'With --from: peers whose signatures count' },
    quorum: { type: 'string', valueHint: 'K', description: 'With --from: how many of them there must be' },
    group: {
      type: 'string',
      valueHint: 'ID',
      description: 'With --from: the group whose chain must have it, by its whole id',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    if (args.from !== undefined) {
      const { verifyOffline } = await import('./ledger-files.ts');
      const witnesses = args.witness?.split(',').filter((id) => id !== '') ?? [];
      const quorum = args.quorum === undefined ? witnesses.length : count(args.quorum, 0);
      const found = await verifyOffline(args.from, { witnesses, quorum, group: args.group });
      output.data(found, () => offlineText(found));
      if (!found.ok) process.exitCode = 6;
      return;
    }
    const result = await (await agent()).client.verifyLedger(signal, args.origin);
    output.data(result, () =>
      result.ok
        ? `✓ ${counted(result.checked, 'entry', 'entries')}, ${counted(result.receipts, 'receipt', 'receipts')} signed by both sides${result.rounds === 0 ? '' : `, ${counted(result.rounds, 'training round', 'training rounds')}`}: all good.`
        : `⊗ entry ${result.firstBad?.index ?? '?'}: ${result.firstBad?.reason ?? 'damaged'} (${result.checked} before it are good)${args.origin === undefined ? '\n  `peerai ledger repair` puts it right.' : ''}`,
    );
    if (!result.ok) process.exitCode = 6;
  },
);

function offlineText({ ok, what, origin, size, index, kind, cosigners, reason, chain }: Offline): string {
  const signed =
    cosigners.length === 0 ? 'nobody else signed it' : `signed too by ${cosigners.map(shortId).join(', ')}`;
  if (!ok) return `⊗ ${reason ?? 'damaged'}`;
  const entries = typeof size === 'string' ? `${size} entries` : counted(size, 'entry', 'entries');
  if (chain !== undefined) return groupText(`✓ entry ${index} (${kind}) of the log of ${origin}`, chain);
  if (what === 'fork') return `✓ proven: ${origin} signed two histories of one log.`;
  return what === 'log'
    ? `✓ all ${entries} and every tile of the log of ${origin}; ${signed}.`
    : `✓ entry ${index} (${kind}) of the log of ${origin}, of ${entries}; ${signed}.`;
}

function groupText(
  entry: string,
  { name, group, height, timeMs, members, faults }: NonNullable<Offline['chain']>,
): string {
  const lies = faults.map((fault) => `  This chain also names its writer for a lie: ${fault}.`);
  return [
    `${entry}, since ${new Date(timeMs).toISOString()} in block ${height} of the group ${name} (${counted(members, 'member', 'members')} then)`,
    `  Group ${group}: ask it of somebody you trust, or name it with --group.`,
    ...lies,
  ].join('\n');
}

const prove = command(
  'prove',
  'One file that proves an entry offline, by its log’s own signature or by a group’s whole chain',
  {
    index: { type: 'positional', required: true, description: 'Place of the entry' },
    out: { type: 'string', valueHint: 'FILE', description: 'Write there (default: entry-N.proof)' },
    group: { type: 'string', valueHint: 'GROUP', description: 'By the chain of this group, which has the log’s head' },
    ...ofLog,
  } as const,
  async ({ args, agent, output, signal }) => {
    const index = count(args.index, 0);
    const file = args.out ?? `entry-${index}.proof`;
    const { client } = await agent();
    if (args.group !== undefined) {
      const { writeGroupProof } = await import('./ledger-group.ts');
      const { group, height } = await writeGroupProof(
        client,
        { group: args.group, index, ...originOf(args) },
        file,
        signal,
      );
      output.data(
        { index, file, group, height },
        () => `${file}; check it anywhere with: peerai ledger verify --from ${file} --group ${group}`,
      );
      return;
    }
    const { proof } = await client.prove(index, args.origin);
    writeFileSync(file, fromBase64Url(proof));
    output.data({ index, file }, () => `${file}; check it anywhere with: peerai ledger verify --from ${file}`);
  },
);

const exportAll = command(
  'export',
  'All entries as lines of JSON, or the log as plain files for any web server',
  {
    ...ofLog,
    tiles: { type: 'string', valueHint: 'DIR', description: 'Write C2SP tlog-tiles there: checkpoint and tile/…' },
  } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    if (args.tiles !== undefined) {
      const { writeTiles } = await import('./ledger-files.ts');
      const folder = args.tiles;
      const size = await writeTiles(client, folder, args.origin);
      output.data(
        { folder, size },
        () =>
          `${counted(size, 'entry', 'entries')} in ${folder}; check them with: peerai ledger verify --from ${folder}`,
      );
      return;
    }
    for (let from = 0; ; from += pageMax) {
      const { entries, size } = await client.ledgerEntries({ from, limit: pageMax, ...originOf(args) });
      for (const entry of entries) process.stdout.write(`${JSON.stringify({ v: 1, ...entry })}\n`);
      if (from + pageMax >= size) return;
    }
  },
);

function row(entry: LedgerEntryView, self: string): string[] {
  const { index, timeMs, kind, receipt, training, message } = entry;
  const time = new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
  if (message !== undefined)
    return [`${index}`, time, kind, `${message.direction} · hash ${message.hash.slice(0, 16)}`];
  if (training !== undefined) return [`${index}`, time, kind, roundText(training)];
  if (receipt === undefined) return [`${index}`, time, kind, statedText(entry)];
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

export const ledger: Verb = {
  run: tail,
  subs: {
    anchor,
    tail,
    verify,
    prove,
    check,
    export: exportAll,
    origins,
    witness,
    repair,
    'go-on': goOn,
    evidence,
    pardon,
  },
};
