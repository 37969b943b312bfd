import {
  type Clock,
  type CryptoProvider,
  type Link,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import type { LinkBook } from '../links/link-book.ts';
import { fingerprintView } from '../node/fingerprint-view.ts';
import type { Heard } from '../status/heartbeat.ts';
import { pingDevice } from '../status/ping.ts';
import { cleanName, type Device, type Devices, freeName } from './devices.ts';
import type { PeerPatch, PeerView, PingView } from './pairing.schema.ts';
import type { Trouble } from '../paths/paths.schema.ts';

export interface PeersDeps {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly network: Network;
  readonly devices: Devices;
  readonly links: LinkBook;
  readonly events: EventHub;
  readonly random: Random;
  /** How a device that is here is. */
  readonly heard: (peer: PeerId) => Heard | undefined;
  /** Why it is not reached, or not as it should be. */
  readonly trouble: (peer: PeerId) => Trouble | undefined;
  /** The devices that letters to this peer go through, when a path is known. */
  readonly through: (peer: PeerId) => readonly PeerId[];
  /** Peer ids of the relays in use. */
  readonly relays: () => readonly PeerId[];
  /** Names of the models a device offers to us. */
  readonly modelsOf: (peer: PeerId) => readonly string[];
  readonly ownName: () => string;
  /** A device was blocked or removed, or may do less: what it runs here without the right ends. */
  readonly revoked: (peer: PeerId) => void;
  readonly nudge: (peer: PeerId) => void;
  /** A device is known no more. */
  readonly removed: (peer: PeerId) => void;
}

/** Everybody this peer knows or talks to: paired devices, guests that are here now, relays. */
export interface Peers {
  list(): readonly PeerView[];
  view(peer: PeerId): PeerView;
  nameOf(peer: PeerId): string;
  /** Throws DEVICE_UNKNOWN, INVALID_FORMAT for a name that is taken. */
  change(text: string, patch: PeerPatch): Promise<PeerView>;
  remove(text: string): Promise<void>;
  /** Ends what a peer has here, and its links. */
  cutOff(peer: PeerId): Promise<void>;
  /** Round trip of a nonce over the best path. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE, INVALID_FORMAT. */
  ping(text: string, signal: AbortSignal): Promise<PingView>;
}

export function createPeers(deps: PeersDeps): Peers {
  const throughOf = (peer: PeerId): readonly string[] =>
    deps.through(peer).map((one) => deps.devices.get(one)?.name ?? one.slice(-6));
  const viewOf = (peer: PeerId, device: Device | undefined, link: Link | undefined): PeerView => ({
    peerId: peer,
    name: device?.name ?? (deps.relays().includes(peer) ? 'relay' : `guest-${peer.slice(-6)}`),
    kind: kindOf(deps, peer, device),
    state: device?.blocked === true ? 'blocked' : link === undefined ? 'offline' : 'online',
    path: link?.path ?? null,
    ...(link === undefined && throughOf(peer).length > 0 ? { through: [...throughOf(peer)] } : {}),
    ...(link?.transport === undefined ? {} : { transport: link.transport }),
    ...(link?.throughTurn === undefined ? {} : { throughTurn: link.throughTurn }),
    ...(link?.hybrid === undefined ? {} : { hybrid: link.hybrid }),
    roundTripMs: link === undefined || link.roundTripMs === 0 ? null : link.roundTripMs,
    bytesSent: link?.bytesSent ?? 0,
    bytesReceived: link?.bytesReceived ?? 0,
    models: [...deps.modelsOf(peer)],
    allow: [...(device?.allow ?? [])],
    pairedMs: device?.pairedMs ?? null,
    lastSeenMs: link === undefined ? (device?.lastSeenMs ?? null) : deps.clock.nowMs(),
    fingerprint: fingerprintView(deps.crypto, peer),
    address: link?.address ?? null,
    health: link === undefined ? null : (deps.heard(peer)?.health ?? null),
    report: deps.heard(peer)?.report ?? null,
    ...troubled(device?.blocked === true ? undefined : device && deps.trouble(peer)),
  });
  const view = (peer: PeerId): PeerView => viewOf(peer, deps.devices.get(peer), deps.links.get(peer));
  return {
    view,
    list() {
      const devices = deps.devices.list().map(({ peer }) => peer);
      const others = deps.links
        .list()
        .map(({ peer }) => peer)
        .filter((peer) => !devices.includes(peer));
      return [...devices, ...others].map(view);
    },
    nameOf: (peer) => view(peer).name,
    async change(text, patch) {
      const { peer } = deps.devices.find(text);
      let before: Device | undefined;
      const changed = await deps.devices.update(peer, (device) => {
        before = device;
        return device === undefined ? undefined : patched(deps, device, patch);
      });
      if (before === undefined || changed === undefined)
        throw new PeerAiError('DEVICE_UNKNOWN', 'this device was removed meanwhile');
      if (changed.blocked && !before.blocked) await cutOff(deps, peer);
      else if (before.allow.some((use) => !changed.allow.includes(use))) deps.revoked(peer);
      // A hello makes the other side ask what it may use now.
      const isOpened = changed.allow.some((use) => !before?.allow.includes(use));
      if (!changed.blocked && (before.blocked || isOpened)) deps.nudge(peer);
      deps.events.emit({ type: 'peer-updated', peer: view(peer) });
      return view(peer);
    },
    async remove(text) {
      const { peer } = deps.devices.find(text);
      await deps.devices.remove(peer);
      await cutOff(deps, peer);
      deps.removed(peer);
      deps.events.emit({ type: 'peer-removed', peerId: peer });
    },
    cutOff: (peer) => cutOff(deps, peer),
    ping: (text, signal) => pingDevice(deps, text, signal),
  };
}

const troubled = (trouble: Trouble | undefined): Pick<PeerView, 'trouble'> =>
  trouble === undefined ? {} : { trouble };

/** Throws INVALID_FORMAT for a name that is taken, REFUSED for letting in a key that was revoked. */
function patched({ devices, ownName }: PeersDeps, device: Device, patch: PeerPatch): Device {
  if (device.revokedMs !== undefined && patch.blocked === false)
    throw new PeerAiError('REFUSED', `${device.name} has said itself that its key is not to be trusted; pair it anew`);
  const name = patch.name === undefined ? device.name : cleanName(patch.name);
  const clash = name !== device.name && freeName(devices, ownName(), name, device.peer) !== name;
  if (clash) throw new PeerAiError('INVALID_FORMAT', `"${name}" is the name of another device`);
  return { ...device, name, allow: patch.allow ?? device.allow, blocked: patch.blocked ?? device.blocked };
}

async function cutOff({ revoked, network }: PeersDeps, peer: PeerId): Promise<void> {
  revoked(peer);
  await network.disconnect(peer);
}

function kindOf({ relays }: PeersDeps, peer: PeerId, device: Device | undefined): PeerView['kind'] {
  if (device !== undefined) return 'device';
  return relays().includes(peer) ? 'relay' : 'guest';
}
