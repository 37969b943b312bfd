import { type Network, type PeerId, type Runtime } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { onTestFinished } from 'vitest';

import { initialWeights } from '../../models/language-model.ts';
import { createNodeRuntime } from '../../node/runtime.ts';
import { seededUnit } from '../../train/random.ts';
import { openStageAnywhere, type StagePeers } from '../anywhere.ts';
import { type StageHostOptions, serveStages } from '../host.ts';
import type { SplitModel } from '../layered.ts';
import type { PlacedStage } from '../pipeline.ts';
import { splitModel, type Stage, stageWeights } from '../plan.ts';
import { packWeights } from '../weights.ts';
import { languageModel } from './models.ts';

const { signal } = new AbortController();
export const runtime = createNodeRuntime();
export const peerOf = (name: string) => name as PeerId;
export const driver = peerOf('driver');
export const answering = { ...languageModel, batch: { rows: 1, length: 16, learned: 1 } } as const satisfies SplitModel;
/** Livelier than fresh ones, so that each token has an answer of its own. */
export const weights = initialWeights(languageModel.sizes, seededUnit(9)).map((weight) =>
  weight === 1 ? 1.1 : weight * 30,
);

/** A world with hosts that offer every stage of a model to the driver. */
export function world(
  model: SplitModel,
  count: number,
  hosts: readonly string[],
  options: Partial<StageHostOptions> & { readonly runtime?: Runtime } = {},
) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const join = (peer: PeerId): Network => networks.join(peer, { isGranted: () => true });
  const deps = { network: join(driver), clock };
  const stages = splitModel(model, count);
  const served = hosts.map((name) => {
    const host = serveStages(
      { network: join(peerOf(name)), clock, crypto, runtime: options.runtime ?? runtime },
      { mayUse: (peer) => peer === driver, ...options },
    );
    for (const stage of stages) host.offer(stage, stageWeights(stage, weights));
    return host;
  });
  const wanted = (stage: Stage, peers: readonly string[], more: Partial<StagePeers> = {}): StagePeers => ({
    stage,
    weights: crypto.sha256(packWeights(stageWeights(stage, weights))),
    mode: model === answering ? 'decode' : 'answer',
    activations: 'float32',
    peers: peers.map(peerOf),
    signal,
    ...more,
  });
  const place = async (peers: (stage: Stage) => readonly string[], more: Partial<StagePeers> = {}) => {
    const placed: PlacedStage[] = [];
    for (const stage of stages) {
      const runner = await openStageAnywhere(deps, wanted(stage, peers(stage), more));
      placed.push({ stage, runner });
      onTestFinished(() => runner[Symbol.asyncDispose]());
    }
    return placed;
  };
  return { networks, clock, deps, stages, served, wanted, place, join };
}
