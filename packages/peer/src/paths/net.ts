import type { Network, Paths } from '@peerai/core-protocol';
import type { Relays } from '../links/relays.ts';
import type { AddressScope, NetView, Trouble } from './paths.schema.ts';
import { scopeOf } from './scope.ts';

export interface NetViewDeps {
  readonly paths?: Paths | undefined;
  readonly network: Network;
  readonly relays: Pick<Relays, 'list'>;
  readonly relayTrouble: (address: string) => Trouble | undefined;
}

/** Who can dial this peer, as far as it knows: nobody outside tries its doors, so a public address may still be behind a firewall. */
export function createNetView({ paths, network, relays, relayTrouble }: NetViewDeps): () => NetView {
  return () => {
    const addresses = network.addresses().map((address) => ({ address, scope: scopeOf(address) }));
    const observed = (paths?.observed() ?? []).map((one) => ({ ...one, scope: scopeOf(one.address) }));
    const own = new Set(addresses.filter(({ scope }) => scope !== 'relayed').map(({ address }) => hostOf(address)));
    const seen = observed.filter(({ scope }) => scope === 'public').map(({ address }) => hostOf(address));
    const behindRouter = seen.length === 0 ? null : !seen.some((host) => own.has(host));
    const scope = furthest(addresses.map((one) => one.scope));
    return {
      v: 1,
      reachability: { scope, text: words(scope, behindRouter) },
      addresses,
      observed,
      behindRouter,
      relays: relays.list().map(({ address, state, hasPlace }) => {
        const trouble = hasPlace ? undefined : relayTrouble(address);
        return { address, state, hasPlace, ...(trouble === undefined ? {} : { trouble }) };
      }),
    };
  };
}

const hostOf = (address: string): string => address.split('/')[2] ?? '';

const furthest = (scopes: readonly AddressScope[]): AddressScope =>
  (['public', 'relayed', 'lan'] as const).find((scope) => scopes.includes(scope)) ?? 'machine';

function words(scope: AddressScope, behindRouter: boolean | null): string {
  const router = behindRouter === true ? ' It stands behind a router.' : '';
  if (scope === 'public') return `Anybody can dial this peer, where no firewall stands before it.${router}`;
  if (scope === 'relayed')
    return `Anybody reaches this peer through its relay; devices on its network dial it.${router}`;
  if (scope === 'lan') return `Only devices on its network can dial this peer: no relay has a place for it.${router}`;
  return `Only programs on this machine can dial this peer.${router}`;
}
