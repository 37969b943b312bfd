import type { CheckedAddress, Network, Paths } from '@peerai/core-protocol';
import type { Relays } from '../links/relays.ts';
import type { AddressScope, NetView, Trouble } from './paths.schema.ts';
import { scopeOf } from './scope.ts';

export interface NetViewDeps {
  readonly paths?: Paths | undefined;
  readonly network: Network;
  readonly relays: Pick<Relays, 'list'>;
  readonly relayTrouble: (address: string) => Trouble | undefined;
}
type Reachable = NetView['reachability']['addresses'][number];

/** Who can dial this peer, as far as it knows: relays try its doors from where they are, and nobody else does. */
export function createNetView({ paths, network, relays, relayTrouble }: NetViewDeps): () => NetView {
  return () => {
    const addresses = network.addresses().map((address) => ({ address, scope: scopeOf(address) }));
    const observed = (paths?.observed() ?? []).map((one) => ({ ...one, scope: scopeOf(one.address) }));
    const places = relays.list().map(({ address, state, from, hasPlace }) => {
      const trouble = hasPlace ? undefined : relayTrouble(address);
      return { address, state, from, hasPlace, ...(trouble === undefined ? {} : { trouble }) };
    });
    const nat = natOf(paths);
    const own = new Set(addresses.filter(({ address }) => !isCircuit(address)).map(({ address }) => hostOf(address)));
    const seen = observed.filter(({ scope }) => scope === 'public').map(({ address }) => hostOf(address));
    const behindRouter = seen.length === 0 ? byMapping(nat?.mapping) : !seen.some((host) => own.has(host));
    const ways = reachable(addresses, paths?.checked?.() ?? []);
    const scope = furthest(ways.filter(({ state }) => state !== 'unreachable').map((one) => one.scope));
    return {
      v: 1,
      reachability: { scope, text: words(scope, ways, behindRouter), addresses: ways, nat },
      addresses,
      observed,
      behindRouter,
      relays: places,
    };
  };
}

const isCircuit = (address: string): boolean => address.includes('/p2p-circuit');
const hostOf = (address: string): string => address.split('/')[2] ?? '';

function natOf(paths: Paths | undefined): NetView['reachability']['nat'] {
  const facts = paths?.nat?.();
  if (facts === undefined) return null;
  return {
    isKnown: facts.isKnown,
    mapping: facts.mapping ?? null,
    stunServers: facts.stunServers.map(({ server, seenAs }) => ({ server, seenAs: seenAs ?? null })),
    turnServers: [...facts.turnServers],
  };
}

const byMapping = (mapping: 'none' | 'same' | 'differs' | null | undefined): boolean | null =>
  mapping === null || mapping === undefined ? null : mapping !== 'none';

/** Own addresses, and those at which a relay tried this peer besides: the router's own, mostly. One that anybody could dial is reachable. */
function reachable(own: NetView['addresses'], checked: readonly CheckedAddress[]): Reachable[] {
  const tried = Map.groupBy(checked, ({ address }) => address);
  const known = new Set(own.map(({ address }) => withoutPeer(address)));
  const more = [...tried.keys()].filter((address) => !known.has(address));
  return [...own, ...more.map((address) => ({ address, scope: scopeOf(address) }))].map(({ address, scope }) => {
    const words = tried.get(withoutPeer(address)) ?? [];
    const state = words.find((one) => one.state === 'reachable')?.state ?? words[0]?.state ?? 'unknown';
    const saying = words.filter((one) => one.state === state);
    return {
      address,
      scope,
      state,
      checkedBy: saying.map(({ by }) => by),
      checkedAtMs: saying.length === 0 ? null : Math.max(...saying.map(({ atMs }) => atMs)),
    };
  });
}

const withoutPeer = (address: string): string => address.replace(/\/p2p\/[^/]+$/u, '');

const furthest = (scopes: readonly AddressScope[]): AddressScope =>
  (['public', 'relayed', 'lan'] as const).find((scope) => scopes.includes(scope)) ?? 'machine';

function words(scope: AddressScope, ways: readonly Reachable[], behindRouter: boolean | null): string {
  const router = behindRouter === true ? ' It stands behind a router.' : '';
  const outside = ways.filter((one) => one.scope === 'public');
  const isShut = outside.length > 0 && outside.every(({ state }) => state === 'unreachable');
  const shut = isShut ? ' A relay tried to dial it from outside and could not.' : '';
  if (scope === 'public') {
    const isTried = outside.some(({ state }) => state === 'reachable');
    return `Anybody can dial this peer${isTried ? ': a relay did.' : ', where no firewall stands before it.'}${router}`;
  }
  if (scope === 'relayed')
    return `Anybody reaches this peer through its relay; devices on its network dial it.${router}${shut}`;
  if (scope === 'lan') {
    const relay = ways.some(({ address }) => isCircuit(address))
      ? 'its relay is there too'
      : 'no relay has a place for it';
    return `Only devices on its network reach this peer: ${relay}.${router}${shut}`;
  }
  return `Only programs on this machine can dial this peer.${router}${shut}`;
}
