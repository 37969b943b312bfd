import { z } from 'zod';
import { limits } from '../limits.ts';
import { modelLimits } from '../models/limits.ts';

export const learningRate = z.number().positive().max(1);
/** How the rate goes over a run: as it is, or falling to a hundredth as half a cosine does. */
export const schedules = ['constant', 'cosine'] as const;
/** Absent where the rate stays. */
const schedule = z.literal('cosine').optional();
export const seed = z.int().min(0).max(0x7fff_ffff);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);
export const words = z.string().max(limits.trainingNameCharsMax);
const numbers = z.array(z.number()).min(1).max(limits.trainingColumnsMax);

/** Filters of each stage: a convolution and the largest of each 2 × 2. */
export const filters = z.array(z.int().min(1).max(limits.trainingFiltersMax)).min(1).max(limits.trainingStagesMax);

/** Of every model. */
const common = {
  learningRate,
  schedule,
  seed,
  /** Of a run in stages: into how many the model is cut. */
  stages: z.int().min(1).max(modelLimits.splitStagesMax).optional(),
  /** The run whose last state is the first of this one: what it was called, its id, and the SHA-256 of that state, both hex. */
  start: z.object({ name: words, run: sha256, state: sha256 }).optional(),
};

/** What is trained and how, as all members understand it: its bytes are hashed into the terms of the run. */
export const trainingPlanSchema = z.discriminatedUnion('model', [
  z.object({
    v: z.literal(1),
    model: z.literal('mlp'),
    /** Columns that go in, and the one that is to be told from them. */
    features: z.array(words).min(1).max(limits.trainingColumnsMax),
    label: words,
    classes: z.array(words).min(2).max(limits.trainingClassesMax),
    /** Widths of the hidden layers. */
    hidden: z.array(z.int().min(1).max(limits.trainingWidthMax)).min(1).max(limits.trainingLayersMax),
    /** Mean and deviation of each feature in the data of whoever started the run: all scale by them. */
    means: numbers,
    deviations: z.array(z.number().positive()).min(1).max(limits.trainingColumnsMax),
    ...common,
  }),
  z.object({
    v: z.literal(1),
    model: z.literal('language'),
    size: z.enum(['small', 'medium']),
    ...common,
  }),
  z.object({
    v: z.literal(1),
    model: z.literal('conv'),
    /** The column of labels; all others are pixels, row after row of an image, channel after channel. */
    label: words,
    classes: z.array(words).min(2).max(limits.trainingClassesMax),
    side: z.int().min(limits.trainingImageSideMin).max(limits.trainingImageSideMax),
    channels: z.union([z.literal(1), z.literal(3)]),
    filters,
    ...common,
  }),
  z.object({
    v: z.literal(1),
    model: z.literal('adapter'),
    /** A language model that all members hold already: what it is called, the SHA-256 of its file, hex, and its sizes. */
    base: z.object({
      name: words,
      sha256,
      sizes: z.object({
        vocabulary: z.int().min(2).max(limits.trainingBaseVocabularyMax),
        width: z.int().min(2).max(limits.trainingWidthMax),
        layers: z.int().min(1).max(limits.trainingBaseLayersMax),
        heads: z.int().min(1).max(limits.trainingWidthMax),
        hidden: z.int().min(1).max(limits.trainingBaseHiddenMax),
        context: z.int().min(2).max(limits.trainingBaseContextMax),
      }),
    }),
    /** Columns of A and rows of B of each correction A · B, which counts alpha / rank times. */
    rank: z.int().min(1).max(limits.trainingRankMax),
    alpha: z.number().positive().max(limits.trainingAlphaMax),
    ...common,
  }),
]);
export type TrainingPlan = z.output<typeof trainingPlanSchema>;

export const trainingTermsSchema = z.object({
  rounds: z.int().min(1).max(limits.trainingRoundsMax),
  /** Steps each member makes between two rounds. */
  localSteps: z.int().min(1).max(limits.trainingLocalStepsMax),
  /**
   * `open`: whoever coordinates sees each update, and a robust rule stands liars. `private`: those invited alone, whose updates are seen as a sum;
   * nothing stands a poisoned one. `stages`: one member, whose model's layers other devices hold; a round is how often its weights are kept.
   */
  kind: z.enum(['open', 'private', 'stages']),
  /** How an update is packed; `sparse`: the signs of its largest elements, for rounds of few steps. `none` in a private run, whose masked numbers have 32 bits, and in stages. */
  compression: z.enum(['int8', 'int4', 'sparse', 'none']),
  /** `local-sgd`: the average of what the members have. With momentum over rounds: `nesterov`, 0.5, for tens of rounds, short ones or of a trained base; `diloco`, 0.9 at rate 0.7, for hundreds. */
  outer: z.enum(['local-sgd', 'nesterov', 'diloco']),
  aggregation: z.enum(['trimmed-mean', 'multi-krum', 'masked-sum', 'none']),
  /** How many of the updates of a round may lie: f. */
  liars: z.int().min(0).max(limits.trainingLiarsMax),
  /** A round does not close with fewer updates. */
  membersMin: z.int().min(1).max(limits.trainingLiarsMax),
  /** After this a round closes without those who are slow, milliseconds. */
  roundMs: z.int().min(1_000).max(3_600_000),
  /** Of a private run: the largest magnitude of one number of an update; more is cut to it. */
  elementMax: z.number().nullable(),
  /** Of an open run: members commit to their updates before any is opened. Absent where they do not. */
  sealed: z.literal(true).optional(),
});
