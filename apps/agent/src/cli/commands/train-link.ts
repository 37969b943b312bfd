import { basename } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import type { TrainingLinkView } from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command } from '../command.ts';
import { openFile, sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { counted, until } from '../words.ts';

const run = { type: 'positional', required: true, description: 'Name of the run, or the beginning of its id' } as const;

export const link = command(
  'link',
  'Make a link: whoever opens it in a browser may take part in a run that this device coordinates',
  {
    run,
    for: { type: 'string', valueHint: '2h', description: 'How long the link lives, 2 hours unless said' },
    visitors: { type: 'string', valueHint: 'N', description: 'Browsers that may come with it, 8 unless said' },
    data: {
      type: 'string',
      valueHint: 'FILE',
      description: 'Data to hand out, a part to each; else they bring their own',
    },
    qr: { type: 'boolean', description: 'Also show the link as a QR code' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const visitors = args.visitors === undefined ? undefined : Number(args.visitors);
    if (visitors !== undefined && !(Number.isInteger(visitors) && visitors > 0))
      throw new PeerAiError('USAGE', `--visitors is "${args.visitors}"; it must be a whole number from 1`);
    const life = args.for === undefined ? {} : { forMs: parseDurationMs(args.for) };
    const bytes = args.data === undefined ? undefined : await openFile(args.data);
    const { client } = await agent();
    const data =
      bytes === undefined ? undefined : (await client.readTrainingData(basename(args.data ?? ''), bytes, signal)).id;
    const wish = { ...life, ...(visitors === undefined ? {} : { visitors }), ...(data === undefined ? {} : { data }) };
    const made = await client.trainingLink(args.run, wish, signal);
    if (args.qr === true && !output.json) {
      const { renderUnicodeCompact } = await import('uqr');
      output.note(renderUnicodeCompact(made.link));
    }
    output.data({ link: made }, () => made.link);
    if (made.warning !== undefined) output.note(`△ ${made.warning}`);
    output.note(
      made.handed === null
        ? 'Visitors bring their own data, which stays in their browsers.'
        : `Whoever has the link may read a part of ${made.handed.name} (${sizeText(made.handed.bytes)} in all).`,
    );
    output.note(
      `${made.run.name} · ${counted(made.visitorsMax, 'visitor', 'visitors')} · ${until(made.expiresMs)} · stop it: peerai train unlink ${made.id}`,
    );
  },
);

export const links = command(
  'links',
  'Links into a run, and who came',
  { run } as const,
  async ({ args, agent, output, signal }) => {
    const { links: all } = await (await agent()).client.trainingLinks(args.run, signal);
    output.data({ links: all }, () =>
      all.length === 0
        ? `No links. Make one: peerai train link ${args.run}`
        : table([['ID', 'STATE', 'VISITORS', 'HANDS OUT', 'ENDS'], ...all.map(row)]),
    );
  },
);

export const unlink = command(
  'unlink',
  'Stop a link: from now on it is refused, and who came with it is out',
  { id: { type: 'positional', required: true, description: 'Id from `peerai train links`' } } as const,
  async ({ args, agent, output }) => {
    const stopped = await (await agent()).client.stopTrainingLink(args.id);
    output.data({ link: stopped }, () => `Stopped ${stopped.id}: the link is dead; the run goes on.`);
  },
);

const row = ({ id, state, visitors, visitorsMax, handed, expiresMs }: TrainingLinkView): string[] => [
  id,
  state,
  `${visitors.length}/${visitorsMax}`,
  handed === null ? 'nothing' : handed.name,
  state === 'active' ? until(expiresMs) : '-',
];
