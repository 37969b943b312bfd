import { PeerAiError } from '@peerai/core-protocol';
import type { TrainingDataView, TrainingRequest } from '@peerai/peer/control';

type Kind = TrainingRequest['model']['kind'];
/** What was said of the model to train. */
export type ModelArgs = Readonly<
  Partial<
    Record<
      'model' | 'from' | 'label' | 'classes' | 'hidden' | 'filters' | 'size' | 'base' | 'rank' | 'alpha',
      string | undefined
    >
  >
>;

/** Which words go with which kind of model. */
const belonging: Readonly<Record<Kind, readonly (keyof ModelArgs)[]>> = {
  mlp: ['label', 'classes', 'hidden'],
  language: ['size'],
  adapter: ['base', 'rank', 'alpha'],
  conv: ['label', 'classes', 'filters'],
  run: ['from'],
};

/** The model that the words ask for. Throws USAGE for words that do not go together. */
export function modelWished(data: TrainingDataView, args: ModelArgs): TrainingRequest['model'] {
  const kind = kindOf(args);
  const stray = (Object.keys(belonging) as Kind[])
    .flatMap((one) => (one === kind ? [] : belonging[one]))
    .find((name) => args[name] !== undefined && !belonging[kind].includes(name));
  if (stray !== undefined) throw new PeerAiError('USAGE', `--${stray} does not go with ${goesWith[kind]}`);
  if (kind === 'adapter') return adapterOf(args);
  if (kind === 'conv') return imagesOf(data, args);
  if (kind === 'run') return runOf(args);
  return kind === 'mlp' ? tableOf(args) : languageOf(data, args.size);
}

const goesWith: Readonly<Record<Kind, string>> = {
  mlp: '--label, which trains over a table',
  language: 'a text, for which there is --size or --base',
  adapter: '--base, which trains an adapter over a text',
  conv: '--model conv, which trains over a table of pixels',
  run: '--from, which takes all of that from the run it names',
};

/** What was named, or what the other words belong to. */
function kindOf({ model, from, base, label }: ModelArgs): Kind {
  if (model === undefined && from !== undefined) return 'run';
  if (model === undefined) return base !== undefined ? 'adapter' : label !== undefined ? 'mlp' : 'language';
  const known = (Object.keys(belonging) as Kind[]).find((kind) => kind === model);
  if (known !== undefined) return known;
  throw new PeerAiError('USAGE', `--model is ${Object.keys(belonging).join(', ')}; not "${model}"`);
}

function runOf({ from }: ModelArgs): TrainingRequest['model'] {
  if (from === undefined) throw new PeerAiError('USAGE', '--from names the run that this one goes on from');
  return { kind: 'run', run: from };
}

function imagesOf(data: TrainingDataView, { label, classes, filters }: ModelArgs): TrainingRequest['model'] {
  const columns = data.table?.columns.map(({ name }) => name) ?? [];
  const told = label ?? columns.find((name) => name.toLowerCase() === 'label');
  if (told === undefined)
    throw new PeerAiError('USAGE', '--label names the column that says what each image shows', {
      hint: 'A table of images has a heading, a row an image, a column for the label and one for each pixel, 0 to 255.',
    });
  return {
    kind: 'conv',
    label: told,
    ...(classes === undefined ? {} : { classes: classes.split(',') }),
    ...(filters === undefined ? {} : { filters: filters.split(',').map((one) => numberOf('filters', one)) }),
  };
}

function adapterOf({ base, rank, alpha }: ModelArgs): TrainingRequest['model'] {
  if (base === undefined) throw new PeerAiError('USAGE', '--base names the model that an adapter is of');
  return {
    kind: 'adapter',
    base,
    ...(rank === undefined ? {} : { rank: numberOf('rank', rank) }),
    ...(alpha === undefined ? {} : { alpha: numberOf('alpha', alpha) }),
  };
}

function tableOf({ label, classes, hidden }: ModelArgs): TrainingRequest['model'] {
  if (label === undefined) throw new PeerAiError('USAGE', '--label names the column to tell from the others');
  return {
    kind: 'mlp',
    label,
    ...(classes === undefined ? {} : { classes: classes.split(',') }),
    ...(hidden === undefined ? {} : { hidden: hidden.split(',').map((one) => numberOf('hidden', one)) }),
  };
}

function languageOf(data: TrainingDataView, size: string | undefined): TrainingRequest['model'] {
  if (data.table !== null && size === undefined)
    throw new PeerAiError('USAGE', 'this is a table: --label names the column to tell from the others', {
      hint: `Its columns: ${data.table.columns.map(({ name }) => name).join(', ')}. To learn it as text: --size small`,
    });
  if (size !== undefined && size !== 'small' && size !== 'medium')
    throw new PeerAiError('USAGE', `--size is small or medium, not "${size}"`);
  return { kind: 'language', ...(size === undefined ? {} : { size }) };
}

/** Throws USAGE. */
export function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new PeerAiError('USAGE', `--${name} is a number, not "${text}"`);
}
