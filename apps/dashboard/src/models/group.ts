import type { ModelView } from '@peerai/peer/control';

export interface ModelGroup {
  readonly peerId: string;
  readonly peerName: string;
  readonly path: ModelView['path'];
  readonly models: readonly ModelView[];
}

const pathOrder: readonly ModelView['path'][] = ['local', 'direct', 'relayed', 'offline'];

/** Models by device: this one first, then the best reachable, then by name. */
export function groupModels(models: readonly ModelView[]): readonly ModelGroup[] {
  const groups = Map.groupBy(models, (model) => model.peerId);
  return [...groups.entries()]
    .map(([peerId, own]) => ({
      peerId,
      peerName: own[0]?.peerName ?? peerId,
      path: own[0]?.path ?? 'offline',
      models: own.toSorted((a, b) => a.model.localeCompare(b.model)),
    }))
    .toSorted((a, b) => pathOrder.indexOf(a.path) - pathOrder.indexOf(b.path) || a.peerName.localeCompare(b.peerName));
}
