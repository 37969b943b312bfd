import type { ImportedModelView, ModelRunView, OfferedRunView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { findModelFiles, textFilesAround } from '../model-files.ts';
import { openFile, sizeText } from '../open-file.ts';
import { table } from '../plain.ts';
import { byteProgress, CountedFile } from '../progress-bar.ts';
import { readData } from '../read-data.ts';
import { ago, counted } from '../words.ts';

const which = { model: { type: 'positional', required: true, description: 'Name it was imported under' } } as const;
/** Numbers of one output in the text for people; `--json` has them all. */
const shownMax = 16;

/** Brings an ONNX file to the agent, with its tokenizer where it takes words; Ctrl-C leaves nothing of it. */
export const importModel = command(
  'import',
  'Keep an ONNX model and run it here, in a process with limits: a language model answers chats',
  {
    file: {
      type: 'positional',
      required: true,
      description: 'ONNX file (no weights in other files), or a folder with model.onnx and tokenizer.json',
    },
    tokenizer: {
      type: 'string',
      valueHint: 'F',
      description: 'Its tokenizer.json where it is elsewhere; config.json and the others are read beside it',
    },
    name: { type: 'string', valueHint: 'N', description: 'Name to use it by, else that of the file or folder' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const found = findModelFiles(args.file);
    const bytes = await openFile(found.model);
    const tokenizer = args.tokenizer ?? found.tokenizer;
    const texts = tokenizer === undefined ? undefined : await textFilesAround(tokenizer);
    const name = args.name ?? found.name;
    const { client } = await agent();
    const handed = byteProgress(output, name, bytes.size);
    const imported = await client.importModel(name, new CountedFile(bytes, handed), signal);
    // A tokenizer that only lies in the same folder is no matter of a model that takes no words.
    const isForTexts = texts !== undefined && (args.tokenizer !== undefined || imported.texts !== undefined);
    if (isForTexts) output.progress(`${name}: trying it with its tokenizer`);
    const model = isForTexts ? await client.addTokenizer(name, texts, signal) : imported;
    output.progress('');
    output.data({ model }, () => `Imported.\n\n${facts(model)}\n\n${nextStep(model)}`);
  },
);

function nextStep({ name, language, texts }: ImportedModelView): string {
  if (language !== undefined) return `Ask it: peerai run ${name} "hello"`;
  const run = `Run it: peerai models infer ${name} --data JSON`;
  return texts === 'language' && language === undefined
    ? `It is a language model, and tokenizer.json is missing beside it: with it, it answers.\n${run}`
    : run;
}

export const infer = command(
  'infer',
  'Run an imported model once: numbers in, numbers out',
  {
    model: {
      type: 'positional',
      required: true,
      description: 'Name it was imported under; model@device runs it there',
    },
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
  return table([
    ['name', model.name],
    ['takes', valuesText(model.inputs)],
    ['gives', valuesText(model.outputs)],
    ['nodes', `${model.nodes} (${model.operators.join(', ')})`],
    ['size', sizeText(model.bytes)],
    ['sha256', model.sha256],
    ['written by', model.producer || '-'],
    ['imported', ago(model.importedMs)],
    ...textRow(model),
    ['loaded', model.loaded ? 'yes' : 'no'],
    ['offered', model.exposed === true ? 'to paired devices that may chat' : 'no'],
  ]);
}

function textRow({ texts, embedding, language }: ImportedModelView): [string, string][] {
  if (language !== undefined)
    return [
      ['answers', `${language.hasTemplate ? 'chats' : 'by going on with a text'}, ${language.contextTokens} tokens`],
    ];
  if (texts === 'language') return [['answers', 'no: tokenizer.json is missing']];
  return [
    ['embeds', embedding === undefined ? 'no: it has no tokenizer' : `texts, ${embedding.dimensions} numbers each`],
  ];
}

type Sized = Pick<ImportedModelView, 'name' | 'inputs' | 'outputs' | 'bytes'>;

export const importedRows = (models: readonly ImportedModelView[]): string => sizedRows('IMPORTED', models);

/** What takes numbers at other devices, by the names that run it. */
export const offeredRows = (models: readonly OfferedRunView[]): string =>
  sizedRows(
    'AT DEVICES',
    models.map((model) => ({ ...model, name: `${model.name}@${model.peerName}` })),
  );

function sizedRows(title: string, models: readonly Sized[]): string {
  const rows = models.map(({ name, inputs, outputs, bytes }) => [
    name,
    counted(inputs.length, 'input', 'inputs'),
    counted(outputs.length, 'output', 'outputs'),
    sizeText(bytes),
  ]);
  return table([[title, 'TAKES', 'GIVES', 'SIZE'], ...rows]);
}

const valuesText = (list: ImportedModelView['inputs']): string =>
  list.map(({ name, type, shape }) => `${name}: ${type} [${shape.join(', ')}]`).join('; ') || '-';

/** What `show` says of a model file at another device. */
export function offeredFacts({ name, peerName, bytes, inputs, outputs }: OfferedRunView): string {
  return table([
    ['name', `${name}@${peerName}`],
    ['takes', valuesText(inputs)],
    ['gives', valuesText(outputs)],
    ['size', sizeText(bytes)],
  ]);
}

function outputsText({ outputs, tookMs, usage }: ModelRunView): string {
  const lines = Object.entries(outputs).map(([name, { type, shape, data }]) => {
    const more = data.length > shownMax ? ` … (${data.length} numbers; --json has all)` : '';
    return `${name}: ${type} [${shape.join(', ')}] ${data.slice(0, shownMax).join(' ')}${more}`;
  });
  return [...lines, `${tookMs} ms`, ...(usage === undefined ? [] : [usageText(usage)])].join('\n');
}

const usageText = ({ promptTokens, answerTokens, signed }: NonNullable<ModelRunView['usage']>): string =>
  `Counted: ${counted(promptTokens, 'number', 'numbers')} in, ${answerTokens} out; ${signed ? 'signed by both' : 'its receipt is wrong and was not signed'}`;
