import { isIPv6 } from 'node:net';
import { PeerAiError } from '@peerai/core-protocol';
import type { Config } from '@peerai/platform';
import { iceServerPlace } from '@peerai/platform/node';
import type { IceServers } from '@peerai/transport/node';

/** `0.0.0.0:4001` as host and port. The configuration has checked its shape. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
}

interface Listening {
  readonly tcp: boolean;
  readonly websocket: boolean;
  readonly quic: boolean;
}

/** TCP and QUIC (over UDP) on this port, WebSocket on the next; port 0 takes free ones. */
export function listenAddresses(host: string, port: number, transports: Listening): readonly string[] {
  const at = isIPv6(host) ? `/ip6/${host}` : /^[\d.]+$/.test(host) ? `/ip4/${host}` : `/dns/${host}`;
  return [
    ...(transports.tcp ? [`${at}/tcp/${port}`] : []),
    ...(transports.websocket ? [`${at}/tcp/${port === 0 ? 0 : port + 1}/ws`] : []),
    // QUIC dials addresses, not names.
    ...(transports.quic && at.startsWith('/ip') ? [`${at}/udp/${port}/quic-v1`] : []),
  ];
}

/** `external_address` as multiaddrs: a multiaddr as it is, `host:port` as every transport that listens. */
export function announcedAddresses(text: string, transports: Listening): readonly string[] {
  if (text.startsWith('/')) return [text];
  const { host, port } = splitHostPort(text);
  return listenAddresses(host, port, transports);
}

/** Where Tor's SOCKS port is unless it was moved. */
const torProxy = '127.0.0.1:9050';

/** The proxy that everything goes through, where one is set. */
export function proxyOf({ network, security }: Config): { readonly host: string; readonly port: number } | undefined {
  const given = network.transports.socks5 ?? (security.enable_tor ? torProxy : undefined);
  return given === undefined ? undefined : splitHostPort(given);
}

/** The STUN and TURN servers the owner has named; undefined without any. */
export function iceServersOf({ network }: Config): IceServers | undefined {
  const { stun_servers: stun, turn_servers: turn } = network.nat;
  if (stun.length + turn.length === 0) return undefined;
  return {
    stun: stun.map(iceServerPlace),
    turn: turn.map(({ url, username, credential }) => ({ ...iceServerPlace(url), username, credential })),
  };
}

/** With a proxy a relay is not asked for its addresses: that question would go round the proxy. Throws RELAY_INVALID. */
export function relaysBehindProxy(given: readonly string[]): readonly string[] {
  const web = given.find((one) => !one.startsWith('/'));
  if (web === undefined) return given;
  throw new PeerAiError('RELAY_INVALID', `${web} would be asked for its addresses without the proxy`, {
    hint: 'Behind a proxy, give relays as multiaddrs of TCP or onion services that end in /p2p/<id>.',
  });
}

/** How long a relay may take to say its addresses, milliseconds. */
const askMs = 3_000;

/** A relay given by its web address says its own multiaddrs. Throws RELAY_INVALID for one that is no relay; unreachable ones are left out with a warning. */
export async function relayAddresses(
  given: readonly string[],
  warn: (text: string) => void,
): Promise<readonly string[]> {
  const found = await Promise.all(given.map(async (one) => (one.startsWith('/') ? [one] : askRelay(one, warn))));
  return found.flat();
}

async function askRelay(url: string, warn: (text: string) => void): Promise<readonly string[]> {
  const base = url.replace(/\/+$/, '');
  const response = await fetch(`${base}/health`, { signal: AbortSignal.timeout(askMs) }).catch(() => undefined);
  if (response === undefined) {
    warn(`relay ${base} does not answer; it is left out until the next start`);
    return [];
  }
  const body = (await response.json().catch(() => undefined)) as
    | { service?: unknown; addresses?: unknown }
    | null
    | undefined;
  const said = Array.isArray(body?.addresses) ? body.addresses.filter((one) => typeof one === 'string') : [];
  const address = bestAddress(said, new URL(base).hostname);
  if (body?.service !== 'peerai-relay' || address === undefined) {
    throw new PeerAiError('RELAY_INVALID', `${base} is no PeerAI relay`, {
      hint: 'Give a multiaddr ending in /p2p/<id>, or the http address of a relay.',
    });
  }
  return [address];
}

/**
 * The address of a relay to dial, out of all that it says. One that listens everywhere names its loopback address too,
 * so the host it was asked at is preferred, then one that other machines reach.
 */
export function bestAddress(said: readonly string[], askedHost: string): string | undefined {
  const hostOf = (address: string): string => address.split('/')[2] ?? '';
  const asked = askedHost === 'localhost' ? '127.0.0.1' : askedHost.replaceAll(/[[\]]/g, '');
  const isLoopback = (address: string): boolean => /^(?:127\.|::1$|localhost$)/.test(hostOf(address));
  return said.find((one) => hostOf(one) === asked) ?? said.find((one) => !isLoopback(one)) ?? said[0];
}
