import { writeFileSync } from 'node:fs';
import { command } from '../command.ts';
import { counted } from '../words.ts';

const group = {
  type: 'positional',
  required: true,
  description: 'Name or id of the group, or its beginning',
} as const;
const blocksOf = (count: number): string => counted(count, 'block', 'blocks');

export const head = command(
  'head',
  'The newest head that the group signed with its key: a few lines that anybody can check',
  { group, out: { type: 'string', valueHint: 'FILE', description: 'Write it there' } } as const,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.governanceHead(args.group, signal);
    const { out } = args;
    if (out !== undefined) writeFileSync(out, found.note);
    output.data(found, () =>
      out === undefined
        ? found.note.trimEnd()
        : `${blocksOf(found.size)} in ${out}. To check it anywhere: peerai gov check ${out} --key ${found.key}`,
    );
  },
);

export const exportGroup = command(
  'export',
  'The whole chain in one file, for peerai gov verify --chain and peerai gov check',
  { group, out: { type: 'string', required: true, valueHint: 'FILE', description: 'Write it there' } } as const,
  async ({ args, agent, output, signal }) => {
    const { writeGroupChain } = await import('./gov-files.ts');
    const blocks = await writeGroupChain((await agent()).client, args.group, args.out, signal);
    output.data({ file: args.out, blocks }, () => `${blocksOf(blocks)} in ${args.out}`);
  },
);

export const check = command(
  'check',
  'Check a signed head, and a chain against it, with the group’s key alone; no agent is asked',
  {
    head: { type: 'positional', required: true, description: 'File that peerai gov head <group> --out wrote' },
    key: { type: 'string', required: true, valueHint: 'KEY', description: 'The key that the group signs with' },
    chain: { type: 'string', valueHint: 'FILE', description: 'File that peerai gov export <group> --out wrote' },
  } as const,
  async ({ args, output }) => {
    const { checkGroupHead } = await import('./gov-files.ts');
    const found = await checkGroupHead(args.head, args.key, args.chain);
    output.data(found, () => {
      const { size, chain } = found;
      if (chain === undefined) return `✓ ${blocksOf(size)} stand under this key.`;
      const signed = `${counted(chain.signatures, 'signature', 'signatures')} hold. State ${chain.digest}`;
      return [
        `✓ ${size} of ${blocksOf(chain.blocks)} stand under this key.`,
        `✓ ${chain.name}: every block and ${signed}`,
      ].join('\n');
    });
  },
);
