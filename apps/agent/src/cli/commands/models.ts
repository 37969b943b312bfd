import { PeerAiError } from '@peerai/core-protocol';
import type { ModelView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { find } from './discovery.ts';
import { exportModel } from './models-export.ts';
import { splitModel } from './models-split.ts';
import { facts, importedRows, importModel, infer, offeredFacts, offeredRows, rm } from './models-imported.ts';

const which = { model: { type: 'positional', required: true, description: 'As `peerai models ls` names it' } } as const;
const paths = { local: '✓ here', direct: '● direct', relayed: '◐ relayed', offline: '○ offline' } as const;

const ls = command(
  'ls',
  'Models of this peer and of the devices it is paired with',
  { at: { type: 'string', valueHint: 'DEVICE', description: 'Only what this device has for you' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const { at } = args;
    // Devices are asked now for what takes numbers; one that is asked for by name says why it cannot answer.
    const offered = await client.offeredRuns(at, signal);
    const [{ models: all, defaultModel }, ours, peers] = await Promise.all([
      client.models(signal),
      at === undefined ? client.importedModels(signal) : [],
      at === undefined ? [] : client.peers(signal),
    ]);
    const found = peers.filter(({ peerId, name }) => name === at || (at !== undefined && peerId.startsWith(at)));
    const list = at === undefined ? all : all.filter(({ peerId }) => found.some((peer) => peer.peerId === peerId));
    output.data({ models: list, defaultModel, imported: ours, offered }, () => {
      const parts = [
        list.length === 0 ? '' : table([['MODEL', 'ENGINE', 'WHERE', 'CONTEXT', 'OFFERED'], ...list.map(row)]),
        ours.length === 0 ? '' : importedRows(ours),
        offered.length === 0 ? '' : offeredRows(offered),
      ].filter((part) => part !== '');
      if (parts.length > 0) return parts.join('\n\n');
      if (at !== undefined) return `${at} offers no model to this device.`;
      return 'No models. Start Ollama (`ollama serve`) or a llama.cpp server, or run `peerai up --engine nano`.';
    });
  },
);

const show = command('show', 'Everything known of one model', which, async ({ args, agent, output, signal }) => {
  const { client } = await agent();
  const { models: list } = await client.models(signal);
  const model = list.find(({ name }) => name === args.model);
  const imported = (await client.importedModels(signal)).find(({ name }) => name === args.model);
  if (model === undefined && imported !== undefined) {
    output.data({ model: imported }, () => facts(imported));
    return;
  }
  const at = args.model.lastIndexOf('@');
  const offered = model === undefined && at > 0 ? await client.offeredRuns(args.model.slice(at + 1), signal) : [];
  const remote = offered.find(({ name }) => name === args.model.slice(0, at));
  if (remote !== undefined) {
    output.data({ model: remote }, () => offeredFacts(remote));
    return;
  }
  if (model === undefined)
    throw new PeerAiError('MODEL_UNKNOWN', `there is no model "${args.model}"`, {
      hint: '`peerai models ls` lists what can be asked.',
    });
  output.data({ model }, () =>
    table([
      ['name', model.name],
      ['engine', model.engine],
      ['at', `${model.peerName} (${paths[model.path]})`],
      ['context', `${model.contextTokensMax} tokens`],
      ['memory', model.memoryBytes === 0 ? 'unknown' : `${Math.round(model.memoryBytes / 1_048_576)} MiB`],
      ['loaded', model.loaded ? 'yes' : 'no'],
      ['embeddings', model.embeds ? 'yes' : 'no'],
      ['offered', model.exposed ? 'to paired devices that may chat' : 'no'],
      ['about', model.description || '-'],
    ]),
  );
});

const offer = (name: 'expose' | 'hide', description: string) =>
  command(name, description, which, async ({ args, agent, output }) => {
    await (await agent()).client.exposeModel(args.model, name === 'expose');
    output.data({ model: args.model, exposed: name === 'expose' }, () =>
      name === 'expose'
        ? `Paired devices that may chat can ask ${args.model}.`
        : `${args.model} is for this machine only (links made before still work until stopped).`,
    );
  });

function row({ name, engine, path, contextTokensMax, local, exposed }: ModelView): string[] {
  return [name, engine, paths[path], `${contextTokensMax}`, local ? (exposed ? 'yes' : 'no') : '-'];
}

export const models: Verb = {
  run: ls,
  subs: {
    ls,
    show,
    find,
    expose: offer('expose', 'Offer a model to paired devices that may chat'),
    import: importModel,
    export: exportModel,
    split: splitModel,
    infer,
    rm,
    hide: offer('hide', 'Offer it no longer'),
  },
};
