import type { PeerId } from '@peerai/core-protocol';
import type { Relays } from '../links/relays.ts';

/** `unable`: what this peer runs on takes no relays from groups; an agent behind a proxy does not. */
export type GroupRelaysMode = 'follow' | 'show' | 'unable';

/** What a peer does with the relays that its groups decide. */
export interface GroupRelays {
  /** Of this peer's own settings. */
  readonly configured: readonly string[];
  readonly mode: GroupRelaysMode;
  /** Addresses of groups that this peer keeps now, beside the configured ones. */
  used(): readonly string[];
  /** To be called with the lists of this peer's groups whenever they may have changed; they are used when they have. */
  decided(lists: readonly (readonly string[])[]): void;
}

export function createGroupRelays(
  relays: Relays,
  settings: { readonly relays: readonly string[]; readonly groupRelays?: 'follow' | 'show' },
  stopping: AbortSignal,
): GroupRelays {
  const mode = settings.groupRelays === 'show' ? 'show' : relays.follow === undefined ? 'unable' : 'follow';
  let last = '';
  return {
    configured: settings.relays,
    mode,
    used: () => relays.list().flatMap(({ address, from }) => (from === 'group' ? [address] : [])),
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

/** Those addresses whose relay is in use. */
export function inUseOf(addresses: readonly string[], inUse: readonly string[]): string[] {
  const relays = new Set(inUse.map(relayIn));
  return addresses.filter((address) => relays.has(relayIn(address)));
}

interface Lists {
  state(): { readonly members: readonly PeerId[]; readonly relays: readonly string[] };
}

/** The lists of the groups that this peer is a member of, in the groups' order. */
export const relaysDecided = (groups: readonly Lists[], self: PeerId): readonly (readonly string[])[] =>
  groups.flatMap((group) => (group.state().members.includes(self) ? [group.state().relays] : []));
