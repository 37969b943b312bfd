import { type Clock, parsePeerId, PeerAiError, peerIdFromPublicKey, toHex } from '@peerai/core-protocol';
import { signalLimits, type SignalLimits } from './limits.ts';
import type { Discovery, Heartbeat } from './messages.ts';

/** A device as others see it. */
export interface DeviceView {
  readonly device_id: string;
  readonly peer_info: object;
  readonly capabilities: readonly string[];
  readonly specializations: readonly string[];
  readonly resources: object;
  readonly node_status?: object | string;
  /** UNIX milliseconds. */
  readonly last_seen: number;
}
export type Announcement = Partial<Pick<DeviceView, 'capabilities' | 'specializations' | 'resources' | 'node_status'>>;

/** Who is here under which name. A name belongs to the key it was first registered with. */
export interface SignalDevices {
  readonly size: number;
  /** Throws NAME_TAKEN, LIMIT_REACHED. */
  register(id: string, publicKey: Uint8Array, peerInfo: object): DeviceView;
  /** What changed it, if anything did, is told to others. */
  update(id: string, news: Announcement): { readonly view: DeviceView; readonly isChanged: boolean };
  heard(id: string): void;
  has(id: string): boolean;
  view(id: string): DeviceView | undefined;
  /** Those with all of the capabilities and any of the specializations, without the asker. */
  find(asker: string, filters: Discovery): { readonly peers: readonly DeviceView[]; readonly total: number };
  /** Names of devices that have said nothing for too long. */
  silent(): readonly string[];
  remove(id: string): void;
}

export function createSignalDevices(clock: Clock, limits: SignalLimits = signalLimits): SignalDevices {
  const here = new Map<string, { view: DeviceView; heardMs: number }>();
  /** Keys of names, those of devices that left too: the one that left longest ago first. */
  const owners = new Map<string, { key: string; leftMs?: number }>();

  function checkOwner(id: string, publicKey: Uint8Array): void {
    if (isPeerId(id) && id !== peerIdFromPublicKey(publicKey))
      throw new PeerAiError('NAME_TAKEN', 'a device that is called like a peer must have its key');
    const owner = owners.get(id);
    if (owner === undefined || owner.key === toHex(publicKey)) return;
    if (owner.leftMs !== undefined && clock.nowMs() - owner.leftMs >= limits.nameMs) return;
    throw new PeerAiError('NAME_TAKEN', 'this device id belongs to another key');
  }

  return {
    get size() {
      return here.size;
    },
    register(id, publicKey, peerInfo) {
      checkOwner(id, publicKey);
      if (!here.has(id) && here.size >= limits.devicesMax)
        throw new PeerAiError('LIMIT_REACHED', `this relay has its ${limits.devicesMax} devices`);
      const last_seen = clock.nowMs();
      const view = {
        device_id: id,
        peer_info: peerInfo,
        capabilities: [],
        specializations: [],
        resources: {},
        last_seen,
      };
      here.set(id, { view, heardMs: clock.elapsedMs() });
      owners.delete(id);
      owners.set(id, { key: toHex(publicKey) });
      return view;
    },
    update(id, news) {
      const device = here.get(id);
      if (device === undefined) throw new PeerAiError('UNKNOWN_SENDER', 'register first');
      const before = { ...device.view, last_seen: 0 };
      device.view = { ...device.view, ...news, last_seen: clock.nowMs() };
      const isChanged = JSON.stringify(before) !== JSON.stringify({ ...device.view, last_seen: 0 });
      return { view: device.view, isChanged };
    },
    heard(id) {
      const device = here.get(id);
      if (device === undefined) return;
      device.heardMs = clock.elapsedMs();
      device.view = { ...device.view, last_seen: clock.nowMs() };
    },
    has: (id) => here.has(id),
    view: (id) => here.get(id)?.view,
    find(asker, { required_capabilities: required, specializations: any }) {
      const fitting = [...here.values()]
        .map(({ view }) => view)
        .filter(
          ({ device_id: id, capabilities, specializations }) =>
            id !== asker &&
            required.every((word) => capabilities.includes(word)) &&
            (any.length === 0 || any.some((word) => specializations.includes(word))),
        );
      return { peers: fitting.slice(0, limits.foundMax), total: fitting.length };
    },
    silent: () =>
      [...here].filter(([, { heardMs }]) => clock.elapsedMs() - heardMs >= limits.silenceMs).map(([id]) => id),
    remove(id) {
      const owner = owners.get(id);
      if (!here.delete(id) || owner === undefined) return;
      owners.delete(id);
      owners.set(id, { ...owner, leftMs: clock.nowMs() });
      for (const [name] of owners) {
        if (owners.size <= limits.namesMax) break;
        if (!here.has(name)) owners.delete(name);
      }
    },
  };
}

export const newsOf = ({
  node_status,
  available_resources,
  capabilities,
  cluster_specializations,
}: Heartbeat): Announcement => ({
  ...(node_status === undefined ? {} : { node_status }),
  ...(available_resources === undefined ? {} : { resources: available_resources }),
  ...(capabilities === undefined ? {} : { capabilities }),
  ...(cluster_specializations === undefined ? {} : { specializations: cluster_specializations }),
});

function isPeerId(text: string): boolean {
  try {
    parsePeerId(text);
    return true;
  } catch {
    return false;
  }
}
