import { PeerAiError } from '@peerai/core-protocol';
import { type Cluster, createCluster, type NodeView } from '@peerai/nn-engine/cluster';
import { type Experience, contextOf, meanError, noExperience, noteError, noteStep } from './experience.ts';
import { limits } from './limits.ts';

/** What a cluster lived through in `limits.capsuleSteps` steps. */
export interface Chapter {
  readonly cluster: string;
  readonly steps: number;
  readonly context: readonly number[];
  /** Mean absolute error, 0 to 1. */
  readonly surprise: number;
  /** How its nodes fired most. */
  readonly firing: 'threshold' | 'timer' | 'silent';
}

/** What `get_cluster_state` answers. */
export interface ClusterView {
  readonly cluster_id: string;
  readonly num_nodes: number;
  /** Steps since it was created. */
  readonly steps: number;
  /** The last error it was told, −1 to 1; absent before the first. */
  readonly last_error?: number;
  readonly nodes: readonly NodeView[];
}

interface Held {
  readonly cluster: Cluster;
  steps: number;
  lastError: number | undefined;
  experience: Experience;
}

/** The clusters of one device. Each has four inputs and one output, as the seed's scalar error asks. */
export class Clusters {
  readonly #held = new Map<string, Held>();
  readonly #seed: () => number;
  readonly #onChapter: (chapter: Chapter) => void;

  /** @param seed - of a new cluster's random numbers. */
  constructor(seed: () => number, onChapter: (chapter: Chapter) => void) {
    this.#seed = seed;
    this.#onChapter = onChapter;
  }

  /** One of the same name is replaced, as in the seed. Throws INVALID_OPTION, LIMIT_REACHED. */
  create(id: string, nodes: number): void {
    if (id === '' || id.length > limits.clusterNameCharsMax)
      throw new PeerAiError('INVALID_OPTION', `a cluster's name has 1 to ${limits.clusterNameCharsMax} characters`);
    if (!this.#held.has(id) && this.#held.size >= limits.clustersMax)
      throw new PeerAiError('LIMIT_REACHED', `at most ${limits.clustersMax} clusters`);
    const cluster = createCluster({ nodes, inputs: limits.clusterInputs, outputs: 1, seed: this.#seed() });
    this.#held.set(id, { cluster, steps: 0, lastError: undefined, experience: noExperience() });
  }

  /** One step. Fewer than four numbers are filled up with 0. Throws NOT_FOUND, INVALID_OPTION. */
  process(id: string, values: ArrayLike<number>, dt = 1): Float64Array {
    const held = this.#get(id);
    if (values.length > limits.clusterInputs)
      throw new PeerAiError('INVALID_OPTION', `an input has at most ${limits.clusterInputs} numbers`);
    const input = Float64Array.from({ length: limits.clusterInputs }, (_, index) => values[index] ?? 0);
    const outputs = held.cluster.process(input, { dt });
    held.steps += 1;
    noteStep(held.experience, held.cluster, input, outputs);
    if (held.experience.steps >= limits.capsuleSteps) this.#endChapter(id, held);
    return outputs;
  }

  /** Learns from an error; beyond ±1 it counts as ±1. Throws NOT_FOUND, INVALID_OPTION. */
  learn(id: string, error: number): void {
    const held = this.#get(id);
    const bounded = Math.max(-1, Math.min(1, error));
    held.cluster.learn([bounded]);
    held.lastError = bounded;
    noteError(held.experience, bounded);
  }

  /** The last error it was told. Throws NOT_FOUND. */
  lastError(id: string): number | undefined {
    return this.#get(id).lastError;
  }

  view(id: string): ClusterView | undefined {
    const held = this.#held.get(id);
    if (held === undefined) return undefined;
    const { cluster, steps, lastError } = held;
    const nodes = cluster.nodes();
    const error = lastError === undefined ? {} : { last_error: lastError };
    return { cluster_id: id, num_nodes: nodes.length, steps, ...error, nodes };
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  names(): readonly string[] {
    return [...this.#held.keys()];
  }

  nodeCount(): number {
    return [...this.#held.values()].reduce((sum, { cluster }) => sum + cluster.size, 0);
  }

  /** Ends what was lived through so far, when that is at least one step. Throws NOT_FOUND. */
  endChapter(id: string): void {
    const held = this.#get(id);
    if (held.experience.steps > 0) this.#endChapter(id, held);
  }

  #endChapter(cluster: string, held: Held): void {
    const { experience } = held;
    held.experience = noExperience();
    const { byThreshold, byTimer, steps } = experience;
    const most = byThreshold >= byTimer ? 'threshold' : 'timer';
    const firing = byThreshold + byTimer === 0 ? 'silent' : most;
    this.#onChapter({
      cluster,
      steps,
      context: contextOf(experience, held.cluster),
      surprise: meanError(experience),
      firing,
    });
  }

  #get(id: string): Held {
    const held = this.#held.get(id);
    if (held === undefined) throw new PeerAiError('NOT_FOUND', `there is no cluster "${id.slice(0, 64)}"`);
    return held;
  }
}
