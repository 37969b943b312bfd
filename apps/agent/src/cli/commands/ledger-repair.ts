import { PeerAiError } from '@peerai/core-protocol';
import { command } from '../command.ts';
import { foldersOf } from '../locate.ts';
import { counted, shortId } from '../words.ts';

export const repair = command(
  'repair',
  'Put a damaged log, or one that an older copy took the place of, together again: out of its own rows or a device’s copy',
  {
    from: {
      type: 'string',
      valueHint: 'FOLDER',
      description: 'Out of what `ledger export --tiles` wrote there; the agent is off',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const done = await (args.from === undefined
      ? (await agent()).client.repairLedger(signal)
      : repairFrom(args.from, args));
    const source = args.from ?? `the copy of ${shortId(done.from)}`;
    output.data(done, () =>
      done.restored === 0
        ? `✓ Every entry is there: ${counted(done.size, 'entry', 'entries')}.`
        : `✓ ${counted(done.restored, 'entry', 'entries')} put back out of ${source}; the log has ${counted(done.size, 'entry', 'entries')}.`,
    );
  },
);

async function repairFrom(folder: string, flags: Parameters<typeof foldersOf>[0]) {
  const [{ readFolder }, { repairHome }] = await Promise.all([
    import('./ledger-files.ts'),
    import('../../host/repair-stopped.ts'),
  ]);
  return repairHome(foldersOf(flags), await readFolder(folder));
}

export const goOn = command(
  'go-on',
  'Add to a log that others have seen longer: they will hold two histories against this key',
  {},
  async ({ args, agent, output }) => {
    if (args.yes !== true)
      throw new PeerAiError(
        'USAGE',
        'what others have seen of this log is lost then, and they refuse who signs two histories; say --yes to go on all the same',
        { hint: 'First try `peerai ledger repair`, with the devices on that this one was paired with.' },
      );
    const { own } = await (await agent()).client.ledgerGoOn();
    output.data({ own }, () => `The log goes on from ${counted(own.size, 'entry', 'entries')}.`);
  },
);
