import type { PeerId } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { createReach, type Reach } from '../node/reach.ts';
import type { Devices } from '../pairing/devices.ts';
import { createPeerPaths, type PeerPaths } from '../paths/paths.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import { createKeeper } from './keeper.ts';
import type { LinkBook } from './link-book.ts';
import { createRelays, type Relays } from './relays.ts';

interface Parts {
  readonly devices: Devices;
  readonly events: EventHub;
  readonly links: LinkBook;
  /** A device said hello, by itself or as it was asked. */
  readonly met: (peer: PeerId) => void;
}

/** Where this peer is, and that its devices know it: relays, addresses, and a kept link to each device. */
export interface Contact {
  readonly relays: Relays;
  readonly reach: Reach;
  readonly paths: PeerPaths;
  /** Tries this device now, instead of when its wait is over. */
  nudge(peer: PeerId): void;
  /** A hello tells our devices where we are, and makes them ask for our models again. Nothing before `start`. */
  greetAll(): void;
  start(): void;
  stop(): void;
}

export function createContact(
  world: PeerWorld,
  settings: PeerSettings,
  { devices, events, links, met }: Parts,
): Contact {
  const { identity, clock, network, logger, api } = world;
  let isKeeping = false;
  const greetAll = (): void => {
    if (isKeeping) for (const { peer } of devices.list()) keeper.nudge(peer);
  };
  const relays = createRelays({
    network,
    clock,
    logger,
    links,
    events,
    configured: settings.relays,
    use: world.useRelays,
    placed: greetAll,
  });
  const addresses = (): readonly string[] => network.addresses();
  const reach = createReach({ self: identity.peer, addresses, relays, pageUrl: settings.pageUrl, api });
  const hello = () => ({
    name: settings.name,
    version: settings.version,
    addresses: [...reach.inviteAddresses()],
    http: settings.http?.url?.(),
    sessions: 1,
    frames: 1,
    nowMs: clock.nowMs(),
  });
  const paths = createPeerPaths({ ...world, devices, links, relays, hello });
  const keeper = createKeeper({
    network,
    clock,
    logger,
    devices,
    links,
    hello,
    met(peer, theirs) {
      paths.met(peer, theirs);
      met(peer);
    },
  });
  return {
    relays,
    reach,
    paths,
    nudge: (peer) => keeper.nudge(peer),
    greetAll,
    start() {
      keeper.start();
      isKeeping = true;
    },
    stop() {
      isKeeping = false;
      keeper.stop();
    },
  };
}
