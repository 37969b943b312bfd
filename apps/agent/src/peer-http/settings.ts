import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { fromHex, PeerAiError } from '@peerai/core-protocol';
import type { PeerSettings } from '@peerai/peer';
import type { Config } from '@peerai/platform';
import { splitHostPort } from '../host/addresses.ts';

type HttpSettings = NonNullable<PeerSettings['http']>;

const isLoopback = (host: string): boolean => /^(?:127\.|localhost$|::1$)/u.test(host);
const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** The configuration as the peer takes it; `port` is the one that is listened on, 0 before. */
export function peerHttpSettings(config: Config, port: () => number): HttpSettings {
  const { http, security } = config;
  const { shared_secret: secret } = security;
  return {
    profiles: http.profiles,
    isOpen: http.trust === 'open',
    contacts: http.peers.map(({ name, profile, url, public_key: key, allow }) => ({
      name,
      profile,
      allow,
      ...(url === undefined ? {} : { url }),
      ...(key === undefined ? {} : { publicKey: fromHex(key.toLowerCase()) }),
    })),
    // Behind a proxy every caller looks like this machine, so an external address closes the lists too.
    showsPeers: isLoopback(http.bind) && http.external_url === undefined,
    ...(secret === undefined ? {} : { secret }),
    ...(http.peer_url === undefined ? {} : { secretUrl: http.peer_url }),
    ...(isLoopback(http.bind) ? { hosts: hostsOf(config) } : {}),
    url: () => ownUrl(config, port()),
    sessions: { lifeMs: http.session_life },
  };
}

/** Where others reach this face, as far as is known: this machine's loopback is told only where links are on loopback too. */
function ownUrl({ http, security, network }: Config, port: number): string | undefined {
  if (http.external_url !== undefined) return http.external_url;
  const { host } = splitHostPort(network.listen_address);
  if (port === 0 || isEverywhere(http.bind) || (isLoopback(http.bind) && !isLoopback(host))) return undefined;
  return baseUrl(http.bind, port, security.certificate_file !== undefined);
}

export function baseUrl(bind: string, port: number, isTls: boolean): string {
  const host = bind === '0.0.0.0' ? '127.0.0.1' : bind === '::' ? '::1' : bind;
  return `${isTls ? 'https' : 'http'}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Names that requests to a loopback listener may carry: its own, and the proxy's. */
function hostsOf({ http, security }: Config): readonly string[] {
  const outside = http.external_url === undefined ? undefined : URL.parse(http.external_url)?.hostname;
  const names = ['localhost', '127.0.0.1', '[::1]', http.bind, ...security.allow_hosts];
  return [...names, ...(outside === undefined ? [] : [outside])].map((name) => name.toLowerCase());
}

/** Throws CONFIG_INVALID for one file without the other, or one that cannot be read. */
export function readTls({ security }: Config): { readonly cert: string; readonly key: string } | undefined {
  const { certificate_file: certificate, private_key_file: key } = security;
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new PeerAiError('CONFIG_INVALID', 'security.certificate_file and security.private_key_file go together');
  }
  try {
    return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new PeerAiError('CONFIG_INVALID', `the certificate or its key cannot be read (${code})`, {}, { cause });
  }
}
