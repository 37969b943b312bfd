import {
  callMethod,
  type Clock,
  createTokenBucket,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
  type Topics,
} from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { type Copies, createCopies } from '@peerai/ledger/sync';
import { createWitness, offenceId, verifyEquivocation, type Witness } from '@peerai/ledger/witness';
import type { EventHub } from '../events/hub.ts';
import type { Devices } from '../pairing/devices.ts';
import { createMutex } from '../store/mutex.ts';
import { createAnswering } from './answering.ts';
import { type CosignedHead, createCosignedHead } from './cosigned-head.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { booksLimits as limits } from './limits.ts';
import { forksTopic, type LogAnswer, logMethod, type LogQuestion, plainLogQuestion } from './log-protocol.ts';
import type { LogGuard } from './log-guard.ts';
import type { Offenders } from './offenders.ts';
import { createStatedCheckpoints } from './stated-checkpoints.ts';

export interface LogRoomDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly store: Store;
  readonly network: Network;
  readonly topics?: Topics;
  readonly ledger: OwnLedger;
  /** The room it lies in. */
  readonly ledgerStore: Store;
  readonly guard: Pick<LogGuard, 'saw'>;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly offenders: Offenders;
  readonly isOnline: (peer: PeerId) => boolean;
  /** Whether devices get our entries, or only heads and proofs. */
  readonly showsEntries: boolean;
  readonly forked?: (origin: PeerId, proof: string) => void;
  readonly stopping: AbortSignal;
}
/** What is known and kept of other peers' logs, and what they sign of ours. */
export interface LogRoom {
  readonly copies: Copies;
  readonly witness: Witness;
  readonly cosigned: CosignedHead;
  /** What went wrong with a log last: not taken, or behind. */
  troubleOf(origin: PeerId): string | undefined;
  answer(peer: PeerId, question: LogQuestion): Promise<LogAnswer>;
  /** Soon, and not more often than it is of use. */
  met(peer: PeerId): void;
  /** Now. Throws what asking throws. */
  exchange(peer: PeerId, signal: AbortSignal): Promise<void>;
  /** Evidence from anywhere: checked, kept, told on; its maker is refused. Throws PROOF_WRONG and what checking throws. */
  accuse(evidence: Uint8Array, toldBy: PeerId): Promise<PeerId>;
  idle(): Promise<void>;
}

export function openLogRoom(deps: LogRoomDeps): LogRoom {
  const { identity, clock, crypto, store, network, devices, offenders, stopping } = deps;
  const copies = createCopies({ crypto, store: store.room('copies'), self: identity.peer });
  const witness = createWitness({ store: store.room('witness'), identity, crypto, clock });
  const cosigned = createCosignedHead(crypto, store.room('cosigned'), deps.ledger);
  const troubles = new Map<PeerId, string>();
  const others = (): PeerId[] =>
    devices
      .list()
      .filter(({ peer, blocked }) => !blocked && deps.isOnline(peer) && !offenders.isRefused(peer))
      .map(({ peer }) => peer);

  const tell = async (evidence: Uint8Array, but: PeerId): Promise<void> => {
    await deps.topics?.publish(forksTopic, evidence).catch(() => undefined);
    for (const peer of others().filter((one) => one !== but))
      await callMethod(
        deps,
        peer,
        logMethod,
        { ...plainLogQuestion, kind: 'evidence', body: evidence },
        { signal: stopping },
      ).catch(() => undefined);
  };
  const accuse = async (evidence: Uint8Array, toldBy: PeerId): Promise<PeerId> => {
    const found = verifyEquivocation(crypto, evidence);
    const { origin } = found;
    if (!(await offenders.add({ origin, evidence, sinceMs: clock.nowMs(), toldBy }))) return origin;
    deps.logger.warn('ledger-forked', { origin, toldBy });
    deps.events.emit({ type: 'ledger-fork', origin, refused: offenders.isRefused(origin) && origin !== identity.peer });
    if (origin !== identity.peer) {
      deps.forked?.(origin, toHex(offenceId(crypto, found)));
      await network.disconnect(origin).catch(() => undefined);
    }
    void tell(evidence, toldBy);
    return origin;
  };
  const doubted = new Set<PeerId>();
  const doubt = (peer: PeerId): void => {
    doubted.add(peer);
    met(peer);
  };
  const shared = { ...deps, copies, witness, cosigned, accuse, doubt };
  const exchanging: Exchange = createExchange({ ...shared, troubles, doubted });
  const answering = createAnswering(shared);

  /** One peer after the other: nobody waits for this, and what else the machine does goes first. */
  const inTurn = createMutex();
  const lastMs = new Map<PeerId, number>();
  const exchange = (peer: PeerId, signal: AbortSignal): Promise<void> =>
    inTurn(async () => {
      signal.throwIfAborted();
      lastMs.set(peer, clock.elapsedMs());
      await exchanging.with(peer, signal);
    });
  const quietly = (peer: PeerId): Promise<void> =>
    exchange(peer, stopping).catch((error: unknown) => {
      const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
      if (!stopping.aborted) deps.logger.debug('ledger-exchange-failed', { peer, code });
    });
  const met = (peer: PeerId): void => {
    const last = lastMs.get(peer);
    if (stopping.aborted || (last !== undefined && clock.elapsedMs() - last < limits.exchangeEveryMs)) return;
    lastMs.set(peer, clock.elapsedMs());
    void quietly(peer);
  };
  const stateCheckpoints = createStatedCheckpoints({ ...deps, witness, copies });
  const refresh = async (): Promise<void> => {
    for (let shown = deps.ledger.size; ;) {
      await clock.sleep(limits.refreshEveryMs, stopping);
      // What cannot be said now is said at the next look.
      await stateCheckpoints().catch((error: unknown) => {
        deps.logger.error('checkpoint-not-stated', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      });
      if (deps.ledger.size === shown) continue;
      shown = deps.ledger.size;
      for (const peer of others()) await quietly(peer);
    }
  };
  void refresh().catch(() => undefined);
  listenForForks(deps, accuse);
  return {
    copies,
    witness,
    cosigned,
    troubleOf: (origin) => troubles.get(origin),
    answer: answering,
    met,
    exchange,
    accuse,
    idle: () => inTurn(async () => undefined),
  };
}

/** Proofs that others tell everybody: checked before they go on, so that gossip carries nothing else. */
function listenForForks(deps: LogRoomDeps, accuse: LogRoom['accuse']): void {
  const { topics, crypto, clock, offenders, identity, stopping } = deps;
  if (topics === undefined || stopping.aborted) return;
  const bucket = createTokenBucket(clock, limits.gossip);
  /** Who published it: the port tells the judge alone, about the very bytes that come out below. */
  const tellers = new WeakMap<Uint8Array, PeerId>();
  const judge = (bytes: Uint8Array, from: PeerId): 'accept' | 'ignore' | 'reject' => {
    if (bucket.take() > 0) return 'ignore';
    try {
      if (offenders.has(verifyEquivocation(crypto, bytes).origin)) return 'ignore';
    } catch {
      return 'reject';
    }
    tellers.set(bytes, from);
    return 'accept';
  };
  const listen = async (): Promise<void> => {
    for await (const evidence of topics.subscribe(forksTopic, judge, stopping))
      await accuse(evidence, tellers.get(evidence) ?? identity.peer).catch(() => undefined);
  };
  void listen().catch(() => undefined);
}
