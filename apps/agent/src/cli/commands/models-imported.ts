import { basename } from 'node:path';
import type { ImportedModelView, ModelRunView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { openFile, sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { readData } from '../read-data.ts';
import { ago, counted } from '../words.ts';

const which = { model: { type: 'positional', required: true, description: 'Name it was imported under' } } as const;
/** Numbers of one output in the text for people; `--json` has them all. */
const shownMax = 16;

/** Brings an ONNX file to the agent; Ctrl-C leaves nothing of it. */
export const importModel = command(
  'import',
  'Keep an ONNX model file and run it here, in a process with limits',
  {
    file: { type: 'positional', required: true, description: 'ONNX file, whole: no weights in other files' },
    tokenizer: { type: 'string', valueHint: 'F', description: 'Its tokenizer.json: then it makes embeddings of texts' },
    name: { type: 'string', valueHint: 'N', description: 'Name to use it by, else that of the file' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const bytes = await openFile(args.file);
    const tokenizer = args.tokenizer === undefined ? undefined : await openFile(args.tokenizer);
    const name = args.name ?? basename(args.file).replace(/\.onnx$/iu, '');
    const { client } = await agent();
    output.progress(`${name}: handing ${sizeText(bytes.size)} to the agent`);
    const imported = await client.importModel(name, bytes, signal);
    if (tokenizer !== undefined) output.progress(`${name}: making a first vector`);
    const model = tokenizer === undefined ? imported : await client.addTokenizer(name, tokenizer, signal);
    output.progress('');
    output.data({ model }, () => `Imported.\n\n${facts(model)}\n\nRun it: peerai models infer ${name} --data JSON`);
  },
);

export const infer = command(
  'infer',
  'Run an imported model once: numbers in, numbers out',
  {
    ...which,
    data: {
      type: 'string',
      required: true,
      valueHint: 'JSON|@file',
      description: 'Each input by name: {"x": [[1, 2]]} or {"x": {"shape": [1, 2], "data": [1, 2]}}',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const inputs = readData(args.data);
    const answer = await (await agent()).client.runModel(args.model, inputs as object, signal);
    output.data(answer, () => outputsText(answer));
  },
);

export const rm = command('rm', 'Remove an imported model', which, async ({ args, agent, output }) => {
  await (await agent()).client.removeModel(args.model);
  output.data({ removed: args.model }, () => 'Removed.');
});

/** What `show` says of an imported model. */
export function facts(model: ImportedModelView): string {
  const values = (list: ImportedModelView['inputs']): string =>
    list.map(({ name, type, shape }) => `${name}: ${type} [${shape.join(', ')}]`).join('; ') || '-';
  return table([
    ['name', model.name],
    ['takes', values(model.inputs)],
    ['gives', values(model.outputs)],
    ['nodes', `${model.nodes} (${model.operators.join(', ')})`],
    ['size', sizeText(model.bytes)],
    ['sha256', model.sha256],
    ['written by', model.producer || '-'],
    ['imported', ago(model.importedMs)],
    [
      'embeds',
      model.embedding === undefined ? 'no: it has no tokenizer' : `texts, ${model.embedding.dimensions} numbers each`,
    ],
    ['loaded', model.loaded ? 'yes' : 'no'],
  ]);
}

export function importedRows(models: readonly ImportedModelView[]): string {
  const rows = models.map(({ name, inputs, outputs, bytes }) => [
    name,
    counted(inputs.length, 'input', 'inputs'),
    counted(outputs.length, 'output', 'outputs'),
    sizeText(bytes),
  ]);
  return table([['IMPORTED', 'TAKES', 'GIVES', 'SIZE'], ...rows]);
}

function outputsText({ outputs, tookMs }: ModelRunView): string {
  const lines = Object.entries(outputs).map(([name, { type, shape, data }]) => {
    const more = data.length > shownMax ? ` … (${data.length} numbers; --json has all)` : '';
    return `${name}: ${type} [${shape.join(', ')}] ${data.slice(0, shownMax).join(' ')}${more}`;
  });
  return [...lines, `${tookMs} ms`].join('\n');
}
