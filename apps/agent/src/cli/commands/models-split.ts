import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, ControlEvent, SplitView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { withEventBar } from '../event-bar.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { bytesBar } from '../progress-bar.ts';

/** `split <model> --over …`, `split ls`, `split stop <name>`. */
export const splitModel = command(
  'split',
  'Let several devices compute the layers of one model: split <model> --over A,B | ls | stop <name>',
  {
    model: { type: 'positional', required: true, description: 'A model whose weights are here; or `ls`, or `stop`' },
    which: { type: 'positional', required: false, description: 'With `stop`: the split model' },
    over: {
      type: 'string',
      valueHint: 'A,B,self',
      description: 'A stage for each, in this order: devices that let this one train there, or this one',
    },
    spare: {
      type: 'string',
      valueHint: 'C,self|none',
      description: 'Who takes the place of one that is lost; this device unless said',
    },
    name: { type: 'string', valueHint: 'N', description: 'What it is called, <model>:split unless said' },
    activations: {
      type: 'string',
      valueHint: 'float32|int8',
      description: 'How states travel: int8 is a quarter of the bytes, and not quite the same answer',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    if (args.model === 'ls') return list(client, output, signal);
    if (args.model === 'stop') return stop(client, args.which, output);
    if (args.which !== undefined) throw new PeerAiError('USAGE', `"${args.which}" is one word too many`);
    if (args.over === undefined)
      throw new PeerAiError('USAGE', '--over names who computes the stages', {
        hint: `For example: peerai models split ${args.model} --over study-pc,self`,
      });
    const { activations = 'float32' } = args;
    if (activations !== 'float32' && activations !== 'int8')
      throw new PeerAiError('USAGE', `--activations is float32 or int8, not "${activations}"`);
    const wish = {
      model: args.model,
      over: namesOf(args.over),
      ...(args.spare === undefined ? {} : { spares: args.spare === 'none' ? [] : namesOf(args.spare) }),
      ...(args.name === undefined ? {} : { name: args.name }),
      activations,
    } as const;
    output.progress(`${args.model}: handing out its stages`);
    const lineOf = (event: ControlEvent): string | undefined =>
      event.type === 'split-progress' ? bytesBar(event.name, event.moved, event.bytes) : undefined;
    const split = await withEventBar(client, output, signal, lineOf, () => client.splitModel(wish, signal));
    output.data({ split }, () => `${stagesText(split)}\n\nAsk it: peerai run ${split.name} "…"`);
    output.note('Who holds a stage can read what is asked and answered.');
  },
);

async function list(client: ControlClient, output: Output, signal: AbortSignal): Promise<void> {
  const splits = await client.splitModels(signal);
  output.data({ splits }, () =>
    splits.length === 0
      ? 'None. Split one: peerai models split <model> --over <device>,self'
      : splits.map(stagesText).join('\n\n'),
  );
}

async function stop(client: ControlClient, name: string | undefined, output: Output): Promise<void> {
  if (name === undefined) throw new PeerAiError('USAGE', 'which one? `peerai models split ls` names them');
  await client.stopSplit(name);
  output.data({ stopped: name }, () => 'Ended. Its stages are freed.');
}

export const namesOf = (text: string): string[] => text.split(',').map((one) => one.trim());

function stagesText({ name, state, stages }: SplitView): string {
  const rows = stages.map(({ index, from, to, parameters, holder, places, lost }) => [
    `${index + 1}`,
    to - from === 1 ? `${to}` : `${from + 1} to ${to}`,
    parameters.toLocaleString('en'),
    holder === null ? '-' : holder.self ? 'this device' : holder.name,
    places.map((place) => (place.self ? 'self' : place.name)).join(', '),
    lost === null ? '-' : `${lost.name} (${lost.code})`,
  ]);
  return `${name}, ${state}\n${table([['STAGE', 'LAYERS', 'WEIGHTS', 'HELD BY', 'PLACES', 'LOST'], ...rows])}`;
}
