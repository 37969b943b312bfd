import {
  compareEmoji,
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
  streamMethod,
  toHex,
} from '@peerai/core-protocol';
import { decodeTicket, parseLink, proveTicket, type Ticket } from '@peerai/core-protocol/access';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import { cleanName, type Device, type Devices, freeName } from './devices.ts';
import { type Invites, openInvites } from './invites.ts';
import { type PairAnswer, pairMethod, type PairRequest } from './pair-protocol.ts';
import type { InviteView, PairingsView, PendingPairing, Permission } from './pairing.schema.ts';

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
  invite(allow: readonly Permission[]): Promise<InviteView>;
  list(): PairingsView;
  /** Throws PAIRING_GONE for an id that is not (or no longer) known. */
  get(id: string): PendingPairing;
  /** Resolves when the inviter's peer answered; the emoji are to be compared, its owner decides. Throws INVITE_*, PEER_UNREACHABLE. */
  join(link: string, signal: AbortSignal): Promise<PendingPairing>;
  accept(id: string): Promise<PendingPairing>;
  reject(id: string): Promise<PendingPairing>;
  start(): void;
  stop(): void;
}

type Decision = 'accepted' | 'rejected' | 'expired';
interface Waiting {
  view: PendingPairing;
  readonly decide: (decision: Decision) => void;
}

export async function createPairing(deps: PairingDeps): Promise<Pairing> {
  const invites = await openInvites(deps);
  const waiting = new Map<string, Waiting>();
  const stopping = new AbortController();
  let serving: Disposable | undefined;

  const change = (id: string, state: PendingPairing['state']): PendingPairing => {
    const entry = find(waiting, id);
    entry.view = { ...entry.view, state };
    deps.events.emit({ type: 'pairing-changed', pairing: entry.view });
    return entry.view;
  };
  const add = (entry: Waiting): void => {
    forgetEnded(waiting);
    const count = [...waiting.values()].filter(({ view }) => view.state === 'waiting').length;
    if (count >= limits.pairingsWaitingMax) {
      throw new PeerAiError('TOO_MANY_PAIRINGS', `${count} pairings already wait for an answer`);
    }
    waiting.set(entry.view.id, entry);
    deps.events.emit({ type: 'pairing-changed', pairing: entry.view });
  };
  const remember = async (device: Pick<Device, 'peer' | 'name' | 'allow' | 'addresses'>): Promise<void> => {
    const nowMs = deps.clock.nowMs();
    const name = freeName(deps.devices, device.name, device.peer);
    await deps.devices.save({ ...device, name, blocked: false, pairedMs: nowMs, lastSeenMs: nowMs });
    deps.paired(device.peer);
  };
  const host = { ...deps, invites, add, change, remember, stopping: stopping.signal };
  return {
    async invite(allow) {
      const addresses = await deps.inviteAddresses();
      return { v: 1, ...(await invites.create({ name: deps.name(), addresses, allow })) };
    },
    list: () => ({
      v: 1,
      invites: [...invites.open()],
      pending: [...waiting.values()].map(({ view }) => view),
    }),
    get: (id) => find(waiting, id).view,
    join: (link, signal) => join(host, link, signal),
    async accept(id) {
      const entry = find(waiting, id);
      if (entry.view.state !== 'waiting') throw gone(id);
      if (entry.view.direction === 'outgoing') {
        throw new PeerAiError('REFUSED', 'the owner of the inviting device confirms; compare the emoji there');
      }
      entry.decide('accepted');
      return change(id, 'accepted');
    },
    async reject(id) {
      const entry = find(waiting, id);
      if (entry.view.state !== 'waiting') throw gone(id);
      entry.decide('rejected');
      return change(id, 'rejected');
    },
    start() {
      serving ??= serveMethod(deps.network, pairMethod, (request, context) => answer(host, request, context));
    },
    stop() {
      stopping.abort();
      serving?.[Symbol.dispose]();
      serving = undefined;
    },
  };
}

interface Host extends PairingDeps {
  readonly invites: Invites;
  readonly stopping: AbortSignal;
  add(entry: Waiting): void;
  change(id: string, state: PendingPairing['state']): PendingPairing;
  remember(device: Pick<Device, 'peer' | 'name' | 'allow' | 'addresses'>): Promise<void>;
}

/** The inviter's side: take the invite, show the emoji, wait for the owner, remember the device before saying so. */
async function* answer(
  host: Host,
  request: PairRequest,
  { peer, signal }: { readonly peer: PeerId; readonly signal: AbortSignal },
): AsyncIterable<PairAnswer> {
  const invite = await host.invites.take(request.grant, peer);
  const { promise, resolve } = Promise.withResolvers<Decision>();
  const view = pendingView(host, { id: invite.id, peer, name: request.name, secret: invite.secret, allow: invite.allow, direction: 'incoming' });
  host.add({ view, decide: resolve });
  host.logger.info('pairing-waiting', { peer });
  const reply = async (state: PairAnswer['state']): Promise<PairAnswer> => ({
    state,
    name: host.name(),
    addresses: state === 'accepted' ? await host.inviteAddresses() : [],
    allow: invite.allow,
  });
  yield await reply('waiting');
  const decision = await decided(host, promise, signal);
  if (decision === 'accepted') {
    await host.remember({ peer, name: request.name, allow: invite.allow, addresses: request.addresses });
  } else if (decision === 'expired') {
    host.change(invite.id, 'expired');
  }
  host.logger.info('pairing-ended', { peer, decision });
  yield await reply(decision);
}

