import type { PeerId } from '@peerai/core-protocol';
import type { Mailbox } from '@peerai/messaging/mailbox';
import { createRouter, type Router } from '@peerai/messaging/route';
import { type Devices, mayUse } from '../pairing/devices.ts';
import type { PeerWorld } from '../peer-world.ts';

/** Letters by way of other devices, for those that no link and no relay leads to. */
export interface Routes extends Pick<Router, 'carrier' | 'start'> {
  /** The devices in between on the best path to this peer, the next one first; none when no path is known. */
  through(peer: PeerId): readonly PeerId[];
}

interface Parts {
  readonly mailbox: Mailbox;
  readonly devices: Devices;
  readonly isFriend: (peer: PeerId) => boolean;
}

/** Who forwards here is decided by the right `route`, looked at for each letter. */
export function createRoutes(world: PeerWorld, { mailbox, devices, isFriend }: Parts): Routes {
  const { records, keyring } = mailbox;
  const router = createRouter({
    ...world,
    records,
    keyring,
    isFriend,
    mayRoute: (peer) => mayUse(devices, peer, 'route') && isFriend(peer),
  });
  return {
    carrier: router.carrier,
    through: (peer) => router.paths.to(peer)[0]?.peers.slice(0, -1) ?? [],
    start: (messenger, signal) => router.start(messenger, signal),
  };
}
