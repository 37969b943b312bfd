import type { ModelView, OfferedRunView } from '@peerai/peer/control';

export interface ModelGroup {
  readonly peerId: string;
  readonly peerName: string;
  /** Undefined for a device that offers only model files that take numbers: it has just answered, by which path is not said. */
  readonly path: ModelView['path'] | undefined;
  readonly models: readonly ModelView[];
  /** Model files that take numbers and may be run there. */
  readonly runs: readonly OfferedRunView[];
}

const pathOrder: readonly ModelView['path'][] = ['local', 'direct', 'relayed', 'offline'];

/** Models by device: this one first, then the best reachable, then by name. */
export function groupModels(models: readonly ModelView[], runs: readonly OfferedRunView[] = []): readonly ModelGroup[] {
  const groups = Map.groupBy<string, ModelView | OfferedRunView>([...models, ...runs], (model) => model.peerId);
  return [...groups.entries()]
    .map(([peerId, [first]]) => {
      const own = models.filter((model) => model.peerId === peerId);
      return {
        peerId,
        peerName: first?.peerName ?? peerId,
        path: own[0]?.path,
        models: own.toSorted((a, b) => a.model.localeCompare(b.model)),
        runs: runs.filter((run) => run.peerId === peerId).toSorted((a, b) => a.name.localeCompare(b.name)),
      };
    })
    .toSorted((a, b) => placeOf(a) - placeOf(b) || a.peerName.localeCompare(b.peerName));
}

const placeOf = ({ path }: ModelGroup): number => pathOrder.indexOf(path ?? 'offline');
