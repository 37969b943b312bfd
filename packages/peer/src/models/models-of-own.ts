import type { PeerId } from '@peerai/core-protocol';
import type { Devices } from '../pairing/devices.ts';
import type { PeerWorld } from '../peer-world.ts';
import type { Training } from '../training/training.ts';
import type { ImportedModels } from './imported-models.ts';
import type { LocalModels } from './local-models.ts';
import { createOwnModels, type OwnModels } from './own-models.ts';
import { createSplits, lateRuntime, type Splits, type SplitsDeps } from './splits.ts';

interface Parts {
  readonly devices: Devices;
  readonly nameOf: (peer: PeerId) => string;
  readonly training: () => Training;
  readonly imported: () => ImportedModels;
  readonly local: () => LocalModels;
  readonly changed: () => void;
  readonly handed: SplitsDeps['handed'];
}

/** Models whose weights this peer has: as they are, and in stages at several devices. */
export function createModelsOfOwn(
  world: PeerWorld,
  { devices, nameOf, training, imported, local, changed, handed }: Parts,
): { readonly own: OwnModels; readonly splits: Splits } {
  const cards = () =>
    local()
      .list()
      .map(({ card }) => card);
  const isKnown = (wanted: string): boolean => cards().some(({ name }) => name === wanted);
  const own = createOwnModels({ ...world, training, imported, isKnown });
  const splits = createSplits({
    ...world,
    devices,
    nameOf,
    mayTrain: (peer) => training().mayTrain(peer),
    own: own.room,
    runtime: lateRuntime(world.trainingRuntime),
    isTaken: (wanted) => cards().some(({ name, engine }) => name === wanted && engine !== 'split'),
    changed,
    handed,
  });
  return { own, splits };
}
