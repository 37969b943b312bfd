import { writeFileSync } from 'node:fs';
import { fromBase64Url, PeerAiError, toBase64Url } from '@peerai/core-protocol';
import type { LogsView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { openFile } from '../open-file.ts';
import { table } from '../plain.ts';
import { ago, counted, shortId } from '../words.ts';

export const origins = command(
  'origins',
  'Copies of other peers’ logs, and who was proven to have two histories',
  {},
  async ({ agent, output, signal }) => {
    const logs = await (await agent()).client.logs(signal);
    output.data(logs, () => logsText(logs));
  },
);

export const witness = command(
  'witness',
  'Let every device that is here sign this log’s head, and look at theirs',
  {},
  async ({ agent, output, signal }) => {
    const logs = await (await agent()).client.witnessLogs(signal);
    output.data(logs, () => `${ownText(logs)}\n${witnessedText(logs)}`);
  },
);

export const check = command(
  'check',
  'Compare the messages that are kept with what the log says of them',
  {},
  async ({ agent, output, signal }) => {
    const found = await (await agent()).client.checkMessages(signal);
    output.data(found, () => {
      const { kept, received, sent, missing, older, dropped } = found;
      const counts = `${counted(kept, 'message', 'messages')} kept; the log has ${received} received and ${sent} sent`;
      const before = older === 0 ? '' : `; ${older} the log began with`;
      const wrong = [
        ...(missing.length === 0
          ? []
          : [
              `${counted(missing.length, 'message has', 'messages have')} no entry, put in or changed since: ${missing.slice(0, 8).join(', ')}`,
            ]),
        ...(dropped.length === 0
          ? []
          : [
              `${counted(dropped.length, 'entry has', 'entries have')} no message any more, taken away or changed since: ${dropped.slice(0, 8).join(', ')}`,
            ]),
      ];
      return wrong.length === 0 ? `✓ ${counts}: all have their entry${before}.` : `⊗ ${counts}: ${wrong.join('; ')}`;
    });
    if (!found.ok) process.exitCode = 6;
  },
);

const someone = {
  origin: { type: 'positional', required: true, description: 'Peer id, its beginning, or a device’s name' },
} as const;

export const evidence = command(
  'evidence',
  'Bytes that prove to anybody that a peer has two histories, or such bytes from a file',
  {
    ...someone,
    origin: { ...someone.origin, required: false },
    out: { type: 'string', valueHint: 'FILE', description: 'Write there (default: <origin>.fork)' },
    add: { type: 'string', valueHint: 'FILE', description: 'Take evidence that somebody else found' },
  } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    if (args.add !== undefined) {
      const file = await openFile(args.add);
      const logs = await client.accuse(toBase64Url(await file.bytes()));
      output.data(logs, () => forkedText(logs));
      return;
    }
    const { origin } = args;
    if (origin === undefined)
      throw new PeerAiError('USAGE', 'say whose: peerai ledger evidence <peer>', {
        hint: '`peerai ledger origins` names who is known to have two histories.',
      });
    const file = args.out ?? `${origin.replaceAll(/[^\w-]/gu, '_').slice(0, 64)}.fork`;
    writeFileSync(file, fromBase64Url(await client.forkEvidence(origin)));
    output.data({ origin, file }, () => file);
  },
);

export const pardon = command(
  'pardon',
  'Deal with a peer that has two histories all the same',
  { ...someone, off: { type: 'boolean', description: 'Refuse it again' } } as const,
  async ({ args, agent, output }) => {
    const logs = await (await agent()).client.pardon(args.origin, args.off !== true);
    output.data(logs, () => forkedText(logs));
  },
);

function logsText(logs: LogsView): string {
  const copies = logs.copies.map(({ name, origin, size, headSize, trouble }) => [
    name,
    shortId(origin),
    size === headSize ? `${size}` : `${size} of ${headSize}`,
    trouble ?? 'every entry checked as it came',
  ]);
  return [
    ownText(logs),
    copies.length === 0 ? 'No copies of other logs yet.' : table([['LOG OF', 'KEY', 'ENTRIES', ''], ...copies]),
    ...(logs.forked.length === 0 ? [] : [forkedText(logs)]),
  ].join('\n');
}

function ownText({ own }: LogsView): string {
  const { size, cosignedSize, cosigners, trouble } = own;
  const signed =
    cosigners.length === 0
      ? 'nobody else has signed it yet'
      : `${cosigners.map(({ name, timeS }) => `${name} (${ago(timeS * 1_000)})`).join(', ')} signed it at ${cosignedSize}`;
  return `This log: ${counted(size, 'entry', 'entries')}; ${signed}.${trouble === undefined ? '' : `\n⊗ ${trouble}`}`;
}

function witnessedText({ witnessed }: LogsView): string {
  return witnessed.length === 0
    ? 'This peer stands for no other log yet.'
    : `This peer stands for ${witnessed.map(({ name, size }) => `${name} at ${size}`).join(', ')}.`;
}

function forkedText({ forked }: LogsView): string {
  if (forked.length === 0) return 'Nobody was proven to have two histories.';
  return forked
    .map(
      ({ name, origin, sizes: [a = 0, b = 0], sinceMs, refused }) =>
        `⊗ ${name} ${shortId(origin)} signed two histories (at ${a === b ? a : `${a} and ${b}`} entries), found ${ago(sinceMs)}: ${refused ? 'refused' : 'not refused here'}.`,
    )
    .join('\n');
}
