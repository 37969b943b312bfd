import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import type { ConfigView, Peer } from '@peerai/peer';
import { type Config, systemClock, systemRandom } from '@peerai/platform';
import type { LoadedConfig } from '@peerai/platform/node';
import { type Edge, startEdge } from '../edge/server.ts';
import { createSessionCodes } from '../edge/session-codes.ts';
import { openGatewayKeys } from './gateway-keys.ts';
import type { Home } from './home.ts';
import { choosePort } from './listen.ts';

export interface FaceParts {
  readonly loaded: LoadedConfig;
  readonly home: Home;
  readonly peer: Peer;
  readonly logger: Logger;
  readonly config: ConfigView;
  readonly shutdown: () => void;
}
export interface Face {
  readonly edge: Edge;
  /** Base URL of the local API. */
  readonly api: string;
  /** Said to people when the usual port was taken. */
  readonly moved: string | undefined;
}

/** Where the built pages may lie: beside this program when installed, or built in the repository. */
const pageFolders = ['../pages', '../../../dashboard/dist'];

/** Opens the local API. Throws PORT_TAKEN. */
export async function startFace({ loaded, home, peer, logger, config, shutdown }: FaceParts): Promise<Face> {
  const { api, security } = loaded.config;
  const world = { crypto: nodeCrypto, random: systemRandom, clock: systemClock };
  const keys = await openGatewayKeys({ ...world, store: home.store });
  const configured = loaded.origins['api.port'] !== 'default';
  const port = await choosePort({ host: api.bind, port: api.port, span: 1, configured, setting: 'api.port' });
  const isMoved = port !== api.port;
  if (isMoved) logger.warn('port-taken', { setting: 'api.port', wished: api.port, chosen: port });
  const edge = await startEdge(
    {
      peer,
      control: { config: () => config, shutdown, keys, codes: createSessionCodes(world), token: home.token },
      logger,
      random: systemRandom,
    },
    {
      bind: api.bind,
      port,
      pages: findPages(),
      rules: {
        loopbackBind: /^(?:127\.|localhost$|::1$)/.test(api.bind),
        requireToken: api.require_token,
        // Who bound an address of this machine means to call it by that address.
        allowHosts: isEverywhere(api.bind) ? security.allow_hosts : [...security.allow_hosts, api.bind],
        allowOrigins: security.allow_origins,
        controlToken: home.token,
      },
    },
  );
  const moved = isMoved ? `port ${api.port} was taken: the local API is on ${edge.port}` : undefined;
  return { edge, api: baseUrl(api, edge.port), moved };
}

function findPages(): string | undefined {
  const folders = pageFolders.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, 'index.html')));
}

const isEverywhere = (bind: string): boolean => bind === '0.0.0.0' || bind === '::';

/** The address this machine reaches the API at; one that listens everywhere is reached on loopback. */
function baseUrl({ bind }: Config['api'], port: number): string {
  const host = bind === '0.0.0.0' ? '127.0.0.1' : bind === '::' ? '::1' : bind;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
