import { createIdentity, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import {
  type DeviceDeps,
  type DeviceNews,
  DistributedNeuralNetwork,
  type FoundDevice,
  type MeetingPoint,
} from '../index.ts';

/** Devices of one test that meet at one relay in memory. */
export interface Town {
  readonly clock: ManualClock;
  device(id: string, seed: number, deps?: Partial<DeviceDeps>): DistributedNeuralNetwork;
  peerOf(id: string): PeerId;
  /** The relay is gone; links stay. */
  closeRelay(): void;
}

export function town(): Town {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1), latencyMs: 5 });
  const registered = new Map<string, () => FoundDevice>();
  const places: { joined: boolean }[] = [];
  const peers = new Map<string, PeerId>();
  return {
    clock,
    device(id, seed, deps = {}) {
      const identity = createIdentity(crypto, new Uint8Array(32).fill(seed));
      peers.set(id, identity.peer);
      return new DistributedNeuralNetwork(id, {
        identity,
        clock,
        random: seededRandom(seed),
        crypto,
        logger: silentLogger,
        store: new MemoryStore(),
        open: async (isGranted) => {
          const place = { joined: false };
          places.push(place);
          const network = networks.join(identity.peer, { isGranted });
          return meetingPoint(id, network, place, registered);
        },
        ...deps,
      });
    },
    peerOf: (id) => peers.get(id) as PeerId,
    closeRelay() {
      for (const place of places) place.joined = false;
      registered.clear();
    },
  };
}

function meetingPoint(
  id: string,
  network: Network,
  place: { joined: boolean },
  registered: Map<string, () => FoundDevice>,
): MeetingPoint {
  const known = new Map<string, FoundDevice>();
  let news: (() => DeviceNews) | undefined;
  const mustBeThere = (): void => {
    if (!place.joined) throw new PeerAiError('INVALID_STATE', 'this device is not at a relay');
  };
  const note = (devices: readonly FoundDevice[]): void =>
    devices.forEach((device) => known.set(device.deviceId, device));
  return {
    network,
    start: async () => undefined,
    stop: async () => void registered.delete(id),
    signalling: {
      get joined() {
        return place.joined;
      },
      async join() {
        place.joined = true;
        registered.set(id, () => {
          const { capabilities = [], specializations = [], resources = {}, status = {} } = news?.() ?? {};
          return { deviceId: id, peer: network.self, capabilities, specializations, resources, status, lastSeenMs: 1 };
        });
      },
      leave: () => void (place.joined = false),
      async discover() {
        mustBeThere();
        const found = [...registered].filter(([name]) => name !== id).map(([, tell]) => tell());
        note(found);
        return found;
      },
      tell: (say) => void (news = say),
      async heartbeat() {
        mustBeThere();
        return registered.size;
      },
      devices: () => [...known.values()],
      isHere: (name) => registered.has(name),
      learn(devices) {
        note(devices as readonly FoundDevice[]);
        return (devices as readonly FoundDevice[]).length;
      },
    },
  };
}
