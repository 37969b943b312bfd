import type { Clock } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { clusterLimits } from './limits.ts';

export interface Firings {
  /** Nodes of a cluster that fired just now. */
  note(name: string, nodes: Iterable<number>): void;
  /** It is no more: what waits is not told. */
  forget(name: string): void;
}
interface Waiting {
  readonly nodes: Set<number>;
  toldMs: number;
  isDue: boolean;
}

/** Tells which nodes fired, each cluster's a few times a second at most: what fires in between goes into the next. */
export function createFirings({ events, clock }: { readonly events: EventHub; readonly clock: Clock }): Firings {
  const clusters = new Map<string, Waiting>();
  const tell = (name: string, waiting: Waiting): void => {
    if (clusters.get(name) !== waiting || waiting.nodes.size === 0) return;
    const nodes = [...waiting.nodes].sort((a, b) => a - b);
    waiting.nodes.clear();
    waiting.toldMs = clock.elapsedMs();
    events.emit({ type: 'cluster-fired', name, nodes });
  };
  const later = async (name: string, waiting: Waiting, ms: number): Promise<void> => {
    waiting.isDue = true;
    await clock.sleep(ms);
    waiting.isDue = false;
    tell(name, waiting);
  };
  return {
    note(name, nodes) {
      const waiting = clusters.get(name) ?? { nodes: new Set(), toldMs: -Infinity, isDue: false };
      clusters.set(name, waiting);
      for (const node of nodes) waiting.nodes.add(node);
      const restMs = waiting.toldMs + clusterLimits.clusterToldEveryMs - clock.elapsedMs();
      if (restMs <= 0) tell(name, waiting);
      else if (!waiting.isDue) void later(name, waiting, restMs);
    },
    forget: (name) => void clusters.delete(name),
  };
}
