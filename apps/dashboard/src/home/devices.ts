import type { NodeView, PeerView, PendingPairing } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';
import { ago, plural, roundTrip, shortId } from '../shared/format.ts';
import type { IconName } from '../ui/icons.ts';
import { home } from './strings.ts';

/** One row of the list and one node of the map: they are drawn from the same thing, so they say the same. */
export interface DeviceRow {
  readonly id: string;
  readonly kind: 'self' | 'peer' | 'pairing';
  readonly name: string;
  readonly icon: IconName;
  readonly dot: DotName;
  /** The state as a word. */
  readonly word: string;
  readonly path: 'direct' | 'relayed' | null;
  readonly detail: string;
  readonly aside: string;
  readonly roundTripMs: number | null;
  /** Bytes both ways since the link came up. */
  readonly bytes: number;
}

const order: readonly DeviceRow['dot'][] = ['direct', 'relayed', 'offline', 'pending', 'blocked'];

/** This device first, then the reachable ones by distance, the others, those that ask, those that are blocked. */
export function deviceRows(
  node: NodeView,
  peers: readonly PeerView[],
  pending: readonly PendingPairing[],
  ownModels: readonly string[],
  nowMs: number,
): readonly DeviceRow[] {
  const others = peers.filter((peer) => peer.kind !== 'relay').map((peer) => peerRow(peer, nowMs));
  const asking = pending.filter((pairing) => pairing.state === 'waiting').map((pairing) => pairingRow(pairing, nowMs));
  const rows = [...others, ...asking].toSorted(
    (a, b) =>
      order.indexOf(a.dot) - order.indexOf(b.dot) ||
      (a.roundTripMs ?? Infinity) - (b.roundTripMs ?? Infinity) ||
      a.name.localeCompare(b.name),
  );
  return [selfRow(node, ownModels), ...rows];
}

function selfRow(node: NodeView, models: readonly string[]): DeviceRow {
  return {
    id: node.peerId,
    kind: 'self',
    name: node.name,
    icon: 'laptop',
    dot: 'direct',
    word: home.thisDevice,
    path: null,
    detail: modelsText(models),
    aside: '',
    roundTripMs: 0,
    bytes: 0,
  };
}

function peerRow(peer: PeerView, nowMs: number): DeviceRow {
  const online = peer.state === 'online';
  const dot = peer.state === 'blocked' ? 'blocked' : online ? (peer.path ?? 'direct') : 'offline';
  const may = peer.allow.map((permission) => home.permissions[permission]).join(', ');
  const rights = peer.kind === 'guest' ? home.guest : may === '' ? home.mayNothing : home.may(may);
  const seen = peer.lastSeenMs === null ? home.neverSeen : home.seen(ago(peer.lastSeenMs, nowMs));
  return {
    id: peer.peerId,
    kind: 'peer',
    name: peer.name === '' ? shortId(peer.fingerprint.hex) : peer.name,
    icon: peer.state === 'blocked' ? 'x' : peer.kind === 'guest' ? 'phone' : 'pc',
    dot,
    word: home[dot],
    path: online ? (peer.path ?? 'direct') : null,
    detail: detailOf(peer, rights),
    aside: online ? (peer.roundTripMs === null ? '' : roundTrip(peer.roundTripMs)) : seen,
    roundTripMs: online ? (peer.roundTripMs ?? 100) : null,
    bytes: peer.bytesSent + peer.bytesReceived,
  };
}

/** Why it is away is worth more than what it could do if it were here. */
function detailOf(peer: PeerView, rights: string): string {
  if (peer.state === 'offline' && peer.trouble !== undefined) return peer.trouble.reason;
  return peer.kind === 'guest' ? rights : `${modelsText(peer.models)} · ${rights}`;
}

function pairingRow(pairing: PendingPairing, nowMs: number): DeviceRow {
  return {
    id: pairing.id,
    kind: 'pairing',
    name: pairing.name,
    icon: 'laptop',
    dot: 'pending',
    word: pairing.direction === 'incoming' ? home.accept : home.waitsThere,
    path: null,
    detail: home.notPaired,
    aside: ago(pairing.sinceMs, nowMs),
    roundTripMs: null,
    bytes: 0,
  };
}

function modelsText(models: readonly string[]): string {
  if (models.length === 0) return home.noModels;
  return models.length <= 2 ? models.join(', ') : plural(models.length, 'model');
}
