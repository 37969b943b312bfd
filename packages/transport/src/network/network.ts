import type { Connection } from '@libp2p/interface';
import {
  type Channel,
  type Clock,
  type Logger,
  type Network,
  type OpenOptions,
  PeerAiError,
  type PeerId,
  type Protocol,
  type Random,
} from '@peerai/core-protocol';
import { peerIdFromString } from '@libp2p/peer-id';
import { createHeart } from '../channel/heartbeat.ts';
import { channelClosed, reasonOf, reasonOfLink, transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createAcceptor, createChannelMaker, openingError } from './accept.ts';
import { circuitsThrough, planAddresses, sortAddresses, throughRelay } from './addresses.ts';
import { type Attempt, dialPlan, lacksPlace, shareDials } from './dialer.ts';
import { createLinkTable, endLink, type IsThroughTurn, type LinkEntry } from './link-table.ts';
import { keepPinging, measureLink } from './link-ping.ts';
import { inOrder, openingMs } from './path-quality.ts';
import type { Bandwidth } from '../policy/bandwidth.ts';
import type { ConnectionLimit } from '../policy/connection-limit.ts';
import { createReservations } from './reservations.ts';
import type { MakeSealing } from './sealing.ts';
import { createDirectUpgrader, type createSpareLinks } from './upgrader.ts';

export interface NetworkDeps {
  readonly components: Components;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly isGranted: (peer: PeerId, protocolId: string) => boolean;
  readonly isBlocked: (peer: PeerId) => boolean;
  /** Addresses in a peer's own signed record. */
  readonly announced: (peer: PeerId) => readonly string[];
  /** In a private network: somebody answered at this address who does not know its key. */
  readonly bandwidth?: Bandwidth | undefined;
  /** How many connections there may be; the limit's own word for one beyond. */
  readonly connectionLimit?: ConnectionLimit | undefined;
  readonly isForeign?: ((address: string) => boolean) | undefined;
  /** Without it channels are protected by their links alone. */
  readonly sealing?: MakeSealing | undefined;
}
export interface NetworkOptions {
  readonly relays: readonly string[];
  /** Relays beside those, as they are named now. */
  readonly moreRelays?: () => readonly string[];
  readonly connectionTimeoutMs: number;
  readonly dialAddressMs?: number;
  /** Where a peer can be met besides its addresses. */
  readonly placesOf?: (peer: PeerId) => Promise<readonly string[]>;
  readonly directOnly: boolean;
  readonly webrtc: boolean;
  readonly isThroughTurn?: IsThroughTurn;
  /** Ends links beside others to the same peer; a tab, which has one peer, does without. */
  readonly spareLinks?: typeof createSpareLinks;
}
export interface RunningNetwork {
  readonly network: Network;
  readonly links: () => readonly LinkEntry[];
  readonly channels: () => number;
  stop(): void;
}

/** What the other side, or a rule, says to every link alike. */
const answers = ['REFUSED', 'LIMIT_REACHED', 'LIMIT_EXCEEDED', 'PRIVATE_NETWORK', 'POST_QUANTUM_REQUIRED'];

