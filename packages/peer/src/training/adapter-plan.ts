import { PeerAiError } from '@peerai/core-protocol';
import { freshAdapter, type Layout, languageModelLayout, loraLayout, seededUnit } from '@peerai/nn-engine';
import type { BaseModel } from '@peerai/nn-engine/text';
import type { PeerErrorCode } from '../errors.ts';
import type { Task } from './task.ts';
import type { TrainingPlan } from './training.schema.ts';

export type AdapterPlan = Extract<TrainingPlan, { readonly model: 'adapter' }>;
export type BaseName = AdapterPlan['base'];

/** A base that this peer holds, and what it learns on it: who holds none, as a tab, loads nothing of that. */
export interface HeldBase extends BaseModel {
  /** Throws DATA_TOO_SMALL. */
  learn(plan: AdapterPlan, text: string): Task;
}

/** Elements of the adapter: the base itself is not asked. Throws INVALID_OPTION for a rank that no matrix of the base takes. */
export const adapterLayout = ({ base, rank }: Pick<AdapterPlan, 'base' | 'rank'>): Layout =>
  loraLayout(languageModelLayout(base.sizes), { rank });
export const adapterWeights = (plan: AdapterPlan): Float32Array =>
  freshAdapter(adapterLayout(plan), seededUnit(plan.seed));

export function baseMissing({ name, sha256 }: BaseName): PeerAiError<PeerErrorCode> {
  return new PeerAiError<PeerErrorCode>(
    'BASE_MISSING',
    `this adapter is of "${name}" (SHA-256 ${sha256}), which is not here: only the adapter travels, not what it is of`,
    {
      base: sha256,
      hint: 'A run that was trained together is held by all who took part to its end; nano comes along.',
    },
  );
}
