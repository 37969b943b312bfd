import { command } from '../command.ts';
import { table } from '../plain.ts';

/** `peerai ledger anchor`: only when somebody says so, as it costs gas. */
export const anchor = command(
  'anchor',
  'Keep the newest head of this log in the escrow contract: about 69,000 gas the first time, 35,000 later',
  {} as const,
  async ({ agent, output, signal }) => {
    const { client } = await agent();
    const done = await client.anchorLog(signal);
    output.data(done, () =>
      table([
        ['entries', `${done.size}`],
        ['root', done.root],
        ['stands at', done.reference],
        ['transaction', done.sent === null ? 'none: it stood there already' : done.sent.transaction],
        ['gas', done.sent?.gasUsed ?? '0'],
      ]),
    );
  },
);
