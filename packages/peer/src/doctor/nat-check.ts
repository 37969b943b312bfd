import type { Peers } from '../pairing/peers.ts';
import type { PeerPaths } from '../paths/paths.ts';
import type { Check } from './doctor.schema.ts';

interface NatCheckDeps {
  readonly peers: Pick<Peers, 'list'>;
  readonly paths: Pick<PeerPaths, 'net'>;
}
type Found = Pick<Check, 'state' | 'cause' | 'remedy' | 'command'>;

/** Why links stay with the relay although both sides are there; nothing where no link does and no server is set. */
export function natChecks({ peers, paths }: NatCheckDeps): Check[] {
  const { nat } = paths.net().reachability;
  if (nat?.isKnown !== true) return [];
  const relayed = peers
    .list()
    .filter(({ kind, state, path }) => kind === 'device' && state === 'online' && path === 'relayed')
    .map(({ name }) => name);
  if (relayed.length === 0 && nat.stunServers.length === 0) return [];
  return [{ id: 'nat', title: 'Direct links', ...found(nat, relayed) }];
}

function found(nat: Nat, relayed: readonly string[]): Found {
  const [first = ''] = relayed;
  const stays = relayed.length === 1 ? `the link to ${first} stays` : `the links to ${relayed.join(', ')} stay`;
  const there = nat.stunServers.filter(({ seenAs }) => seenAs !== null).length;
  if (nat.stunServers.length > 0 && there === 0)
    return {
      state: 'look',
      cause: `No STUN server answers: ${nat.stunServers.map(({ server }) => server).join(', ')}.`,
      remedy: 'Correct their addresses, and see whether UDP gets out of this network.',
      command: 'peerai config explain network.nat.stun_servers',
    };
  if (relayed.length === 0)
    return {
      state: 'ok',
      cause: `${there} of ${nat.stunServers.length} STUN servers answer. ${kinds[nat.mapping ?? 'unknown']}`,
    };
  if (nat.mapping === 'differs')
    return {
      state: 'look',
      cause: `${kinds.differs} So ${stays} with the relay.`,
      remedy:
        nat.turnServers.length === 0
          ? 'Forward a port of the router to this machine and say so in network.external_address, or name a TURN server.'
          : 'The TURN server did not help: see whether its address and credential are right.',
      command: 'peerai config explain network.nat.turn_servers',
    };
  if (nat.stunServers.length === 0)
    return {
      state: 'look',
      cause: `Routers stand between, and no STUN server is set here that says how ours shows us: ${stays} with the relay.`,
      remedy: 'Name a STUN server that you run or trust, here and there; or forward a port of one of the routers.',
      command: 'peerai config explain network.nat.stun_servers',
    };
  return {
    state: 'look',
    cause: `The STUN server answers here, and ${stays} with the relay: the other side has none, or a router that no direct link gets through.`,
    remedy: `Run peerai doctor on ${first} as well.`,
    command: `peerai peers trace ${first}`,
  };
}

type Nat = NonNullable<ReturnType<PeerPaths['net']>['reachability']['nat']>;

const kinds = {
  none: 'No router changes the address of this machine.',
  same: 'The router shows this machine to all under one port, so direct links through it can be found.',
  differs:
    'The router shows this machine to each under another port (symmetric NAT), so no direct link through it can be found.',
  unknown: 'Two of them would say what kind of router this is.',
} as const;
