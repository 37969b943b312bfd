import { z } from 'zod';
import { limits } from '../limits.ts';
import { modelLimits } from '../models/limits.ts';
import {
  filters,
  learningRate,
  schedules,
  seed,
  trainingPlanSchema,
  trainingTermsSchema,
  words,
} from './plan.schema.ts';

export { type TrainingPlan, trainingPlanSchema, trainingTermsSchema } from './plan.schema.ts';

const device = z.string().min(1).max(128);
const name = z.string().trim().min(1).max(limits.trainingNameCharsMax);

/** Noise on this peer's own updates, within what they may ever say of one data set. */
export const trainingPrivacySchema = z.strictObject({
  /** ε that all updates learned from this data may cost, over all runs that ever use it. */
  epsilon: z.number().positive().max(limits.trainingEpsilonMax),
  /** δ: the chance that the promise fails. */
  delta: z.number().positive().max(0.1).default(1e-5),
  /** L2 norm to which an update is shortened. */
  clip: z.number().positive().max(1e6).default(1),
  /** Deviation of the noise over `clip`; unless said, the least with which all rounds that are left fit the budget. */
  noise: z.number().positive().max(1e6).optional(),
});
export type TrainingPrivacy = z.input<typeof trainingPrivacySchema>;

/** Body of `POST /training/runs`. */
export const trainingRequestSchema = z.strictObject({
  name,
  /** Id of data that was read in (`POST /training/data`). */
  data: z.string().min(1).max(64),
  model: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('mlp'),
      /** The column that is to be told from the others. */
      label: words,
      /** Labels that may occur with any member; those of the starter's own data unless said. */
      classes: z.array(words).min(2).max(limits.trainingClassesMax).optional(),
      hidden: z.array(z.int().min(1).max(limits.trainingWidthMax)).min(1).max(limits.trainingLayersMax).default([32]),
    }),
    z.strictObject({ kind: z.literal('language'), size: z.enum(['small', 'medium']).default('small') }),
    z.strictObject({
      kind: z.literal('conv'),
      /** The column of labels; all others are pixels. */
      label: words,
      classes: z.array(words).min(2).max(limits.trainingClassesMax).optional(),
      filters: filters.default([8, 16]),
    }),
    z.strictObject({
      kind: z.literal('adapter'),
      /** Name or id of a run over text that is done here, or `nano`. */
      base: words,
      rank: z.int().min(1).max(limits.trainingRankMax).default(8),
      /** The rank unless said. */
      alpha: z.number().positive().max(limits.trainingAlphaMax).optional(),
    }),
    z.strictObject({
      kind: z.literal('run'),
      /** Name or id of a run that is done here: it goes on from its model, with the same columns, sizes or base. */
      run: words,
    }),
  ]),
  rounds: trainingTermsSchema.shape.rounds.default(20),
  localSteps: trainingTermsSchema.shape.localSteps.default(20),
  /** Of an open run: int8 unless said. `sparse` takes no liars with a trimmed mean, and programs of before it cannot join. */
  compression: z.enum(['int8', 'int4', 'sparse']).optional(),
  outer: trainingTermsSchema.shape.outer.default('local-sgd'),
  /** Of an open run: trimmed-mean, and 0 liars, unless said. */
  aggregation: z.enum(['trimmed-mean', 'multi-krum']).optional(),
  liars: trainingTermsSchema.shape.liars.optional(),
  /** Makes an open run sealed: each round, all commit to their updates before any is opened. Programs of before it cannot join. */
  sealed: z.literal(true).optional(),
  /** 2 unless said; of a private run more than two thirds of those invited. */
  membersMin: trainingTermsSchema.shape.membersMin.optional(),
  /** Makes the run private: no rule against liars, and nobody but those invited. */
  private: z
    .strictObject({
      /** Names or ids of paired devices that may train; all of them unless said. */
      invite: z.array(z.string().min(1).max(128)).min(2).max(limits.trainingInvitedMax).optional(),
      elementMax: z.number().positive().max(1e6).optional(),
    })
    .optional(),
  privacy: trainingPrivacySchema.optional(),
  /** The model's layers are held by devices, and this one has the data and drives the steps. It excludes what only several members have. */
  stages: z
    .strictObject({
      /** Names or ids of paired devices, or `self`: a stage for each, in this order. */
      over: z.array(device).min(1).max(modelLimits.splitStagesMax),
      /** Who takes the place of one that is lost, the first one first; this peer itself unless said. */
      spares: z.array(device).max(modelLimits.splitStagesMax).default(['self']),
    })
    .optional(),
  roundMs: trainingTermsSchema.shape.roundMs.default(60_000),
  learningRate: learningRate.default(0.01),
  schedule: z.enum(schedules).default('constant'),
  seed: seed.default(1),
  threads: z.int().min(1).max(limits.trainingThreadsMax).default(1),
});
export type TrainingRequest = z.input<typeof trainingRequestSchema>;