async function decided(host: Host, decision: Promise<Decision>, signal: AbortSignal): Promise<Decision> {
  const end = AbortSignal.any([signal, host.stopping, host.clock.deadline(limits.pairingWaitMs)]);
  const expired = new Promise<Decision>((resolve) => {
    if (end.aborted) resolve('expired');
    end.addEventListener('abort', () => resolve('expired'), { once: true });
  });
  return Promise.race([decision, expired]);
}

/** The joiner's side: returns once the inviter answered, and goes on waiting behind. */
async function join(host: Host, link: string, signal: AbortSignal): Promise<PendingPairing> {
  const ticket = inviteTicket(host, link);
  const { promise: first, resolve: answered, reject: failed } = Promise.withResolvers<PendingPairing>();
  const leaving = new AbortController();
  const onAbort = (): void => leaving.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  void follow(host, ticket, leaving, answered).catch(failed);
  try {
    return await first;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function follow(
  host: Host,
  ticket: Ticket,
  leaving: AbortController,
  answered: (view: PendingPairing) => void,
): Promise<void> {
  const request = {
    grant: proveTicket(host.crypto, ticket, host.identity.peer),
    name: host.name(),
    addresses: [...host.network.addresses()].slice(0, 8),
  };
  const signal = AbortSignal.any([leaving.signal, host.stopping, host.clock.deadline(limits.pairingWaitMs)]);
  const id = toHex(ticket.id);
  let shown = false;
  try {
    const answers = streamMethod(host, ticket.provider, pairMethod, request, { signal, addresses: ticket.addresses });
    for await (const reply of answers) {
      if (reply.state === 'waiting') {
        const allow = permissions(reply.allow);
        const view = pendingView(host, { id, peer: ticket.provider, name: reply.name, secret: ticket.secret, allow, direction: 'outgoing' });
        host.add({ view, decide: () => leaving.abort() });
        shown = true;
        answered(view);
        continue;
      }
      if (reply.state === 'accepted') {
        const { name, addresses } = reply;
        await host.remember({ peer: ticket.provider, name, allow: permissions(reply.allow), addresses });
      }
      host.change(id, reply.state);
      return;
    }
    throw new PeerAiError('PAIRING_GONE', 'the other device ended the pairing without an answer');
  } catch (error) {
    if (!shown) throw error;
    if (!leaving.signal.aborted) host.change(id, 'expired');
    host.logger.info('pairing-lost', { peer: ticket.provider, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
  }
}

function inviteTicket({ crypto, clock, identity }: Host, link: string): Ticket {
  const parsed = parseLink(link);
  if (parsed.kind !== 'pair') {
    throw new PeerAiError('INVITE_INVALID', 'this is not an invite to pair; a share link is opened in a browser');
  }
  const ticket = decodeTicket(crypto, parsed.ticket);
  if (ticket.kind !== 'pair') throw new PeerAiError('INVITE_INVALID', 'this link holds no invite');
  if (ticket.provider === identity.peer) throw new PeerAiError('SELF_PAIRING', 'this invite was made by this very device');
  if (ticket.expiresMs <= clock.nowMs()) throw new PeerAiError('INVITE_EXPIRED', 'this invite is older than ten minutes; ask for a new one');
  return ticket;
}

function pendingView(
  { crypto, identity, clock }: Host,
  facts: {
    readonly id: string;
    readonly peer: PeerId;
    readonly name: string;
    readonly secret: Uint8Array;
    readonly allow: readonly Permission[];
    readonly direction: PendingPairing['direction'];
  },
): PendingPairing {
  const code = compareEmoji(crypto, identity.peer, facts.peer, facts.secret);
  return {
    id: facts.id,
    peerId: facts.peer,
    name: cleanName(facts.name),
    emoji: code.map(({ emoji }) => emoji),
    emojiNames: code.map(({ name }) => name),
    direction: facts.direction,
    allow: [...facts.allow],
    state: 'waiting',
    sinceMs: clock.nowMs(),
  };
}

function permissions(texts: readonly string[]): Permission[] {
  return (['chat', 'tasks', 'train'] as const).filter((name) => texts.includes(name));
}

function find(waiting: ReadonlyMap<string, Waiting>, id: string): Waiting {
  const entry = waiting.get(id);
  if (entry === undefined) throw gone(id);
  return entry;
}

function gone(id: string): PeerAiError {
  return new PeerAiError('PAIRING_GONE', 'this pairing has ended', { id });
}

function forgetEnded(waiting: Map<string, Waiting>): void {
  for (const [id, { view }] of waiting) if (view.state !== 'waiting' && waiting.size > limits.pairingsWaitingMax) waiting.delete(id);
}
