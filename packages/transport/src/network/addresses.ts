import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { isPrivate } from '@libp2p/utils';
import type { LinkTransport } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Addresses of one peer sorted by the way they take; each ends in `/p2p/<peer>`. */
export interface AddressPlan {
  /** A socket straight to the peer. */
  readonly direct: readonly string[];
  /** Through a relay, bytes and all. */
  readonly relayed: readonly string[];
  /** WebRTC, signalled through a relay. */
  readonly webrtc: readonly string[];
  /** By a folder that both look into. */
  readonly file: readonly string[];
  /** Not usable, with the reason. */
  readonly unusable: readonly { readonly address: string; readonly reason: string }[];
}

const circuit = '/p2p-circuit';
const circuitWebrtc = '/p2p-circuit/webrtc';

function isCircuit(address: string): boolean {
  return address.includes(circuit);
}

function isWebrtc(address: string): boolean {
  return /\/webrtc(\/|$)/u.test(address);
}

const isFile = (address: string): boolean => address.startsWith('/peerai-file');

/** @param address - a link's remote address. */
export function transportOf(address: string): LinkTransport {
  if (isFile(address)) return 'file';
  if (isWebrtc(address) || address.startsWith('/peerai-signal')) return 'webrtc';
  if (isCircuit(address)) return 'relay';
  if (/\/wss?(\/|$)/u.test(address)) return 'ws';
  if (address.includes('/quic')) return 'quic';
  return address.startsWith('/onion') ? 'onion' : 'tcp';
}

/** `…/p2p-circuit/p2p/X` and `…/p2p-circuit/webrtc/p2p/X` name the same door. */
export function withoutWebrtc(address: string): string {
  return address.replace(circuitWebrtc, circuit);
}

export function withWebrtc(address: string): string {
  return address.includes(circuitWebrtc) ? address : address.replace(circuit, circuitWebrtc);
}

function parse(address: string): Multiaddr | undefined {
  try {
    const parsed = multiaddr(address);
    return parsed.getComponents().length === 0 ? undefined : parsed;
  } catch {
    return undefined;
  }
}

/** @param addresses - multiaddrs from tickets, records, the peer store: foreign text. */
export function planAddresses(peer: string, addresses: readonly string[]): AddressPlan {
  const direct = new Set<string>();
  const relayed = new Set<string>();
  const webrtc = new Set<string>();
  const file = new Set<string>();
  const unusable: { address: string; reason: string }[] = [];
  for (const address of new Set(addresses)) {
    const parsed = parse(address);
    if (parsed === undefined) {
      unusable.push({ address: address.slice(0, 256), reason: 'not a multiaddr' });
      continue;
    }
    const whole = endingIn(peer, parsed);
    if (whole === undefined) unusable.push({ address, reason: 'names another peer' });
    else if (isFile(whole)) file.add(whole);
    else if (!isCircuit(whole) && !isWebrtc(whole)) direct.add(whole);
    else if (isCircuit(whole)) {
      relayed.add(withoutWebrtc(whole));
      webrtc.add(withWebrtc(whole));
    } else unusable.push({ address, reason: 'WebRTC needs a relay to meet at' });
  }
  return { direct: [...direct], relayed: [...relayed], webrtc: [...webrtc], file: [...file], unusable };
}

function endingIn(peer: string, address: Multiaddr): string | undefined {
  const components = address.getComponents();
  const last = components.at(-1);
  if (last?.name !== 'p2p') return `${address.toString().replace(/\/$/u, '')}/p2p/${peer}`;
  if (last.value === peer) return address.toString();
  return undefined;
}

/** Where a peer whose addresses name no relay may have a place: at the first `ownRelaysTriedMax` of these. */
export const circuitsThrough = (relays: readonly string[], peer: string): readonly string[] =>
  relays.slice(0, limits.ownRelaysTriedMax).map((relay) => `${relay}/p2p-circuit/p2p/${peer}`);

/** Lower is better: a door a browser can use from anywhere first, this machine's own loopback last. */
function rank(address: string): number {
  // QUIC last of its kind: those who get a few addresses only, such as guests, should not get the same door twice.
  return rankOfKind(address) + (transportOf(address) === 'quic' ? 0.5 : 0);
}

function rankOfKind(address: string): number {
  const browser = /\/(ws|wss)\//u.test(address);
  if (isWebrtc(address)) return browser ? 0 : 1;
  const loopback = /^\/(ip4\/127\.|ip6\/::1)/u.test(address);
  if (isCircuit(address)) return loopback ? 4 : 3;
  if (loopback) return browser ? 6 : 7;
  const parsed = parse(address);
  return parsed !== undefined && isPrivate(parsed) ? 5 : 2;
}

/** Own addresses, best first, each once. */
export function sortAddresses(addresses: readonly string[]): string[] {
  return [...new Set(addresses)]
    .filter((address) => address !== '' && !address.startsWith('/webrtc'))
    .sort((a, b) => rank(a) - rank(b));
}

/** False for a circuit address whose relay has no place for us: nobody could reach us there. */
export function throughRelay(address: string, hasPlace: (relay: string) => boolean): boolean {
  const relay = /\/p2p\/([^/]+)\/p2p-circuit/u.exec(address)?.[1];
  return relay === undefined || hasPlace(relay);
}