/** Body of `POST /training/offers/:id/join`. */
export const trainingJoinSchema = z.strictObject({
  data: z.string().min(1).max(64),
  /** The owner was told what it takes and who sees what, and said yes. */
  accept: z.literal(true, 'joining needs a yes to what it takes: accept is true'),
  threads: z.int().min(1).max(limits.trainingThreadsMax).default(1),
  privacy: trainingPrivacySchema.optional(),
});
export type TrainingJoin = z.input<typeof trainingJoinSchema>;

/** Body of `POST /training/runs/:id/links`. */
export const trainingLinkRequestSchema = z.strictObject({
  /** How long it lives, milliseconds. */
  forMs: z.int().min(limits.trainingLinkMsMin).max(limits.trainingLinkMsMax).default(7_200_000),
  /** Browsers that may come with it. */
  visitors: z.int().min(1).max(limits.trainingVisitorsMax).default(8),
  /** Id of data that was read in, to hand out: each visitor gets a part of its own. Without it they bring their own. */
  data: z.string().min(1).max(64).optional(),
});
export type TrainingLinkRequest = z.input<typeof trainingLinkRequestSchema>;

export const trainingLinkSchema = z.object({
  id: z.string(),
  run: z.object({ id: z.string(), name: z.string() }),
  /** Carries the secret. */
  link: z.string(),
  /** How far the link works: anywhere, on this network, on this machine. */
  reach: z.enum(['relay', 'lan', 'machine']),
  warning: z.string().optional(),
  createdMs: z.number(),
  expiresMs: z.number(),
  visitorsMax: z.number(),
  visitors: z.array(z.object({ peerId: z.string(), name: z.string(), lastSeenMs: z.number() })),
  /** What is handed out, all parts together. */
  handed: z.object({ name: z.string(), bytes: z.number() }).nullable(),
  /** `over`: its run is. */
  state: z.enum(['active', 'expired', 'stopped', 'over']),
});
export type TrainingLinkView = z.output<typeof trainingLinkSchema>;
export const trainingLinksSchema = z.object({ v: z.literal(1), links: z.array(trainingLinkSchema) });
export type TrainingLinksView = z.output<typeof trainingLinksSchema>;

/** Data that was read in on this machine. It is not sent to anybody. */
export const trainingDataSchema = z.object({
  id: z.string(),
  name: z.string(),
  bytes: z.number(),
  /**
   * Of a table: what it holds; null for plain text, which a file called .txt always is. `values`: the different ones, where they are few enough to be labels. Of a table too wide for full layers the
   * first and the last column alone, where labels stand.
   */
  table: z
    .object({
      rows: z.number(),
      columns: z.array(z.object({ name: z.string(), numeric: z.boolean(), values: z.array(z.string()).nullable() })),
    })
    .nullable(),
  /** The images that such a table can hold, one column being the label; null where its columns are no square. */
  images: z.object({ side: z.number(), channels: z.number() }).nullable(),
});
export type TrainingDataView = z.output<typeof trainingDataSchema>;

const memberSchema = z.object({ peerId: z.string(), name: z.string() });
/** How good the shared model is on data of this peer that it does not learn from. */
export const heldOutSchema = z.object({
  /** Nats: mean −log p of the right class, or of the next token, which is a byte unless the base of an adapter has others. */
  loss: z.number(),
  /** Share of rows told rightly; null for a language model. */
  accuracy: z.number().nullable(),
});
export type HeldOut = z.output<typeof heldOutSchema>;

export const trainingRoundSchema = z.object({
  round: z.number(),
  atMs: z.number(),
  /** Mean of what the members say of their own steps, nats; null where none says it. */
  loss: z.number().nullable(),
  /** The shared model before and after this round; null where it was not measured (yet). */
  before: heldOutSchema.nullable(),
  after: heldOutSchema.nullable(),
  /** Whose update counted, with the loss it said, if any. */
  members: z.array(memberSchema.extend({ loss: z.number().nullable() })),
  refused: z.array(memberSchema.extend({ reason: z.string() })),
  /** SHA-256 of the state all members hold after it, hex. */
  hash: z.string(),
});
export type TrainingRoundView = z.output<typeof trainingRoundSchema>;

