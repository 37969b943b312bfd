import { PeerAiError } from '@peerai/core-protocol';
import { createLora, decodeGraph, languageModelLayout, type Lora } from '@peerai/nn-engine';
import { baseCodec, type BaseModel } from '@peerai/nn-engine/text';
import type { PeerErrorCode } from '../errors.ts';
import type { AdapterPlan } from './adapter-plan.ts';
import type { Task } from './task.ts';
import { textWindows, tokensMin } from './text-windows.ts';

/** Tokens of one window, and of one step: a step computes as much as one of the base, and a guide's takes a second. */
const [windowTokensMax, stepTokens] = [128, 512];

const loraOf = ({ rank, alpha }: AdapterPlan, { sizes, weights }: BaseModel): Lora =>
  createLora({ layout: languageModelLayout(sizes), weights }, { rank, alpha });

/** The whole model: the base with what the adapter corrects. Throws SHAPE_MISMATCH. */
export const adapted = (plan: AdapterPlan, base: BaseModel, adapter: Float32Array): Float32Array =>
  loraOf(plan, base).merge(adapter);

/** Throws DATA_TOO_SMALL. */
export function adapterTask(plan: AdapterPlan, text: string, base: BaseModel): Task {
  const { sizes } = base;
  const lora = loraOf(plan, base);
  const length = Math.min(sizes.context, windowTokensMax);
  const tokens = Uint16Array.from(baseCodec(base).encode(text));
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
