import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Relays } from '../links/relays.ts';
import type { ShareReach } from '../share/sharing.ts';

export interface ReachDeps {
  readonly self: PeerId;
  readonly addresses: () => readonly string[];
  readonly relays: Relays;
  /** `share.page_url`. */
  readonly pageUrl: string | undefined;
  /** Base URL of the local API, which serves the page too. */
  readonly api: () => string;
}

/** How far a link or an invite made now works, and the addresses it should carry. */
export interface Reach {
  kind(): ShareReach['reach'];
  /** Addresses without their `/p2p/<self>` end, those anybody can dial first. */
  ticketAddresses(): readonly string[];
  /** The same for a device that runs an agent, which dials TCP too. */
  pairingAddresses(): readonly string[];
  /** Full addresses for a paired device. */
  inviteAddresses(): readonly string[];
  /** Base of share links that others can open. */
  pageUrl(): string | undefined;
  share(): ShareReach;
}

/** Direct addresses of one kind a ticket carries besides the relays': a link stays short enough to send. */
const directMax = 1;

export function createReach(deps: ReachDeps): Reach {
  const bare = (address: string): string => address.replace(new RegExp(`/p2p/${deps.self}$`), '');
  const own = (): string[] =>
    deps
      .addresses()
      .map(bare)
      .filter((address) => !address.includes('/p2p-circuit'));
  const kind = (): ShareReach['reach'] => {
    if (deps.relays.circuits().length > 0) return 'relay';
    return own().some((address) => !isLoopback(address)) ? 'lan' : 'machine';
  };
  const best = (ending: RegExp): string[] => {
    const fitting = own().filter((address) => ending.test(address));
    return [...fitting.filter((address) => !isLoopback(address)), ...fitting.filter(isLoopback)].slice(0, directMax);
  };
  const ticketAddresses = (): readonly string[] => [...deps.relays.circuits().slice(0, 2), ...best(/\/wss?$/)];
  const pairingAddresses = (): readonly string[] => [...ticketAddresses(), ...best(/\/tcp\/\d+$/)];
  const pageUrl = (): string | undefined => deps.pageUrl ?? deps.relays.pageUrl();
  return {
    kind,
    ticketAddresses,
    pairingAddresses,
    inviteAddresses: () =>
      [...deps.relays.circuits(), ...own()].slice(0, 8).map((address) => `${address}/p2p/${deps.self}`),
    pageUrl,
    share() {
      const page = pageUrl();
      const addresses = ticketAddresses();
      if (addresses.length === 0)
        throw new PeerAiError(
          'SHARE_INVALID',
          'a browser could not reach this peer: no relay is connected and no WebSocket listens',
        );
      if (page === undefined) {
        return {
          pageUrl: deps.api(),
          addresses,
          reach: 'machine',
          warning: 'works on this machine only: no relay and no share.page_url is known',
        };
      }
      const reach = kind();
      if (reach === 'relay') return { pageUrl: page, addresses, reach };
      return {
        pageUrl: page,
        addresses,
        reach,
        warning:
          reach === 'lan'
            ? 'works on this network only: no relay is connected'
            : 'works on this machine only: no relay is connected',
      };
    },
  };
}

const isLoopback = (address: string): boolean => /^\/ip4\/127\.|^\/ip6\/::1\//.test(address);
