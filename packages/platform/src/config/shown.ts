import type { Config } from './schema.ts';

/** Keys with secrets in their values, which are never shown: not on a screen, not by the local API. */
export const secretKeys: readonly string[] = ['security.shared_secret', 'network.nat.turn_servers'];
const hidden = '(set, not shown)';

/** The configuration as it may be shown. */
export function shownConfig(config: Config): Config {
  const { security, network, ledger } = config;
  const turnServers = network.nat.turn_servers.map((server) => ({ ...server, credential: hidden }));
  return {
    ...config,
    ledger: { ...ledger, evm: { ...ledger.evm, ...shownNode(ledger.evm.rpc) } },
    network: { ...network, nat: { ...network.nat, turn_servers: turnServers } },
    security: security.shared_secret === undefined ? security : { ...security, shared_secret: hidden },
  };
}

/** Hosted nodes tell their customers apart by a key in the path, the query or before the host. */
function shownNode(rpc: string | undefined): { readonly rpc?: string } {
  if (rpc === undefined) return {};
  const { origin, pathname, search, username } = new URL(rpc);
  return { rpc: pathname === '/' && search === '' && username === '' ? rpc : `${origin}/… (not shown)` };
}
