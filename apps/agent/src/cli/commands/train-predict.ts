import type { TrainingPrediction } from '@peerai/peer/control';
import { command } from '../command.ts';
import { openFile } from '../open-file.ts';
import { table } from '../plain.ts';
import { counted } from '../words.ts';

export const predict = command(
  'predict',
  'Say what a trained model makes of each row of a table, and how often it is right',
  {
    run: {
      type: 'positional',
      required: true,
      description: 'Name of a run over a table or images that is done, or the beginning of its id',
    },
    file: {
      type: 'positional',
      required: true,
      description: 'A CSV file with the same columns; with the labels too, the answers are compared with them',
    },
  } as const,
  async ({ args, agent, output, signal }) => {
    const bytes = await openFile(args.file);
    const { client } = await agent();
    const told = await client.predict(args.run, bytes, signal);
    output.data(told, () => `${rowsOf(told)}\n${scoreOf(told)}`);
  },
);

/** The row as counted in the file, below its heading. */
function rowsOf({ rows, labelled }: TrainingPrediction): string {
  const isCompared = labelled > 0;
  const heading = ['ROW', 'ANSWER', 'PROBABILITY', ...(isCompared ? ['LABEL', ''] : [])];
  return table([
    heading,
    ...rows.map(({ answer, probability, label }, index) => [
      `${index + 1}`,
      answer,
      `${(100 * probability).toFixed(1)} %`,
      ...(isCompared ? [label ?? '', label === null ? '' : label === answer ? '✓' : '⊗'] : []),
    ]),
  ]);
}

const scoreOf = ({ rows, labelled, right }: TrainingPrediction): string =>
  labelled === 0
    ? `${counted(rows.length, 'row', 'rows')}; none says its label, so nothing was compared.`
    : `${right} of ${counted(labelled, 'row', 'rows')} with a label told rightly: ${((100 * right) / labelled).toFixed(1)} %.`;
