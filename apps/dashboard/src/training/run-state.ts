import type { TrainingPlan, TrainingRunView } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';
import { join, train } from './strings.ts';

const dots: Readonly<Record<TrainingRunView['state'], DotName>> = {
  waiting: 'pending',
  training: 'relayed',
  done: 'direct',
  stopped: 'offline',
  failed: 'blocked',
};

/** Full when done, half while it trains, crossed when it failed. */
export const dotOf = ({ state }: Pick<TrainingRunView, 'state'>): DotName => dots[state];

export function modelText(plan: TrainingPlan): string {
  return plan.start === undefined ? newModelText(plan) : train.from(newModelText(plan), plan.start.name);
}

function newModelText(plan: TrainingPlan): string {
  if (plan.model === 'language') return train.language(plan.size);
  if (plan.model === 'conv') return train.conv(plan.label, plan.side);
  if (plan.model === 'adapter') return train.adapter(plan.rank, plan.base.name);
  return train.mlp(plan.features.join(', '), plan.label);
}

/** What data the run learns from. */
export function dataText(plan: TrainingPlan): string {
  if (plan.model === 'mlp') return join.columns([...plan.features, plan.label].join(', '));
  if (plan.model !== 'conv') return join.text;
  const { side, channels, label } = plan;
  return join.images(side, channels === 1 ? join.grey : join.colour, channels * side * side, label);
}

/** Nats with the digits that matter. */
export const lossText = (loss: number): string => (loss < 10 ? loss.toFixed(3) : loss.toFixed(1));

/** How its updates are seen, in one word. */
export const kindOf = ({ kind, sealed }: TrainingRunView['terms']): TrainingRunView['terms']['kind'] | 'sealed' =>
  sealed === true ? 'sealed' : kind;
