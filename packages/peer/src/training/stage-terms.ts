import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { SplitModel } from '@peerai/nn-engine/split';
import type { z } from 'zod';
import { modelLimits } from '../models/limits.ts';
import { batchRows as textRows, languageSizes } from './language-task.ts';
import type { Terms } from './plan.ts';
import { batchRows as tableRows, tableWidths } from './table-task.ts';
import type { TrainingPlan, trainingRequestSchema } from './training.schema.ts';

type Wish = z.output<typeof trainingRequestSchema>;

/** One stage of a run in stages, as kept on disk. */
export interface StageRow {
  /** Layers of the model, the first one 0: `from` to before `to`. */
  readonly from: number;
  readonly to: number;
  readonly parameters: number;
  /** Who is meant to hold it, then the spares. */
  readonly places: readonly PeerId[];
  /** Who holds it now. */
  readonly holder?: PeerId | undefined;
  /** Who was lost last, and with which code. */
  readonly lost?: { readonly peer: PeerId; readonly code: string };
}

/** The model of a plan as it is cut, with the batch of its steps. Throws UNSUPPORTED for one that is not cut. */
export function splitOfPlan(plan: TrainingPlan): SplitModel {
  if (plan.model === 'mlp') return { type: 'mlp', widths: tableWidths(plan), rows: tableRows };
  if (plan.model === 'language') {
    const sizes = languageSizes(plan);
    const batch = { rows: textRows, length: sizes.context, learned: textRows * sizes.context };
    return { type: 'language-model', sizes, batch };
  }
  throw new PeerAiError('UNSUPPORTED', 'a run in stages is over a text or a table; images and adapters are not cut');
}

/** The stages of a run that begins, with who may hold them. Throws UNSUPPORTED, INVALID_OPTION for more stages than layers. */
export async function stageRows(
  plan: TrainingPlan,
  { over, spares }: { readonly over: readonly PeerId[]; readonly spares: readonly PeerId[] },
): Promise<readonly StageRow[]> {
  const { splitModel } = await import('@peerai/nn-engine/split');
  return splitModel(splitOfPlan(plan), over.length).map(({ from, to, layout }, index) => ({
    from,
    to,
    parameters: layout.size,
    places: [...new Set([...over.slice(index, index + 1), ...spares])],
  }));
}

/** What only several members have, and so a run in stages has not: its one gradient is never handed in as an update. */
const ofMembers = ['private', 'privacy', 'compression', 'aggregation', 'liars', 'sealed', 'membersMin'] as const;

/** Throws INVALID_OPTION for what a run in stages has not, LIMIT_EXCEEDED for more steps than may be lost. */
export function checkStagesWish(wish: Wish): void {
  const { outer, roundMs, localSteps } = wish;
  const stray = [
    ...ofMembers.filter((name) => wish[name] !== undefined),
    ...(outer === 'local-sgd' ? [] : ['outer']),
    ...(roundMs === 60_000 ? [] : ['roundMs']),
  ];
  if (stray.length > 0)
    throw new PeerAiError(
      'INVALID_OPTION',
      `a run in stages has no ${stray.join(', no ')}: it has one member, whose steps others compute`,
    );
  const { runStepsKeptMax: stepsMax } = modelLimits;
  if (localSteps > stepsMax)
    throw new PeerAiError(
      'LIMIT_EXCEEDED',
      `a round of a run in stages has at most ${stepsMax} steps: they are lost with a device`,
      { localSteps, stepsMax },
    );
}

/** Its steps are exact: nothing is packed, and nothing aggregated. */
export const stagesTerms = (terms: Terms): Terms => ({
  ...terms,
  kind: 'stages',
  compression: 'none',
  aggregation: 'none',
});
