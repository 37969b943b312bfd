import { PeerAiError, type PeerId } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { OpenStage } from './messages.ts';
import { openRemoteStage, type StageDriverDeps } from './remote.ts';
import type { StageRunner } from './stage.ts';

export interface StagePeers extends OpenStage {
  /** Who offers the stage, the one to begin with first. */
  readonly peers: readonly PeerId[];
  /** One of `peers` that is this one: opened without a network. */
  readonly own?: { readonly peer: PeerId; readonly open: (signal: AbortSignal) => Promise<StageRunner> };
  /** Hears which peer has the stage now. */
  readonly onOpened?: (peer: PeerId) => void;
  /** Hears of each peer that was left, and why. */
  readonly onLost?: (peer: PeerId, error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * A stage at one of several peers. To answer, a peer that is lost is replaced by the next that opens the same stage, and the call is made again there: a
 * stage keeps nothing between calls but its weights. To learn, the weights are lost with the peer, so nobody takes its place.
 *
 * Throws STAGE_LOST (`details.index`, `details.reasons` with each peer's code) when no peer is left; ABORTED and what is wrong with the question itself
 * (SHAPE_MISMATCH, INVALID_OPTION, LIMIT_EXCEEDED) as they are.
 */
export async function openStageAnywhere(deps: StageDriverDeps, wanted: StagePeers): Promise<StageRunner> {
  const { peers, own, onOpened, onLost, mode, stage } = wanted;
  let order = [...peers];
  let current: { readonly peer: PeerId; readonly runner: StageRunner } | undefined;
  const leave = async (peer: PeerId, error: unknown): Promise<void> => {
    onLost?.(peer, error);
    order = [...order.filter((one) => one !== peer), peer];
    const left = current;
    current = undefined;
    try {
      await left?.runner[Symbol.asyncDispose]();
    } catch {
      // It is lost: its channel may not close any more.
    }
  };
  const attempt = async <T>(work: (runner: StageRunner) => Promise<T>, signal: AbortSignal): Promise<T> => {
    const reasons: Record<string, string> = {};
    for (const peer of current === undefined || mode === 'answer' ? [...order] : [current.peer]) {
      try {
        if (current === undefined) {
          const runner = await (peer === own?.peer ? own.open(signal) : openRemoteStage(deps, peer, wanted, signal));
          current = { peer, runner };
          onOpened?.(peer);
        }
        return await work(current.runner);
      } catch (error) {
        if (signal.aborted || isOwnFault(error)) throw error;
        reasons[peer] = PeerAiError.is(error) ? error.code : 'INTERNAL';
        await leave(peer, error);
      }
    }
    const text = `Nobody is left who computes stage ${stage.index}.`;
    throw new PeerAiError<NnErrorCode>('STAGE_LOST', text, { index: stage.index, reasons });
  };
  /** Calls after the first opening; a stage that learned and was lost stays lost. */
  const call = async <T>(work: (runner: StageRunner) => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (mode === 'learn' && current === undefined) order = [];
    return await attempt(work, signal);
  };
  await attempt(async () => undefined, wanted.signal);
  return {
    forward: (feeds, signal) => call((runner) => runner.forward(feeds, signal), signal),
    backward: (feeds, signal) => call((runner) => runner.backward(feeds, signal), signal),
    update: (feeds, signal) => call((runner) => runner.update(feeds, signal), signal),
    weights: (signal) => call((runner) => runner.weights(signal), signal),
    async [Symbol.asyncDispose]() {
      await current?.runner[Symbol.asyncDispose]();
    },
  };
}

const isOwnFault = (error: unknown): boolean =>
  PeerAiError.is(error, 'SHAPE_MISMATCH', 'INVALID_OPTION', 'LIMIT_EXCEEDED');
