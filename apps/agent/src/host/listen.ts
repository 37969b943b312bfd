import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { PeerAiError } from '@peerai/core-protocol';

/** Ports tried after the wished one, where nothing was configured. */
const triesMax = 20;

export interface PortWish {
  readonly host: string;
  readonly port: number;
  /** How many ports in a row are needed. */
  readonly span: number;
  /** The first of them is needed for UDP too. */
  readonly udp?: boolean;
  /** The user asked for this port, so another one would be wrong. */
  readonly configured: boolean;
  /** The key to change, for people. */
  readonly setting: string;
}

/**
 * The wished port, or the next free one when the user configured none.
 * Throws PORT_TAKEN naming the port and the setting, ADDRESS_UNAVAILABLE when this machine cannot listen there at all.
 */
export async function choosePort({ host, port, span, configured, setting, udp = false }: PortWish): Promise<number> {
  if (port === 0) return 0;
  const tries = configured ? 1 : triesMax;
  for (let tried = 0; tried < tries; tried += 1) {
    const candidate = port + tried * span;
    if (candidate + span > 65_536) break;
    if (await areFree({ host, port: candidate, span, setting, udp })) return candidate;
  }
  const which = configured ? `port ${port}` : `ports ${port} to ${port + triesMax * span - 1}`;
  throw new PeerAiError('PORT_TAKEN', `${which} on ${host} ${configured ? 'is' : 'are'} taken by another program`, {
    port,
    hint: `Stop that program, or set ${setting} to another port.`,
  });
}

async function areFree({ host, port, span, setting, udp }: Omit<PortWish, 'configured'>): Promise<boolean> {
  for (let offset = 0; offset < span; offset += 1) {
    const code =
      (await tryPort(host, port + offset)) ?? (udp === true && offset === 0 ? await tryUdpPort(host, port) : undefined);
    if (code === 'EADDRINUSE') return false;
    if (code !== undefined) {
      throw new PeerAiError('ADDRESS_UNAVAILABLE', `this machine cannot listen on ${host}:${port + offset} (${code})`, {
        hint: `Set ${setting} to an address of this machine and a port this user may open.`,
      });
    }
  }
  return true;
}

/** The system's code when the port cannot be had. */
function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve((error as { code?: string }).code ?? 'unknown'));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

function tryUdpPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    probe.once('error', (error) => resolve((error as { code?: string }).code ?? 'unknown'));
    probe.bind({ address: host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}
