import type { Clock } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { RunHead } from './run-book.ts';
import type { TrainingRoundView, TrainingRunView } from './training.schema.ts';

export interface Teller {
  /** @param isWhole - said at once; what is not is said a few times a second at most, the newest last. */
  changed(head: RunHead, isWhole: boolean): void;
  closed(id: string, round: TrainingRoundView): void;
}

/** Events about runs, never faster than people read. */
export function createTeller(
  { events, clock }: { readonly events: EventHub; readonly clock: Clock },
  view: (head: RunHead) => TrainingRunView,
): Teller {
  let toldMs = -Infinity;
  let waiting: RunHead | undefined;
  const tell = (head: RunHead): void => {
    waiting = undefined;
    toldMs = clock.elapsedMs();
    events.emit({ type: 'training-changed', run: view(head) });
  };
  const later = async (ms: number): Promise<void> => {
    await clock.sleep(ms);
    if (waiting !== undefined) tell(waiting);
  };
  return {
    changed(head, isWhole) {
      const restMs = toldMs + limits.trainingToldEveryMs - clock.elapsedMs();
      if (isWhole || restMs <= 0) return tell(head);
      const isFirst = waiting === undefined;
      waiting = head;
      if (!isFirst) return;
      void later(restMs);
    },
    closed: (runId, round) => events.emit({ type: 'training-round', runId, round }),
  };
}
