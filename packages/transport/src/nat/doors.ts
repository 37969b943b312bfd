import { wire } from '@peerai/core-protocol';
import type { Protocol } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** What somebody listens with: the host is not said, so that nobody can have another's house tried. */
export interface Door {
  readonly kind: 'tcp' | 'ws' | 'quic';
  readonly port: number;
}
/** `untried`: the other side does not dial this kind, or not now. */
export type DoorState = 'reachable' | 'unreachable' | 'untried';

/** Asks a relay to dial us at the address it sees us at. One question, one answer. */
export const doorsProtocol: Protocol = {
  id: '/peerai/doors/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: limits.messageBytesMax,
  channelsPerPeerMax: 1,
};

const door = wire.message({ kind: wire.oneOf(1, ['tcp', 'ws', 'quic']), port: wire.uint32(2) });
export const doorsQuestion = wire.message({ doors: wire.repeated(wire.nested(1, door), limits.doorsMax) });
export const doorsAnswer = wire.message({
  /** Where we were seen: an IP address; empty when nothing was tried. */
  host: wire.string(1),
  /** In the order of the question. */
  states: wire.repeated(wire.oneOf(2, ['reachable', 'unreachable', 'untried']), limits.doorsMax),
});

const endings = { tcp: '', ws: '/ws', quic: '/quic-v1' } as const;

export function doorAddress(host: string, { kind, port }: Door): string {
  const family = host.includes(':') ? 'ip6' : 'ip4';
  return `/${family}/${host}/${kind === 'quic' ? 'udp' : 'tcp'}/${port}${endings[kind]}`;
}

const kinds = { tcp: 'tcp', 'tcp/ws': 'ws', 'udp/quic-v1': 'quic' } as const;
const isKnown = (way: string): way is keyof typeof kinds => Object.hasOwn(kinds, way);

/** The door of an address with a plain IP host; `undefined` for names, relays, TLS and what else cannot be tried by number. */
export function doorOf(address: string): Door | undefined {
  const [, way = '', digits, ending = ''] =
    /^\/ip[46]\/[^/]+\/(tcp|udp)\/(\d{1,5})(\/ws|\/quic-v1)?(?:\/p2p\/[^/]+)?$/u.exec(address) ?? [];
  const [name, port] = [way + ending, Number(digits)];
  return isKnown(name) && isPort(port) ? { kind: kinds[name], port } : undefined;
}

export const isPort = (port: number): boolean => port >= 1 && port <= 65_535;
