import { PeerAiError } from '@peerai/core-protocol';
import type { TrainingRequest, TrainingRunView } from '@peerai/peer/control';
import { namesOf } from './models-split.ts';

/** What `train start` takes for a run in stages. */
export const stagesArgs = {
  stages: {
    type: 'string',
    valueHint: 'A,B,self',
    description:
      'Devices that hold the layers, a stage each, in this order; this one has the data and drives the steps',
  },
  spare: {
    type: 'string',
    valueHint: 'C,self|none',
    description: 'With --stages: who takes the place of one that is lost; this device unless said',
  },
} as const;

/** Throws USAGE. */
export function stagesWished({
  stages,
  spare,
}: {
  readonly stages: string | undefined;
  readonly spare: string | undefined;
}): Pick<TrainingRequest, 'stages'> {
  if (stages !== undefined)
    return {
      stages: {
        over: namesOf(stages),
        ...(spare === undefined ? {} : { spares: spare === 'none' ? [] : namesOf(spare) }),
      },
    };
  if (spare === undefined) return {};
  throw new PeerAiError('USAGE', '--spare goes with --stages');
}

type Stage = TrainingRunView['stages'][number];
const layersOf = ({ from, to }: Stage): string => (to - from === 1 ? `layer ${to}` : `layers ${from + 1} to ${to}`);

/** A line for each stage: what it is, who holds it, who was lost. */
export const stageRows = ({ stages }: TrainingRunView): [string, string][] =>
  stages.map((stage, index) => [
    `stage ${index + 1}`,
    [
      layersOf(stage),
      stage.holder === null ? `for ${stage.places.map(({ name }) => name).join(', ')}` : stage.holder.name,
      ...(stage.lost === null ? [] : [`lost: ${stage.lost.name} (${stage.lost.code})`]),
    ].join(', '),
  ]);

/** Who holds the layers, in a few words. */
export const heldBy = ({ stages }: TrainingRunView): string =>
  stages.map(({ holder, places: [first] }) => (holder ?? first)?.name ?? '').join(', ');

/** Who comes to see what. */
export const stagesNote =
  'Who holds the first stage reads what is learned from, who holds the last what is to be told from it; from what goes between, both may be guessed. So may a spare that takes a place.';