/** The Network port over one libp2p node. */
export function createNetwork(deps: NetworkDeps, options: NetworkOptions): RunningNetwork {
  const { components, clock, logger } = deps;
  const self = components.peerId.toString() as PeerId;
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const table = createLinkTable(deps.bandwidth, options.isThroughTurn);
  const heart = createHeart(clock);
  const maker = createChannelMaker(table, heart);
  const sealing = deps.sealing?.({
    logger,
    open: (connection, protocol, signal, first) =>
      openStream(connection, protocol, signal, signal, Promise.resolve(first)),
    hybrid: (connection, is) => table.entry(connection).hybrid(is),
  });
  const acceptor = createAcceptor({ ...deps, maker, sealing, directOnly: options.directOnly });
  const { placesOf } = options;
  const upgrader = createDirectUpgrader({
    ...deps,
    table,
    stopped,
    webrtc: options.webrtc,
    ...(placesOf === undefined ? {} : { placesOf }),
  });
  const places = createReservations(components);
  /** The link that the last channel to a peer was opened on. */
  const used = new Map<PeerId, string>();
  const dialling = new Map<string, Promise<unknown>>();
  const joinDial = shareDials(components, clock, dialling);

  components.events.addEventListener('connection:open', ({ detail }) => {
    if (deps.connectionLimit?.isRefused(detail) === true) return;
    const entry = table.entry(detail);
    void measureLink(entry, deps, stopped);
    sealing?.linked(detail);
  });
  components.events.addEventListener('connection:close', ({ detail }) => {
    table.drop(detail);
    const peer = detail.remotePeer.toString() as PeerId;
    if (used.get(peer) === detail.id) used.delete(peer);
    sealing?.dropped(detail);
  });
  const spares = options.spareLinks?.(clock, self, () => table.all());
  void keepPinging(table, deps, stopped, () => {
    upgrader.sweep();
    spares?.sweep();
  });

  /** Usable links to a peer, best first: direct ones that have answered a ping, then what has answered, then the rest. */
  function usable(peer: PeerId): LinkEntry[] {
    const rank = ({ proven, connection }: LinkEntry): number => (proven ? 0 : 2) + (connection.direct ? 0 : 1);
    const links = table
      .of(peer)
      .filter(({ connection }) => connection.status === 'open' && (connection.direct || !options.directOnly))
      .map((entry) => ({ entry, id: entry.connection.id, rank: rank(entry), costMs: entry.quality.costMs }));
    return inOrder(links, used.get(peer)).map(({ entry }) => entry);
  }

  async function openOn(
    { connection, quality }: LinkEntry,
    protocol: Protocol,
    caller: AbortSignal,
    first: Promise<Uint8Array> | undefined,
  ): Promise<Channel> {
    // Waits on a fresh link only, and an exchange has a bound of its own.
    const seal = await sealing?.opening(connection, protocol, caller);
    const signal = clock.deadline(openingMs(quality.answerMs), caller);
    const channel = await openStream(connection, seal?.protocol ?? protocol, signal, caller, first, seal);
    if (!connection.direct) upgrader.consider(connection);
    return channel;
  }

  async function openStream(
    connection: Connection,
    protocol: Protocol,
    signal: AbortSignal,
    caller: AbortSignal,
    first: Promise<Uint8Array> | undefined,
    seal?: { over(channel: Channel): Channel },
  ): Promise<Channel> {
    const stream = await connection.newStream(protocol.id, {
      signal,
      runOnLimitedConnection: true,
      maxOutboundStreams: limits.streamsPerConnectionMax,
      // A raw channel's bytes are its handler's own: nobody there takes an echo off.
      negotiateFully: protocol.framing === 'raw',
    });
    const { channel: plain, accepted } = maker.make(protocol, stream, connection);
    const channel = seal?.over(plain) ?? plain;
    const said = first?.then((message) => channel.send(message));
    said?.catch(() => undefined);
    await whileOpening(channel, accepted, signal);
    // Not the link's fault when its caller takes longer to know what to say.
    if (said !== undefined) await whileOpening(channel, said, caller);
    return channel;
  }

  /** Every live link in turn, each once. A refusal is an answer; anything else moves on to the next link. */
  async function openOnLinks(
    peer: PeerId,
    protocol: Protocol,
    signal: AbortSignal,
    attempts: Attempt[],
    tried: Set<string>,
    first: Promise<Uint8Array> | undefined,
  ) {
    for (const entry of usable(peer)) {
      const { connection, quality, proven } = entry;
      if (tried.has(connection.id)) continue;
      tried.add(connection.id);
      try {
        const channel = await openOn(entry, protocol, signal, first);
        quality.tried(true);
        used.set(peer, connection.id);
        return channel;
      } catch (cause) {
        if (signal.aborted) throw abortReason(signal);
        const error = openingError(cause);
        if (PeerAiError.is(error, ...answers)) throw error;
        quality.tried(false);
        attempts.push({ address: connection.remoteAddr.toString(), step: 'link', reason: reasonOfLink(cause, proven) });
      }
    }
    return undefined;
  }

  async function dial(peer: PeerId, given: readonly string[], signal: AbortSignal): Promise<void> {
    const before = usable(peer).length;
    await joinDial(peer, signal);
    if (usable(peer).length > before) return;
    const known = await components.peerStore.get(peerIdFromString(peer)).catch(() => undefined);
    const stored = [...(known?.addresses ?? []).map((one) => one.multiaddr.toString()), ...deps.announced(peer)];
    const own = circuitsThrough([...options.relays, ...(options.moreRelays?.() ?? [])], peer);
    const circuits = [...stored, ...given].some((address) => address.includes('/p2p-circuit'));
    const places = (await placesOf?.(peer)) ?? [];
    const plan = planAddresses(peer, [...stored, ...given, ...places, ...(circuits ? [] : own)]);
    const { directOnly, connectionTimeoutMs: timeoutMs, dialAddressMs = limits.dialAddressMs } = options;
    const addressMs = Math.min(dialAddressMs, timeoutMs);
    const connection = await dialPlan(components, clock, plan, { directOnly, timeoutMs, addressMs, signal });
    table.entry(connection);
  }

  /** Two open() of one peer share a dial; the second dials with its own addresses when the first failed. */
  async function dialOnce(peer: PeerId, given: readonly string[], signal: AbortSignal): Promise<void> {
    const running = dialling.get(peer);
    if (running !== undefined) {
      await running.catch(() => undefined);
      if (usable(peer).length > 0) return;
    }
    if (signal.aborted) throw abortReason(signal);
    const mine = dial(peer, given, signal);
    dialling.set(peer, mine);
    try {
      await mine;
    } finally {
      if (dialling.get(peer) === mine) dialling.delete(peer);
    }
  }

  async function open(peer: PeerId, protocol: Protocol, openOptions: OpenOptions): Promise<Channel> {
    const { first } = openOptions;
    const unsaid = new AbortController();
    first?.catch((error: unknown) => unsaid.abort(error));
    const signal = AbortSignal.any([openOptions.signal, stopped, unsaid.signal]);
    const attempts: Attempt[] = [];
    const tried = new Set<string>();
    if (signal.aborted) throw abortReason(signal);
    if (deps.isBlocked(peer)) throw transportError('REFUSED', 'this peer is blocked here');
    if (peer === self) throw unreachable([{ address: '', step: 'address', reason: 'a peer does not dial itself' }]);
    for (let round = 0; round < limits.openRetriesMax; round += 1) {
      const channel = await openOnLinks(peer, protocol, signal, attempts, tried, first);
      if (channel !== undefined) return channel;
      if (deps.connectionLimit?.isFull === true)
        throw transportError('LIMIT_REACHED', 'this node has all its connections');
      try {
        await dialOnce(peer, openOptions.addresses ?? [], signal);
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        const all = [...attempts, ...attemptsOf(error)];
        if (all.some(({ address }) => deps.isForeign?.(address) === true)) throw foreign(all, error);
        throw unreachable(all, error);
      }
    }
    throw unreachable(attempts);
  }

  return {
    links: () => table.all(),
    channels: () => acceptor.channels,
    network: {
      self,
      addresses() {
        // libp2p tells only the announced addresses when there are some: the places on relays come from their own book.
        const told = [...components.addressManager.getAddresses().map((one) => one.toString()), ...places.circuits()];
        return sortAddresses(told.map((address) => withSelf(address, self))).filter((address) =>
          throughRelay(address, (relay) => places.has(peerIdFromString(relay))),
        );
      },
      open,
      answer: (protocol, handler) => acceptor.answer(protocol, handler),
      links: (signal) => table.watch(AbortSignal.any([signal, stopped])),
      async disconnect(peer) {
        for (const { connection } of table.of(peer)) endLink(connection, channelClosed('disconnected'));
        logger.debug('peer-disconnected', { peer });
      },
    },
    stop() {
      stopping.abort(channelClosed('this node has stopped'));
      heart.stop();
    },
  };
}

