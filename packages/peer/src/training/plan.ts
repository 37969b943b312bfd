import { type CryptoProvider, fromUtf8, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import type { RunSpec } from '@peerai/nn-engine/rounds';
import type { z } from 'zod';
import { limits } from '../limits.ts';
import { type TrainingPlan, trainingPlanSchema, trainingTermsSchema } from './plan.schema.ts';
import type { trainingRequestSchema } from './training.schema.ts';

export type Terms = z.output<typeof trainingTermsSchema>;
type Wish = z.output<typeof trainingRequestSchema>;

/** The plan's bytes as they travel and are hashed. Throws LIMIT_EXCEEDED. */
export function encodePlan(plan: TrainingPlan): Uint8Array {
  const bytes = utf8(JSON.stringify(plan));
  if (bytes.length > limits.trainingPlanBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', 'the names of columns and labels are too long together for one run', {
      bytes: bytes.length,
      bytesMax: limits.trainingPlanBytesMax,
    });
  return bytes;
}

/** Throws INVALID_FORMAT for what is no plan, or one that does not fit itself. */
export function decodePlan(bytes: Uint8Array): TrainingPlan {
  const wrong = (cause?: unknown): PeerAiError =>
    new PeerAiError('INVALID_FORMAT', 'what is to be trained is not understood', {}, { cause });
  if (bytes.length > limits.trainingPlanBytesMax) throw wrong();
  let said: unknown;
  try {
    said = JSON.parse(fromUtf8(bytes));
  } catch (error) {
    throw wrong(error);
  }
  const { success, data: plan } = trainingPlanSchema.safeParse(said);
  if (!success) throw wrong();
  if (plan.model === 'mlp') {
    const { features, label, classes, means, deviations } = plan;
    const fits = means.length === features.length && deviations.length === features.length;
    const names = [...features, label];
    if (!fits || new Set(names).size !== names.length || new Set(classes).size !== classes.length) throw wrong();
  }
  if (plan.model === 'conv') {
    const { classes, side, filters } = plan;
    if (side % 2 ** filters.length !== 0 || new Set(classes).size !== classes.length) throw wrong();
  }
  if (plan.model === 'adapter') {
    const { width, heads } = plan.base.sizes;
    // Each head turns pairs of places.
    if (width % (2 * heads) !== 0) throw wrong();
  }
  return plan;
}

/** What the run's terms call its task. */
export const taskOf = (crypto: CryptoProvider, plan: Uint8Array): Uint8Array =>
  crypto.sha256(utf8('peerai/train/1 plan'), plan);

/** Those of `@peerai/nn-engine/rounds`, which is loaded when a run is: `localSgd`, `shortNesterov` and `diLoCo`. */
const outerSteps = {
  'local-sgd': { learningRate: 1, momentum: 0 },
  nesterov: { learningRate: 1, momentum: 0.5 },
  diloco: { learningRate: 0.7, momentum: 0.9 },
} as const;

const packings = ['int8', 'int4', 'sparse'] as const;
const bitsOf = { int8: 8, int4: 4, sparse: 1 } as const;

/** What all agree on, besides what is trained. */
interface Agreed {
  readonly task: Uint8Array;
  readonly size: number;
  /** Who may take part in a private run, and how many of them have to stay to the end of each round; absent in an open one. */
  readonly invited: { readonly members: readonly PeerId[]; readonly threshold: number } | undefined;
  /** Deviation of the noise of whoever starts, if any: a private run's scale leaves room for it. */
  readonly noise: number | undefined;
}

/** Throws INVALID_OPTION for a private run that asks for what only an open one has. */
export function specOf(wish: Wish, { task, size, invited, noise = 0 }: Agreed): RunSpec {
  const { name, rounds, localSteps, roundMs } = wish;
  const shared = { name, task, size, rounds, localSteps, roundMs, outer: outerSteps[wish.outer] };
  if (wish.private === undefined || invited === undefined)
    return {
      ...shared,
      bits: bitsOf[wish.compression ?? 'int8'],
      rule: wish.aggregation ?? 'trimmed-mean',
      liars: wish.liars ?? 0,
      membersMin: wish.membersMin ?? 2,
      sealed: wish.sealed,
    };
  const ofOpen = (['aggregation', 'liars', 'compression', 'sealed'] as const).filter((one) => wish[one] !== undefined);
  if (ofOpen.length > 0)
    throw new PeerAiError(
      'INVALID_OPTION',
      `a private run has no ${ofOpen.join(', no ')}: its updates are seen as a sum, so nothing can look for bad ones`,
    );
  // What a step of AdamW can move a weight by is about the learning rate.
  const elementMax = wish.private.elementMax ?? Math.max(2 * wish.learningRate * localSteps, 4 * noise);
  return {
    ...shared,
    bits: 32,
    rule: 'masked-sum',
    liars: 0,
    membersMin: wish.membersMin ?? invited.threshold,
    private: { members: invited.members, elementMax },
  };
}

/** The terms as people read them. Throws INVALID_FORMAT for a run beyond the limits. */
export function termsOf(run: RunSpec): Terms {
  const { rounds, localSteps, bits, outer, rule, liars, membersMin, roundMs } = run;
  const compression = bits === 32 ? 'none' : (packings.find((one) => bitsOf[one] === bits) ?? 'none');
  const said = {
    kind: run.private === undefined ? 'open' : 'private',
    rounds,
    localSteps,
    compression,
    outer: outerName(outer),
    aggregation: rule,
    liars,
    membersMin,
    roundMs,
    elementMax: run.private?.elementMax ?? null,
    ...(run.sealed === true ? { sealed: true } : {}),
  };
  const { success, data } = trainingTermsSchema.safeParse(said);
  if (success) return data;
  throw new PeerAiError('INVALID_FORMAT', 'the run is of a kind that this version does not train');
}

/** Updates a round needs against the declared liars. */
export const neededOf = ({ rule, liars, membersMin }: Pick<RunSpec, 'rule' | 'liars' | 'membersMin'>): number =>
  Math.max(membersMin, 2 * liars + (rule === 'multi-krum' ? 3 : 1));

/** Another device may have set other numbers: without momentum it is an average, else what it is nearer to. */
const outerName = ({ momentum }: RunSpec['outer']): Terms['outer'] =>
  momentum === 0 ? 'local-sgd' : momentum < 0.7 ? 'nesterov' : 'diloco';
