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
import type { OwnLedger } from '@peerai/ledger';
import type { z } from 'zod';
import type { Commons } from '../commons/commons.ts';
import type { EventHub } from '../events/hub.ts';
import type { NodeView } from '../node/node.schema.ts';
import { type Devices, mayUse } from '../pairing/devices.ts';
import type { EvidenceView } from '../market/market.schema.ts';
import type { PeerSettings } from '../peer-world.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { onDemand } from '../store/on-demand.ts';
import type { MachineReading } from './gauge.ts';
import type {
  borrowRequestSchema,
  LeaseDetail,
  LeasesView,
  LendingView,
  lendRequestSchema,
  NodeDispute,
  NodesView,
} from './lending.schema.ts';
import { heldMethod } from './elsewhere.ts';
import { leaseMethod, nodesMethod } from './lending-protocol.ts';
import type { LendingRoom } from './room.ts';

export interface NodeLendingDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly network: Network;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly isOnline: (peer: PeerId) => boolean;
  /** What the machine says of itself; without it no node of this peer counts as free. */
  readonly machine?: () => MachineReading;
  /** What it does for itself and others, and how much of that at once. */
  readonly answering: () => NodeView['answering'];
  readonly tasks: Pick<Tasks, 'list'>;
  readonly settings: Pick<PeerSettings, 'tasksAtOnce'>;
  readonly stopping: AbortSignal;
  /** What else is owed between this peer and another, as one limit holds for all leases, and what is made of who disputes. */
  readonly commons: () => Pick<Commons, 'market' | 'reputation'>;
}
/** Nodes of this peer for others, and those of others for this peer. */
export interface NodeLending {
  /** What is lent here. */
  own(): Promise<LendingView>;
  lend(wish: z.output<typeof lendRequestSchema>): Promise<LendingView>;
  /** Leases that are under way go on to their end. */
  stopLending(): Promise<LendingView>;
  /** Devices that lend to this one, with what they measured. */
  free(signal: AbortSignal): Promise<NodesView>;
  list(): Promise<LeasesView>;
  /** By id or its beginning (8 digits or more). Throws LEASE_UNKNOWN. */
  get(text: string): Promise<LeaseDetail>;
  /**
   * Vectors through a cluster on another peer, and the cluster back. Ends the lease before it throws, also when the signal fires.
   * Throws DEVICE_UNKNOWN, NOT_GRANTED, LENDING_OFF, PRICE_TOO_HIGH, PRICE_TOO_LOW, REPUTATION_LOW, NODES_TAKEN, LEASE_OVER, CREDIT_EXCEEDED, RECEIPT_WRONG,
   * HASH_MISMATCH, PEER_UNREACHABLE, TIMEOUT, LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_OPTION, ABORTED.
   */
  borrow(wish: z.output<typeof borrowRequestSchema>, signal: AbortSignal): Promise<LeaseDetail>;
  /** Gives borrowed nodes back, once the run under way is signed for, or takes lent ones back. Throws LEASE_UNKNOWN, LEASE_STATE when it is over. */
  giveBack(text: string): Promise<LeaseDetail>;
  /** Ends a lease without the other's yes, and says why with evidence. Throws LEASE_UNKNOWN, LEASE_STATE, LIMIT_EXCEEDED. */
  dispute(text: string, reason: string): Promise<NodeDispute>;
  /** What both signed about a lease, in a file that anybody can check. Throws LEASE_UNKNOWN, LIMIT_EXCEEDED. */
  evidence(text: string, reason: string): Promise<EvidenceView>;
  /** A paired device is here: it gets the last words it is owed. */
  met(peer: PeerId): void;
  /** The rights of a device changed: who may not borrow any more gives back what it has. */
  review(peer: PeerId): void;
  /** Answers, and goes on with what was under way. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What lends and borrows is loaded when somebody does. */
export function createNodeLending(deps: NodeLendingDeps): NodeLending {
  const mayBorrow = (peer: PeerId): boolean => mayUse(deps.devices, peer, 'borrow');
  const refuse = (peer: PeerId): void => {
    if (!mayBorrow(peer))
      throw new PeerAiError('NOT_GRANTED', 'this device may not borrow nodes here; its owner can allow it');
  };
  const open = async (): Promise<LendingRoom> => {
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openLendingRoom } = await import('./room.ts');
    const opened = await openLendingRoom({ ...deps, mayBorrow });
    opened.resume();
    return opened;
  };
  const held = onDemand(open);
  const room = held.get;
  const serving: Disposable[] = [];
  return {
    own: async () => (await room()).own(),
    lend: async (wish) => (await room()).lend(wish),
    stopLending: async () => (await room()).stopLending(),
    free: async (signal) => (await room()).free(signal),
    list: async () => (await room()).list(),
    get: async (text) => (await room()).get(text),
    borrow: async (wish, signal) => (await room()).borrow(wish, signal),
    giveBack: async (text) => (await room()).giveBack(text),
    dispute: async (text, reason) => (await room()).dispute(text, reason),
    evidence: async (text, reason) => (await room()).evidence(text, reason),
    met: (peer) => held.now()?.met(peer),
    review(peer) {
      if (!mayBorrow(peer)) held.now()?.cutOff(peer);
    },
    async start() {
      const { network, clock } = deps;
      serving.push(
        serveMethod(
          network,
          nodesMethod,
          async (_, { peer }) => {
            refuse(peer);
            return (await room()).nodesFor(peer);
          },
          { clock },
        ),
        serveMethod(
          network,
          leaseMethod,
          async (question, { peer }) => {
            // The last word of a lease, and what it came to, needs no right: it was agreed on when there was one.
            if (question.kind === 'offer' || question.kind === 'run') refuse(peer);
            return (await room()).answer(peer, question);
          },
          { clock },
        ),
        serveMethod(network, heldMethod, async (asked) => (await room()).held(asked), { clock }),
      );
      if (await isUsed(deps.store)) await room();
    },
    async stop() {
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await (await held.settled())?.closed();
    },
  };
}

/** Whether nodes are lent, or a lease is still listed. */
async function isUsed(store: Store): Promise<boolean> {
  for await (const _ of store.room('lending').range('offer/', 'offer0', { limit: 1 })) return true;
  for await (const _ of store.room('leases').range('lease/', 'lease0', { limit: 1 })) return true;
  return false;
}
