import type { PeerId } from '@peerai/core-protocol';
import type { Devices } from './devices.ts';

/** The key under which the device of this key goes on now; the same one where it never changed, or is no device's. */
export function newestKey(devices: Pick<Devices, 'list'>, peer: PeerId): PeerId {
  const after = new Map<PeerId, PeerId>();
  for (const device of devices.list()) if (device.predecessor !== undefined) after.set(device.predecessor, device.peer);
  let newest = peer;
  // A chain has no circle; were there one, each key is passed once.
  for (let next = after.get(peer); next !== undefined && next !== peer; next = after.get(next)) {
    after.delete(newest);
    newest = next;
  }
  return newest;
}

export const goesOnFor = (devices: Pick<Devices, 'list'>, newer: PeerId, older: PeerId): boolean =>
  newestKey(devices, older) === newer;
