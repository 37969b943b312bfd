import { PeerAiError } from '@peerai/core-protocol';
import {
  createLora,
  decodeGraph,
  freshAdapter,
  type Layout,
  languageModelLayout,
  type Lora,
  loraLayout,
  seededUnit,
} from '@peerai/nn-engine';
import type { BaseModel, TokenCodec } from '@peerai/nn-engine/text';
import type { PeerErrorCode } from '../errors.ts';
import type { Task } from './task.ts';
import { textWindows, tokensMin } from './text-windows.ts';
import type { TrainingPlan } from './training.schema.ts';

export type AdapterPlan = Extract<TrainingPlan, { readonly model: 'adapter' }>;
export type BaseName = AdapterPlan['base'];

/** A base that this peer holds, and what makes its tokens. */
export interface HeldBase extends BaseModel {
  readonly codec: TokenCodec;
}

/** Tokens of one window, and of one step: a step computes as much as one of the base, and a guide's takes a second. */
const [windowTokensMax, stepTokens] = [128, 512];

/** Elements of the adapter: the base itself is not asked. Throws INVALID_OPTION for a rank that no matrix of the base takes. */
export const adapterLayout = ({ base, rank }: Pick<AdapterPlan, 'base' | 'rank'>): Layout =>
  loraLayout(languageModelLayout(base.sizes), { rank });
export const adapterWeights = (plan: AdapterPlan): Float32Array =>
  freshAdapter(adapterLayout(plan), seededUnit(plan.seed));

const loraOf = ({ rank, alpha }: AdapterPlan, { sizes, weights }: BaseModel): Lora =>
  createLora({ layout: languageModelLayout(sizes), weights }, { rank, alpha });

/** The whole model: the base with what the adapter corrects. Throws SHAPE_MISMATCH. */
export const adapted = (plan: AdapterPlan, base: BaseModel, adapter: Float32Array): Float32Array =>
  loraOf(plan, base).merge(adapter);

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

/** Throws DATA_TOO_SMALL, BASE_MISSING without the base. */
export function adapterTask(plan: AdapterPlan, text: string, base: HeldBase | undefined): Task {
  if (base === undefined) throw baseMissing(plan.base);
  const { sizes, codec } = base;
  const lora = loraOf(plan, base);
  const length = Math.min(sizes.context, windowTokensMax);
  const tokens = Uint16Array.from(codec.encode(text));
  if (tokens.length < tokensMin(length))
    throw new PeerAiError<PeerErrorCode>(
      'DATA_TOO_SMALL',
      `the text has ${tokens.length} tokens of ${plan.base.name}; ${tokensMin(length)} are needed`,
    );
  return textWindows({
    sizes,
    tokens,
    layout: lora.layout,
    lossOf: (loss) => lora.loss(loss),
    rows: Math.max(1, Math.floor(stepTokens / length)),
    length,
    seed: plan.seed,
    model: (adapter) => decodeGraph(sizes, lora.merge(adapter)),
  });
}
