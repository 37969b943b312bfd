import { PeerAiError, type PeerId, type Tensor } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { createTurns } from '../turns.ts';
import type { StageAnswer } from './decoding.ts';
import type { OpenStage } from './messages.ts';
import { openRemoteStage, type StageDriverDeps } from './remote.ts';
import { joinRows, rowsFrom } from './rows.ts';
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

/** Who computes the stage now. */
interface Holder {
  readonly peer: PeerId;
  readonly runner: StageRunner;
}
type Work<T> = (runner: StageRunner) => Promise<T>;

/**
 * A stage at one of several peers. To answer, a peer that is lost is replaced by the next that opens the same stage, and the call is made again there: whole
 * batches need nothing but the weights, and of an answer token by token all rows so far are told again, in one call, which makes the same keys and values.
 * To learn, the weights are lost with the peer, so nobody takes its place.
 *
 * Throws STAGE_LOST (`details.index`, `details.reasons` with each peer's code) when no peer is left; ABORTED and what is wrong with the question itself
 * (SHAPE_MISMATCH, INVALID_OPTION, LIMIT_EXCEEDED) as they are.
 */
export async function openStageAnywhere(deps: StageDriverDeps, wanted: StagePeers): Promise<StageRunner> {
  const { peers, own, onOpened, onLost, mode, stage } = wanted;
  const inTurn = createTurns();
  let order = [...peers];
  let holder: Holder | undefined;
  let isOver = false;

  /** Of several answers that find a peer lost, the first one leaves it. */
  const leave = async (left: Holder | undefined, peer: PeerId, error: unknown): Promise<void> => {
    // What a closed stage's last call fails with is no loss.
    if (left !== holder || isOver) return;
    holder = undefined;
    order = mode === 'learn' && left !== undefined ? [] : [...order.filter((one) => one !== peer), peer];
    onLost?.(peer, error);
    await close(left);
  };
  /** Who has it, or the next one who opens it; one at a time looks for one. */
  const find = (reasons: Record<string, string>, signal: AbortSignal): Promise<Holder> =>
    inTurn(async () => {
      if (isOver) throw new PeerAiError('ABORTED', 'This stage was closed.');
      if (holder !== undefined && reasons[holder.peer] === undefined) return holder;
      for (const peer of order.filter((one) => reasons[one] === undefined)) {
        try {
          const runner = await (peer === own?.peer ? own.open(signal) : openRemoteStage(deps, peer, wanted, signal));
          // Others may have had one that failed here: they follow.
          const left = holder;
          holder = { peer, runner };
          onOpened?.(peer);
          await close(left);
          return holder;
        } catch (error) {
          if (signal.aborted || isOwnFault(error)) throw error;
          reasons[peer] = codeOf(error);
          await leave(undefined, peer, error);
        }
      }
      const text = `Nobody is left who computes stage ${stage.index}.`;
      throw new PeerAiError<NnErrorCode>('STAGE_LOST', text, { index: stage.index, reasons });
    });
  const call = async <T>(work: Work<T>, signal: AbortSignal): Promise<T> => {
    const reasons: Record<string, string> = {};
    for (;;) {
      const found = await find(reasons, signal);
      try {
        return await work(found.runner);
      } catch (error) {
        if (signal.aborted || isOwnFault(error)) throw error;
        reasons[found.peer] = codeOf(error);
        await leave(found, found.peer, error);
      }
    }
  };
  await call(async () => undefined, wanted.signal);
  return {
    forward: (feeds, signal) => call((runner) => runner.forward(feeds, signal), signal),
    backward: (feeds, signal) => call((runner) => runner.backward(feeds, signal), signal),
    update: (feeds, signal) => call((runner) => runner.update(feeds, signal), signal),
    weights: (signal) => call((runner) => runner.weights(signal), signal),
    begin: () => answerAnywhere(call),
    async [Symbol.asyncDispose]() {
      isOver = true;
      await holder?.runner[Symbol.asyncDispose]();
    },
  };
}

/** An answer that moves on with its stage. Its rows so far stay here, as many as the context has and no more than one message takes. */
function answerAnywhere(call: <T>(work: Work<T>, signal: AbortSignal) => Promise<T>): StageAnswer {
  let before: Tensor | undefined;
  let at: { readonly runner: StageRunner; readonly answer: StageAnswer } | undefined;
  return {
    async extend(past, rows, signal) {
      const all = past === 0 || before === undefined ? rows : joinRows(before, rows);
      const next = await call(async (runner) => {
        if (at?.runner !== runner) {
          at?.answer[Symbol.dispose]();
          at = { runner, answer: runner.begin() };
        } else {
          try {
            return await at.answer.extend(past, rows, signal);
          } catch (error) {
            if (!PeerAiError.is(error, 'STAGE_CACHE_LOST')) throw error;
          }
        }
        return rowsFrom(await at.answer.extend(0, all, signal), past);
      }, signal);
      before = all;
      return next;
    },
    [Symbol.dispose]() {
      at?.answer[Symbol.dispose]();
      [at, before] = [undefined, undefined];
    },
  };
}

async function close(left: Holder | undefined): Promise<void> {
  try {
    await left?.runner[Symbol.asyncDispose]();
  } catch {
    // It is lost: its channel may not close any more.
  }
}

const codeOf = (error: unknown): string => (PeerAiError.is(error) ? error.code : 'INTERNAL');
const isOwnFault = (error: unknown): boolean =>
  PeerAiError.is(error, 'SHAPE_MISMATCH', 'INVALID_OPTION', 'LIMIT_EXCEEDED');
