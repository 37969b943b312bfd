import { z } from 'zod';
import { clusterLimits } from './limits.ts';

const name = z
  .string()
  .trim()
  .min(1)
  .max(clusterLimits.clusterNameCharsMax)
  .regex(/^[^\p{Cc}]*$/u, 'a name without control characters');
const value = z.number().min(-clusterLimits.clusterValueMax).max(clusterLimits.clusterValueMax);
const input = z.array(value).min(1).max(clusterLimits.clusterInputsMax);

/** Body of `POST /clusters`. */
export const clusterRequestSchema = z.strictObject({
  name,
  nodes: z.int().min(1).max(clusterLimits.clusterNodesMax).default(32),
  inputs: z.int().min(1).max(clusterLimits.clusterInputsMax).default(2),
  outputs: z.int().min(1).max(clusterLimits.clusterOutputsMax).default(2),
  /** Growth ends here. */
  nodesMax: z.int().min(1).max(clusterLimits.clusterNodesMax).default(128),
  /** The same seed and the same inputs give the same run. */
  seed: z.int().min(0).max(0x7fff_ffff).default(1),
  /** Its errors teach clusters of this name at devices that may train with this one, and theirs teach it. */
  shared: z.boolean().default(false),
});
export type ClusterRequest = z.input<typeof clusterRequestSchema>;

/** Body of `POST /clusters/:name/process`: a stream of inputs, one a step. */
export const clusterStepsSchema = z.strictObject({
  inputs: z.array(input).min(1).max(clusterLimits.clusterStepsMax),
  /** Pause between two steps, so that people can watch, milliseconds. */
  everyMs: z.int().min(0).max(clusterLimits.clusterPauseMsMax).default(0),
});
export type ClusterSteps = z.input<typeof clusterStepsSchema>;

/** Body of `POST /clusters/:name/ask`: one trial, from rest. */
export const clusterQuestionSchema = z.strictObject({ input });
export type ClusterQuestion = z.input<typeof clusterQuestionSchema>;

/** Body of `POST /clusters/:name/learn`. */
export const clusterLessonSchema = z.strictObject({
  /** `label` is the output that is right, counted from 0. */
  examples: z
    .array(
      z.strictObject({
        input,
        label: z
          .int()
          .min(0)
          .max(clusterLimits.clusterOutputsMax - 1),
      }),
    )
    .min(1)
    .max(clusterLimits.clusterExamplesMax),
  /** How often all of them are gone through. */
  passes: z.int().min(1).max(clusterLimits.clusterPassesMax).default(1),
  rate: z.number().positive().max(1).default(0.05),
});
export type ClusterLesson = z.input<typeof clusterLessonSchema>;

export const clusterSchema = z.object({
  name: z.string(),
  nodes: z.number(),
  nodesMax: z.number(),
  inputs: z.number(),
  outputs: z.number(),
  edges: z.number(),
  seed: z.number(),
  shared: z.boolean(),
  createdMs: z.number(),
  /** Steps of `process` so far. */
  steps: z.number(),
  /** Examples it learned from here, and errors of other peers. */
  learned: z.number(),
  heard: z.number(),
  /** Share of the examples of the last lesson that it told rightly before it learned from them; null before the first. */
  right: z.number().nullable(),
});
export type ClusterView = z.output<typeof clusterSchema>;

const memberSchema = z.object({ peerId: z.string(), name: z.string() });
/** Peers that work together by measured load, as this one sees it. */
export const peerClustersSchema = z.array(z.object({ id: z.string(), members: z.array(memberSchema) }));
export type PeerClustersView = z.output<typeof peerClustersSchema>;
export const clustersSchema = z.object({
  v: z.literal(1),
  clusters: z.array(clusterSchema),
  /** Whom errors go to is who is in the same of these; empty while no cluster is shared. */
  peers: peerClustersSchema,
});
export type ClustersView = z.output<typeof clustersSchema>;

const nodeSchema = z.object({
  /** How it fired in the last step; null when it did not. */
  fired: z.enum(['threshold', 'timer']).nullable(),
  value: z.number(),
  accumulator: z.number(),
  threshold: z.number(),
  timer: z.number(),
  interval: z.number(),
  edges: z.array(z.object({ from: z.number(), weight: z.number() })),
});
export type ClusterNodeView = z.output<typeof nodeSchema>;
export const clusterDetailSchema = clusterSchema.extend({ v: z.literal(1), state: z.array(nodeSchema) });
export type ClusterDetail = z.output<typeof clusterDetailSchema>;

export const clusterRunSchema = z.object({
  v: z.literal(1),
  cluster: clusterSchema,
  /** Of each step: the nodes that fired, by index. */
  fired: z.array(z.array(z.number())),
  /** What each node gave in the last step. */
  values: z.array(z.number()),
});
export type ClusterRunView = z.output<typeof clusterRunSchema>;

export const clusterAnswerSchema = z.object({
  v: z.literal(1),
  /** A vote an output, and what part of all votes it is. */
  votes: z.array(z.number()),
  shares: z.array(z.number()),
  /** The output with the most votes. */
  label: z.number(),
});
export type ClusterAnswerView = z.output<typeof clusterAnswerSchema>;

export const clusterLearnedSchema = z.object({
  v: z.literal(1),
  cluster: clusterSchema,
  presented: z.number(),
  /** Share told rightly in the first pass and in the last, each before it was learned from. */
  rightFirst: z.number(),
  rightLast: z.number(),
});
export type ClusterLearnedView = z.output<typeof clusterLearnedSchema>;

export const clusterExportSchema = z.object({
  v: z.literal(1),
  cluster: clusterSchema,
  /** The ONNX file, base64url. */
  onnx: z.string(),
});
export type ClusterExportView = z.output<typeof clusterExportSchema>;

export const clusterGrownSchema = z.object({
  v: z.literal(1),
  cluster: clusterSchema,
  /** Nodes that came, edges that became stronger, edges that went. */
  split: z.number(),
  strengthened: z.number(),
  pruned: z.number(),
});
export type ClusterGrownView = z.output<typeof clusterGrownSchema>;
