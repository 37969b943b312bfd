import type { Channel } from '@peerai/core-protocol';
import { createStageHost } from '@peerai/nn-engine/split';
import type { SplitsDeps } from '../splits.ts';
import { openKeptWeights } from './kept-weights.ts';

/** Computes stages for devices that may train here. Throws what the store throws. */
export async function openStageHost(deps: SplitsDeps): Promise<{ answer(channel: Channel): Promise<void> }> {
  const { shelf, logger, mayTrain } = deps;
  return createStageHost(deps, {
    mayUse: (peer) => mayTrain(peer),
    fetchesWeights: true,
    ...(shelf === undefined ? {} : { kept: await openKeptWeights({ ...deps, shelf }) }),
    onError: () => logger.error('stage-failed'),
  });
}
