import type { ControlEvent } from '../control/events.ts';
import { limits } from '../limits.ts';

export interface NumberedEvent {
  readonly id: number;
  readonly event: ControlEvent;
}

/** Where use cases say what happened, and faces listen. */
export interface EventHub {
  emit(event: ControlEvent): void;
  /** Events after `afterId` that are still kept, then each new one. A reader more than `eventsKeptMax` behind is ended, never waited for. */
  subscribe(signal: AbortSignal, afterId?: number): AsyncIterable<NumberedEvent>;
}

interface Reader {
  readonly queue: NumberedEvent[];
  ended: boolean;
  wake: (() => void) | undefined;
}

export function createEventHub(): EventHub {
  const kept: NumberedEvent[] = [];
  const readers = new Set<Reader>();
  let lastId = 0;
  return {
    emit(event) {
      lastId += 1;
      const numbered = { id: lastId, event };
      kept.push(numbered);
      if (kept.length > limits.eventsKeptMax) kept.shift();
      for (const reader of readers) offer(reader, numbered);
    },
    async *subscribe(signal, afterId) {
      const missed = afterId === undefined ? [] : kept.filter(({ id }) => id > afterId);
      const reader: Reader = { queue: missed, ended: false, wake: undefined };
      readers.add(reader);
      const wake = (): void => reader.wake?.();
      signal.addEventListener('abort', wake);
      try {
        while (!signal.aborted) {
          const next = reader.queue.shift();
          if (next !== undefined) yield next;
          else if (reader.ended) return;
          else await new Promise<void>((resolve) => (reader.wake = resolve));
        }
      } finally {
        readers.delete(reader);
        signal.removeEventListener('abort', wake);
      }
    },
  };
}

function offer(reader: Reader, numbered: NumberedEvent): void {
  if (reader.queue.length >= limits.eventsKeptMax) reader.ended = true;
  else if (!reader.ended) reader.queue.push(numbered);
  reader.wake?.();
}
