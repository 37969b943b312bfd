import type { PeerId } from '@peerai/core-protocol';
import type { Relays, RelayState } from '../links/relays.ts';
import type { GovernanceDetail } from './governance.schema.ts';

/** `unable`: what this peer runs on takes no relays from groups; an agent behind a proxy does not. */
export type GroupRelaysMode = 'follow' | 'show' | 'unable';

type RelaysView = GovernanceDetail['relays'];

/** What a peer does with the relays that its groups decide. */
export interface GroupRelays {
  readonly mode: GroupRelaysMode;
  /** What one group has decided, and what this peer does with it. */
  view(addresses: readonly string[], isMember: boolean): RelaysView;
  /** To be called with the lists of this peer's groups whenever they may have changed; they are used when they have. */
  decided(lists: readonly (readonly string[])[]): void;
}

export function createGroupRelays(
  relays: Relays,
  settings: { readonly groupRelays?: 'follow' | 'show' },
  stopping: AbortSignal,
): GroupRelays {
  const mode = settings.groupRelays === 'show' ? 'show' : relays.follow === undefined ? 'unable' : 'follow';
  let last = '';
  return {
    mode,
    view: (addresses, isMember) => relaysView(relays, mode, addresses, isMember),
    decided(lists) {
      const union = [...new Set(lists.flat())];
      if (mode !== 'follow' || stopping.aborted || union.join(' ') === last) return;
      last = union.join(' ');
      relays.follow?.(union, stopping);
    },
  };
}

/** The relay's key where the address names it: one relay has several addresses. */
const relayIn = (address: string): string => /\/p2p\/[^/]+$/u.exec(address)?.[0] ?? address;

const reasons: Readonly<Record<RelaysView['reasons'][number]['code'], string>> = {
  RELAYS_SHOWN_ONLY: 'governance.relays says that relays of groups are only shown here.',
  RELAYS_UNABLE: 'Behind a proxy, and in a page, no relays are taken from groups.',
  NOT_A_MEMBER: 'This device is no member of the group, so its decisions are not carried out here.',
  NO_RELAY_ADDRESS: 'It is no multiaddr that ends in /p2p/<id>: who answers there could not be told.',
  TOO_MANY_RELAYS: 'This device keeps as many relays as it may already: its own, and those named before this one.',
  NOT_YET: 'It is taken in a moment.',
  RELAY_AWAY: 'It is dialled again and again, and does not answer now.',
  NO_PLACE: 'It answers and has given this device no place so far: it is found there by nobody.',
};

function relaysView(
  relays: Relays,
  mode: GroupRelaysMode,
  addresses: readonly string[],
  isMember: boolean,
): RelaysView {
  const kept = new Map(relays.list().map((relay) => [relayIn(relay.address), relay]));
  const used = addresses.filter((address) => kept.has(relayIn(address)));
  const codeOf = (address: string): RelaysView['reasons'][number]['code'] | undefined => {
    const relay = kept.get(relayIn(address));
    if (relay !== undefined) return codeOfKept(relay);
    if (mode !== 'follow') return mode === 'show' ? 'RELAYS_SHOWN_ONLY' : 'RELAYS_UNABLE';
    if (!isMember) return 'NOT_A_MEMBER';
    const leftOut = relays.leftOut(address);
    return leftOut === undefined || leftOut === 'SAME_RELAY' ? 'NOT_YET' : leftOut;
  };
  return {
    addresses: [...addresses],
    mode,
    used,
    reasons: addresses.flatMap((address) => {
      const code = codeOf(address);
      return code === undefined ? [] : [{ address, code, text: reasons[code] }];
    }),
    // One that follows and left some out says so: written into the settings they would be no more use.
    command:
      (mode === 'follow' && isMember) || used.length === addresses.length
        ? null
        : `peerai config set network.relays '${JSON.stringify(addresses)}'`,
  };
}

const codeOfKept = ({ state, hasPlace }: RelayState): 'RELAY_AWAY' | 'NO_PLACE' | undefined =>
  state === 'unreachable' ? 'RELAY_AWAY' : hasPlace ? undefined : 'NO_PLACE';

interface Lists {
  state(): { readonly members: readonly PeerId[]; readonly relays: readonly string[] };
}

/** The lists of the groups that this peer is a member of, in the groups' order. */
export const relaysDecided = (groups: readonly Lists[], self: PeerId): readonly (readonly string[])[] =>
  groups.flatMap((group) => (group.state().members.includes(self) ? [group.state().relays] : []));
