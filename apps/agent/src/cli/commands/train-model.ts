import { PeerAiError } from '@peerai/core-protocol';
import type { TrainingDataView, TrainingRequest } from '@peerai/peer/control';

type Kind = TrainingRequest['model']['kind'];
/** What was said of the model to train. */
export type ModelArgs = Readonly<
  Partial<Record<'label' | 'classes' | 'hidden' | 'size' | 'base' | 'rank' | 'alpha', string | undefined>>
>;

/** Which words go with which kind of model. */
const belonging: Readonly<Record<Kind, readonly (keyof ModelArgs)[]>> = {
  mlp: ['label', 'classes', 'hidden'],
  language: ['size'],
  adapter: ['base', 'rank', 'alpha'],
};

/** The model that the words ask for. Throws USAGE for words that do not go together. */
export function modelWished(data: TrainingDataView, args: ModelArgs): TrainingRequest['model'] {
  const kind: Kind = args.base !== undefined ? 'adapter' : args.label !== undefined ? 'mlp' : 'language';
  const stray = (Object.keys(belonging) as Kind[])
    .flatMap((one) => (one === kind ? [] : belonging[one]))
    .find((name) => args[name] !== undefined && !belonging[kind].includes(name));
  if (stray !== undefined) throw new PeerAiError('USAGE', `--${stray} does not go with ${goesWith[kind]}`);
  if (kind === 'adapter') return adapterOf(args);
  return kind === 'mlp' ? tableOf(args) : languageOf(data, args.size);
}

const goesWith: Readonly<Record<Kind, string>> = {
  mlp: '--label, which trains over a table',
  language: 'a text, for which there is --size or --base',
  adapter: '--base, which trains an adapter over a text',
};

function adapterOf({ base = '', rank, alpha }: ModelArgs): TrainingRequest['model'] {
  return {
    kind: 'adapter',
    base,
    ...(rank === undefined ? {} : { rank: numberOf('rank', rank) }),
    ...(alpha === undefined ? {} : { alpha: numberOf('alpha', alpha) }),
  };
}

function tableOf({ label = '', classes, hidden }: ModelArgs): TrainingRequest['model'] {
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
