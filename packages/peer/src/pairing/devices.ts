import { PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import type { Permission } from './permissions.ts';

/** A peer this one is paired with, as kept on disk. */
export interface Device {
  readonly peer: PeerId;
  readonly name: string;
  /** What it may do here. */
  readonly allow: readonly Permission[];
  readonly blocked: boolean;
  /** Hex of the invite's id: the chain of receipts between the two. Paired again, they begin a new one. */
  readonly lease: string;
  /** Those of earlier pairings, newest first: what was not signed there may still be. */
  readonly formerLeases?: readonly string[];
  readonly pairedMs: number;
  readonly lastSeenMs: number;
  /** Multiaddrs it told us, best first. */
  readonly addresses: readonly string[];
  /** Base URL of its HTTP face, as it told us. */
  readonly http?: string;
  /** Version of the sessions that letters to it by HTTP go in; one that says none gets them signed and not sealed. */
  readonly sessions?: number;
  /** Version of the frames that letters to it over a link may go in. */
  readonly frames?: number;
  /** Its links were sealed with post-quantum keys once; since then none is used that is not. */
  readonly hybrid?: true;
  /** It goes on under another key; from `retiresMs` on this one is refused. */
  readonly successor?: PeerId;
  readonly retiresMs?: number;
  /** The key it had before. */
  readonly predecessor?: PeerId;
  /** It said that its key is not to be trusted any more: it stays blocked. */
  readonly revokedMs?: number;
}

/** The chain in use, then earlier ones. */
export const leasesOf = ({ lease, formerLeases = [] }: Pick<Device, 'lease' | 'formerLeases'>): readonly string[] => [
  lease,
  ...formerLeases,
];

/** With this chain in use, and the one used before among the earlier ones. */
export function withLease(device: Device, lease: string, before: Device | undefined = device): Device {
  const former = (before === undefined ? [] : leasesOf(before)).filter((one) => one !== lease);
  return { ...device, lease, formerLeases: former.slice(0, limits.formerLeasesMax) };
}

/**
 * An acceptance that got lost leaves two peers with different chains. They use the greatest of those that both know; unless they agree already,
 * or know none in common.
 */
export function agreedLease(own: readonly string[], theirs: readonly string[]): string | undefined {
  if (own[0] === theirs[0]) return own[0];
  return (
    own
      .filter((lease) => theirs.includes(lease))
      .toSorted()
      .at(-1) ?? own[0]
  );
}

/** Whether a device is paired, not blocked, and was given this right. */
export function mayUse(devices: Pick<Devices, 'get'>, peer: PeerId, right: Permission): boolean {
  const device = devices.get(peer);
  return device?.blocked === false && device.allow.includes(right);
}

/** The paired devices, in memory for quick decisions and on disk for restarts. One whose key is retired is not among them. */
export interface Devices {
  get(peer: PeerId): Device | undefined;
  list(): readonly Device[];
  /** By peer id, by its unique beginning (8 characters or more), or by name. Throws DEVICE_UNKNOWN. */
  find(text: string): Device;
  isBlocked(peer: PeerId): boolean;
  /**
   * One edit after the other: `edit` sees the device as the edit before left it, so that a block and a hello never overwrite each other.
   * What it returns is kept, memory after disk; `undefined` leaves all as it is. Throws TOO_MANY_DEVICES, what `edit` and the store throw.
   */
  update(peer: PeerId, edit: (device: Device | undefined) => Device | undefined): Promise<Device | undefined>;
  remove(peer: PeerId): Promise<void>;
  /** The device goes on under its successor's key, with the same name and rights; the old key is good until `retiresMs`. In one commit. */
  succeed(from: PeerId, to: PeerId, how: { readonly lease: string; readonly retiresMs: number }): Promise<Device>;
}

export async function openDevices(store: Store, nowMs: () => number = () => 0): Promise<Devices> {
  const room = store.room('devices');
  const rows = records<Device>(room, 'device');
  const serial = createMutex();
  const known = new Map<PeerId, Device>();
  for await (const [, device] of rows.all()) known.set(device.peer, device);
  const isRetired = ({ retiresMs }: Device): boolean => retiresMs !== undefined && retiresMs <= nowMs();
  const list = (): readonly Device[] => [...known.values()].filter((device) => !isRetired(device));
  return {
    get: (peer) => {
      const device = known.get(peer);
      return device === undefined || isRetired(device) ? undefined : device;
    },
    list,
    find: (text) => findDevice(list(), text),
    isBlocked: (peer) => {
      const device = known.get(peer);
      return device !== undefined && (device.blocked || isRetired(device));
    },
    update: (peer, edit) =>
      serial(async () => {
        const device = edit(known.get(peer));
        if (device === undefined) return known.get(peer);
        if (!known.has(peer) && known.size >= limits.devicesMax) {
          throw new PeerAiError('TOO_MANY_DEVICES', `already paired with ${known.size} devices; remove one first`);
        }
        await room.commit([rows.put(peer, device)]);
        known.set(peer, device);
        return device;
      }),
    remove: (peer) =>
      serial(async () => {
        await room.commit([rows.remove(peer)]);
        known.delete(peer);
      }),
    succeed: (from, to, { lease, retiresMs }) =>
      serial(async () => {
        const before = known.get(from);
        if (before === undefined) throw new PeerAiError('DEVICE_UNKNOWN', 'this key is no paired device’s');
        const device: Device = { ...before, peer: to, lease, addresses: [], predecessor: from };
        // Its name goes on with it: the old key is found by its id alone.
        const old: Device = { ...before, name: from.slice(-8), successor: to, retiresMs };
        await room.commit([rows.put(to, device), rows.put(from, old)]);
        known.set(to, device).set(from, old);
        return device;
      }),
  };
}

/** Its link is sealed: from now on it has to be. Written down once. */
export async function noteHybrid(devices: Devices, peer: PeerId): Promise<void> {
  const isNew = (device: Device | undefined): device is Device => device !== undefined && device.hybrid !== true;
  if (!isNew(devices.get(peer))) return;
  await devices.update(peer, (device) => (isNew(device) ? { ...device, hybrid: true } : undefined));
}

function findDevice(devices: readonly Device[], text: string): Device {
  const byId = devices.filter(({ peer }) => peer === text || (text.length >= 8 && peer.startsWith(text)));
  const found = byId.length > 0 ? byId : devices.filter(({ name }) => name === text);
  const [device] = found;
  if (device === undefined) throw unknownDevice(devices, text.slice(0, 80));
  if (found.length > 1)
    throw new PeerAiError(
      'DEVICE_UNKNOWN',
      `${found.length} devices are called "${text.slice(0, 80)}"; use the peer id`,
    );
  return device;
}

function unknownDevice(devices: readonly Device[], text: string): PeerAiError {
  if (devices.length === 0)
    return new PeerAiError('DEVICE_UNKNOWN', `no device is paired yet, so none is called "${text}"`);
  const told = devices.slice(0, limits.namesToldMax).map(({ name }) => name);
  const more = devices.length > told.length ? ` and ${devices.length - told.length} more` : '';
  const there = `${devices.length === 1 ? 'there is' : 'there are'} ${told.join(', ')}${more}`;
  return new PeerAiError('DEVICE_UNKNOWN', `no paired device is called "${text}"; ${there}`);
}

/** A name for the list that no other device has, nor this peer itself: "laptop", "laptop-2". */
export function freeName(devices: Devices, own: string, wanted: string, peer: PeerId): string {
  const base = cleanName(wanted);
  const taken = new Set([
    own,
    ...devices
      .list()
      .filter((device) => device.peer !== peer)
      .map(({ name }) => name),
  ]);
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!taken.has(name)) return name;
  }
}

/**
 * Another peer's text made fit for lists, terminals, `model@name` and commands that people copy: letters, digits, `.`, `_`, `-`, with a
 * letter or digit in front, so that it is neither an option nor a piece of a shell's language.
 */
export function cleanName(text: string): string {
  const clean = text
    .slice(0, limits.nameCharsMax * 8)
    .normalize('NFC')
    .trim()
    .replaceAll(/\s+/gu, '-')
    .replaceAll(/[^\p{L}\p{M}\p{N}._-]/gu, '')
    .replace(/^[^\p{L}\p{N}]+/u, '');
  return Array.from(clean).slice(0, limits.nameCharsMax).join('') || 'device';
}
