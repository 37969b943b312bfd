import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  type Store,
} from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { type Devices, freeName, withLease } from './devices.ts';
import type { PairingHost } from './host.ts';
import { openInvites } from './invites.ts';
import { answerJoiner } from './inviter.ts';
import { joinInviter } from './joiner.ts';
import { pairMethod } from './pair-protocol.ts';
import type { InviteView, PairingsView, PendingPairing } from './pairing.schema.ts';
import type { Permission } from './permissions.ts';
import { createWaitingRoom, gone, type Waiting } from './waiting-room.ts';

export interface PairingDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  readonly store: Store;
  readonly network: Network;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly logger: Logger;
  /** This peer's name, and the addresses an invite should carry. */
  readonly name: () => string;
  readonly inviteAddresses: () => Promise<readonly string[]>;
  /** Called when a pairing became true on this side. */
  readonly paired: (peer: PeerId) => void;
}

/** Two people, two screens, four emoji: how a device becomes one of mine. */
export interface Pairing {
  /** Throws TOO_MANY_PAIRINGS when too many invites are open. */
  invite(allow: readonly Permission[]): Promise<InviteView>;
  list(): PairingsView;
  /** Throws PAIRING_GONE for an id that is not (or no longer) known. */
  get(id: string): PendingPairing;
  /** Resolves when the inviter's peer answered; the emoji are to be compared, its owner decides. Throws INVITE_*, SELF_PAIRING, TOO_MANY_PAIRINGS, PEER_UNREACHABLE. */
  join(link: string, signal: AbortSignal): Promise<PendingPairing>;
  /** They match: the device is ours, durably, when this resolves. Throws PAIRING_GONE, REFUSED on the joiner's side, TOO_MANY_DEVICES; then it waits on. */
  accept(id: string): Promise<PendingPairing>;
  /** Throws PAIRING_GONE. */
  reject(id: string): Promise<PendingPairing>;
  start(): void;
  stop(): void;
}

export async function createPairing(deps: PairingDeps): Promise<Pairing> {
  const invites = await openInvites(deps);
  const stopping = new AbortController();
  const room = createWaitingRoom(deps, stopping.signal);
  const remember: PairingHost['remember'] = async ({ peer, name, allow, addresses, lease }) => {
    const nowMs = deps.clock.nowMs();
    await deps.devices.update(peer, (before) => {
      const free = freeName(deps.devices, deps.name(), name, peer);
      const device = { peer, name: free, allow, addresses, lease, blocked: false, pairedMs: nowMs, lastSeenMs: nowMs };
      return withLease(device, lease, before);
    });
    deps.paired(peer);
  };
  const host: PairingHost = { ...deps, invites, room, stopping: stopping.signal, remember };
  let serving: Disposable | undefined;
  const find = (id: string): Waiting => {
    const waiting = room.find(id);
    if (waiting === undefined) throw gone(id);
    return waiting;
  };
  return {
    async invite(allow) {
      const addresses = await deps.inviteAddresses();
      return { v: 1, ...(await invites.create({ name: deps.name(), addresses, allow })) };
    },
    list: () => ({ v: 1, invites: [...invites.open()], pending: [...room.list()] }),
    get: (id) => find(id).view,
    join: (link, signal) => joinInviter(host, link, signal),
    async accept(id) {
      const waiting = find(id);
      if (waiting.view.direction === 'outgoing' && waiting.view.state === 'waiting') {
        throw new PeerAiError('REFUSED', 'the owner of the inviting device confirms; compare the emoji there');
      }
      const { offer } = waiting;
      if (offer === undefined) throw gone(id);
      await waiting.accept(() => remember(offer));
      return waiting.view;
    },
    async reject(id) {
      const waiting = find(id);
      if (waiting.view.state !== 'waiting') throw gone(id);
      waiting.end('rejected');
      return waiting.view;
    },
    start() {
      serving ??= serveMethod(deps.network, pairMethod, (request, context) => answerJoiner(host, request, context), {
        clock: deps.clock,
      });
    },
    stop() {
      stopping.abort();
      serving?.[Symbol.dispose]();
      serving = undefined;
    },
  };
}