export const trainingRunSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(['started', 'joined']),
  /** Who started it. */
  by: memberSchema,
  /** `waiting`: for members, or for somebody who coordinates. */
  state: z.enum(['waiting', 'training', 'done', 'stopped', 'failed']),
  plan: trainingPlanSchema,
  terms: trainingTermsSchema,
  /** Weights of the model, count. */
  parameters: z.number(),
  /** Rounds that closed. */
  round: z.number(),
  coordinator: memberSchema.nullable(),
  /** Who may take part in a private run; empty for an open one. */
  invited: z.array(memberSchema),
  members: z.array(memberSchema),
  /** Of a run in stages, in their order; empty for others. */
  stages: z.array(
    z.object({
      /** Layers of the model, the first one 0: `from` to before `to`. */
      from: z.number(),
      to: z.number(),
      parameters: z.number(),
      /** Who is meant to hold it, then the spares. */
      places: z.array(memberSchema),
      /** Who holds it now; null while nobody does. */
      holder: memberSchema.nullable(),
      /** Who was lost last, and with which code. */
      lost: memberSchema.extend({ code: z.string() }).nullable(),
    }),
  ),
  /** Updates of the open round that are in, and that it needs. */
  received: z.number(),
  needed: z.number(),
  /** What this peer gives: `examples` are rows or bytes to learn from, `heldOut` those kept apart. */
  data: z.object({ name: z.string(), bytes: z.number(), examples: z.number(), heldOut: z.number() }),
  threads: z.number(),
  /** Noise on what this peer hands in, and what of the budget of this data is spent; null without. */
  privacy: z
    .object({
      epsilon: z.number(),
      epsilonMax: z.number(),
      delta: z.number(),
      /** Updates that were booked, over all runs with this data. */
      steps: z.number(),
      clip: z.number(),
      noise: z.number(),
    })
    .nullable(),
  /** The shared model on this peer's own held-out data, when it came in and now. */
  first: heldOutSchema.nullable(),
  now: heldOutSchema.nullable(),
  startedMs: z.number(),
  endedMs: z.number().nullable(),
  bytesSent: z.number(),
  bytesReceived: z.number(),
  /** SHA-256 of the state held now, hex: equal with all members. Null before the first round closed. */
  hash: z.string().nullable(),
  /** The trained model as an ONNX file; its SHA-256 is its identity, equal with all members. Null until the run is done. */
  file: z.object({ sha256: z.string(), bytes: z.number(), path: z.string() }).nullable(),
  /** Why it failed, or what it waits for. */
  code: z.string().nullable(),
  message: z.string().nullable(),
});
export type TrainingRunView = z.output<typeof trainingRunSchema>;
export const trainingRunsSchema = z.object({ v: z.literal(1), runs: z.array(trainingRunSchema) });
export type TrainingRunsView = z.output<typeof trainingRunsSchema>;
export const trainingDetailSchema = trainingRunSchema.extend({
  v: z.literal(1),
  rounds: z.array(trainingRoundSchema),
});
export type TrainingDetail = z.output<typeof trainingDetailSchema>;

/** What a trained model says of one row. */
export const predictionSchema = z.object({
  /** The label with the greatest score, and how sure the model is of it, 0 to 1: its softmax, which is not checked against how often it is right. */
  answer: z.string(),
  probability: z.number(),
  /** What the row itself says; null where it says nothing. */
  label: z.string().nullable(),
});
export type Prediction = z.output<typeof predictionSchema>;
export const trainingPredictionSchema = z.object({
  v: z.literal(1),
  run: z.object({ id: z.string(), name: z.string() }),
  rows: z.array(predictionSchema),
  /** Rows that say their label, and those of them that the model tells rightly, count. */
  labelled: z.number(),
  right: z.number(),
});
export type TrainingPrediction = z.output<typeof trainingPredictionSchema>;

export const trainingOfferSchema = z.object({
  id: z.string(),
  name: z.string(),
  from: memberSchema,
  plan: trainingPlanSchema,
  terms: trainingTermsSchema,
  parameters: z.number(),
  round: z.number(),
  /** Peers in it now, count. */
  members: z.number(),
  /** Who may take part in a private run; empty for an open one. */
  invited: z.array(memberSchema),
  /** What joining takes and shows: said before, and needing a yes. */
  asks: z.object({
    /** Bytes that come once, then each round. */
    firstBytes: z.number(),
    roundBytesReceived: z.number(),
    roundBytesSent: z.number(),
    /** Steps this peer would make until the end. */
    stepsLeft: z.number(),
    /** Who sees what, in plain sentences. */
    visible: z.array(z.string()),
  }),
});
export type TrainingOfferView = z.output<typeof trainingOfferSchema>;
export const trainingOffersSchema = z.object({
  v: z.literal(1),
  offers: z.array(trainingOfferSchema),
  /** Devices that were asked and gave no answer, with the reason. */
  unanswered: z.array(memberSchema.extend({ code: z.string(), message: z.string() })),
});
export type TrainingOffersView = z.output<typeof trainingOffersSchema>;
