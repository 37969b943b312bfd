import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Stage } from './plan.ts';

/**
 * Bytes that a stage holds between two steps while it learns: its weights for the backward pass and for the update, two moments, one gradient, and of the last
 * stage the weights for the forward pass too. What a step computes meanwhile comes on top, and is freed with it.
 */
export const learningBytesOf = ({ index, count, layout }: Stage): number =>
  4 * layout.size * (index === count - 1 ? 6 : 5);

/** What learns at one host. */
export interface LearningRoom {
  /** Throws LIMIT_EXCEEDED for a stage that never fits, LIMIT_REACHED while as many as may learn. The place is given back when what it returns is disposed. */
  take(stage: Stage): Disposable;
}

export function createLearningRoom(): LearningRoom {
  let learning = 0;
  return {
    take(stage) {
      const [bytes, bytesMax] = [learningBytesOf(stage), limits.stageLearnBytesMax];
      if (bytes > bytesMax)
        throw new PeerAiError(
          'LIMIT_EXCEEDED',
          `A stage that learns holds ${bytesMax} bytes at most; this one ${bytes}.`,
          {
            bytes,
            bytesMax,
          },
        );
      if (learning >= limits.stagesLearningMax)
        throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', 'As many stages learn here as may.');
      learning += 1;
      let isBack = false;
      return {
        [Symbol.dispose]() {
          if (!isBack) learning -= 1;
          isBack = true;
        },
      };
    },
  };
}
