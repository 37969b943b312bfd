import { setTimeout as pause } from 'node:timers/promises';
import type { MemoryListView } from '@peerai/peer/control';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { countBar } from '../progress-bar.ts';
import { counted } from '../words.ts';

const lookEveryMs = 1_000;
type View = Pick<MemoryListView, 'count' | 'embedder'>;

export const embedder = command(
  'embedder',
  'Which model finds what is remembered by meaning, and how much it has still to read',
  { wait: { type: 'boolean', description: 'Until it has read everything, or cannot go on' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const look = async (): Promise<View> => client.memories({ limit: 1 }, signal);
    const { count, embedder: now } = await (args.wait === true ? followEmbedder(look, output, signal) : look());
    output.data({ embedder: now, count }, () => textOf({ count, embedder: now }));
  },
);

/** Looks until nothing is left, the model is away, or there is no room for more, and draws how far it is. */
export async function followEmbedder(
  look: () => Promise<View>,
  output: Pick<Output, 'progress'>,
  signal: AbortSignal,
  sleep: (signal: AbortSignal) => Promise<unknown> = (until) => pause(lookEveryMs, undefined, { signal: until }),
): Promise<View> {
  try {
    for (;;) {
      const view = await look();
      const { left, problem, full, name } = view.embedder;
      if (left === 0 || problem !== undefined || full !== undefined) return view;
      output.progress(countBar(name, view.count - left, view.count, 'capsules'));
      await sleep(signal);
    }
  } finally {
    output.progress('');
  }
}

export function textOf({ count, embedder: { name, kind, setting, left, problem, full } }: View): string {
  const facts = [
    ['memory.embedder', setting],
    ['finds by', `${kind === 'semantic' ? 'meaning' : 'words and spellings'} (${name})`],
    ['not read yet', left === 0 ? 'nothing' : `${left} of ${counted(count, 'capsule', 'capsules')}`],
    ...(problem === undefined ? [] : [['not used', problem]]),
    ...(full === undefined ? [] : [['reads no more', full]]),
  ];
  const hint =
    'A model that an engine on this machine says is for embeddings is used by itself: ollama pull nomic-embed-text';
  return kind === 'lexical' && setting === 'auto' && problem === undefined
    ? `${table(facts)}\n\n${hint}`
    : table(facts);
}