/** One step of opening; the channel does not outlive its failure, nor the signal. */
async function whileOpening(channel: Channel, step: Promise<void>, signal: AbortSignal): Promise<void> {
  const stop = (): void => void channel.close('ABORTED');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await step;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function withSelf(address: string, self: PeerId): string {
  return address.endsWith(`/p2p/${self}`) ? address : `${address}/p2p/${self}`;
}

function abortReason(signal: AbortSignal): PeerAiError {
  return PeerAiError.is(signal.reason)
    ? signal.reason
    : transportError('ABORTED', 'the caller stopped this', {}, signal.reason);
}

function attemptsOf(error: unknown): readonly Attempt[] {
  if (PeerAiError.is(error, 'PEER_UNREACHABLE')) return (error.details['attempts'] ?? []) as readonly Attempt[];
  return [{ address: '', step: 'identity', reason: reasonOf(error) }];
}

function foreign(attempts: readonly Attempt[], cause: unknown): PeerAiError {
  const message = 'who answers at the peer’s address is in no private network, or in another';
  return transportError('PRIVATE_NETWORK', message, { attempts }, cause);
}

function unreachable(attempts: readonly Attempt[], cause?: unknown): PeerAiError {
  const last = attempts.at(-1);
  const hint = last === undefined ? 'no address of it is known' : `the last was ${last.address} (${last.reason})`;
  return transportError(
    'PEER_UNREACHABLE',
    `could not reach the peer: ${hint}`,
    { attempts, mayComeSoon: attempts.some(lacksPlace) },
    cause,
  );
}
