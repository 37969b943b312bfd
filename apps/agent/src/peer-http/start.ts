import type { Logger } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import type { LoadedConfig } from '@peerai/platform/node';
import { choosePort } from '../host/listen.ts';
import { type ListenerDeps, type PeerListener, startPeerListener } from './listener.ts';
import { baseUrl, readTls } from './settings.ts';

/** How often another port is looked for when somebody took the chosen one meanwhile. */
const triesMax = 3;

export interface PeerHttpFace {
  readonly port: number;
  /** Where this machine reaches it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Opens the port of the peer protocol. Throws PORT_TAKEN, ADDRESS_UNAVAILABLE, CONFIG_INVALID (certificate), KEY_REFUSED. */
export async function startPeerHttp(
  { config, origins }: LoadedConfig,
  { peer, logger }: { readonly peer: { readonly http: Pick<Peer['http'], 'answer'> }; readonly logger: Logger },
): Promise<PeerHttpFace> {
  const { bind, port: wished } = config.http;
  const tls = readTls(config);
  const setting = 'http.port';
  const configured = origins[setting] !== 'default';
  const deps: ListenerDeps = { answer: (request, port, signal) => peer.http.answer(request, port, signal), logger };
  for (let tried = 1; ; tried += 1) {
    const port = await choosePort({ host: bind, port: wished, span: 1, configured, setting });
    if (port !== wished) logger.warn('port-taken', { setting, wished, chosen: port });
    try {
      const listener: PeerListener = await startPeerListener(deps, {
        bind,
        port,
        ...(tls === undefined ? {} : { tls }),
      });
      return { ...listener, url: baseUrl(bind, listener.port, tls !== undefined) };
    } catch (error) {
      const isTaken = (error as { readonly code?: unknown }).code === 'EADDRINUSE';
      if (!isTaken || tried >= triesMax) throw error;
    }
  }
}
