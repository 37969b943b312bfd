import {
  type Clock,
  concatBytes,
  type CryptoProvider,
  equalBytes,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import {
  isOpen,
  type LeaseBook,
  leaseMs,
  leasePrice,
  type LeaseRecord,
  type LeaseTerms,
  nextWorkHash,
  openLease,
  readLeaseReceipt,
} from '@peerai/ledger/lease';
import { type Cluster, restoreCluster } from '@peerai/nn-engine/cluster';
import type { PeerErrorCode } from '../errors.ts';
import { createMutex } from '../store/mutex.ts';
import { keptAnswer, type LeaseAnswer, type LeaseQuestion, plainAnswer } from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';
import type { NodeEscrows } from './node-escrows.ts';
import type { LendOffer } from './offer.ts';
import { decodeNumbers, encodeNumbers, throughCluster } from './work.ts';

export interface DeskDeps {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  /** The room of what is lent. */
  readonly store: Store;
  readonly book: LeaseBook;
  readonly escrows: Pick<NodeEscrows, 'check' | 'isCovered'>;
  readonly offer: () => LendOffer | undefined;
  readonly changed: (lease: LeaseRecord) => void;
  /** Nodes somebody holds at lenders that this one counts together with. */
  readonly heldElsewhere: (borrower: PeerId) => Promise<number>;
  /** Before a peer gets a new lease here. Throws REPUTATION_LOW. */
  readonly admit: (peer: PeerId) => void;
  readonly stopping: AbortSignal;
}
/** The lender's side: who may have nodes, what runs on them, and when they come back. */
export interface Desk {
  /** Nodes that this peer may have now. */
  freeFor(peer: PeerId): number;
  /** Throws LENDING_OFF, NODES_TAKEN, PRICE_TOO_LOW, REPUTATION_LOW, LEASE_UNKNOWN, LEASE_OVER, ANSWERS_UNENDORSED, and what the book, its escrow and the cluster throw. */
  answer(peer: PeerId, question: LeaseQuestion): Promise<LeaseAnswer>;
  /** Takes the nodes of a lease back; what both signed stands. */
  end(lease: LeaseRecord): Promise<LeaseRecord>;
  /** Nothing runs on this lease any more. */
  dropped(id: string): void;
  /** Takes nodes back whose time is over. */
  look(): Promise<void>;
  /** All that this peer has borrowed comes back: it may not borrow any more. */
  cutOff(peer: PeerId): Promise<void>;
}

export function createDesk(deps: DeskDeps): Desk {
  const { self, clock, crypto, store, book, escrows } = deps;
  const admitting = createMutex();
  /** One run at a time, in the order they came; and as long a rest after it, so that lending takes half of the agent's time at the most. */
  const inTurn = createMutex();
  const clusters = new Map<string, Cluster>();
  const forgotten = new Set<string>();
  const lent = (): LeaseRecord[] =>
    book.list().filter(({ progress }) => progress.role === 'lender' && progress.state === 'active');
  const freeFor = (peer: PeerId): number => {
    const offer = deps.offer();
    if (offer === undefined) return 0;
    const nodesOf = (leases: readonly LeaseRecord[]): number => leases.reduce((sum, { terms }) => sum + terms.nodes, 0);
    const all = lent();
    const own = nodesOf(all.filter((lease) => lease.peer === peer));
    return Math.max(0, Math.min(offer.nodes - nodesOf(all), offer.each - own));
  };
  const told = (lease: LeaseRecord): LeaseRecord => {
    deps.changed(lease);
    return lease;
  };
  const end = async (lease: LeaseRecord): Promise<LeaseRecord> => {
    clusters.delete(lease.id);
    return told(await book.end(lease.id));
  };
  const forget = async (id: string): Promise<void> => {
    clusters.delete(id);
    forgotten.add(id);
    await store.commit([store.put(`state/${id}`), store.put(`answer/${id}`)]);
  };
  const isTimeOver = ({ terms, sinceMs, heardMs }: LeaseRecord): boolean =>
    clock.nowMs() >= Math.min(sinceMs + leaseMs(terms), heardMs + limits.idleMs);

  async function accept(peer: PeerId, half: Uint8Array): Promise<LeaseAnswer> {
    const { terms, id } = openLease(crypto, half);
    if (terms.borrower !== peer || terms.lender !== self)
      throw new PeerAiError('INVALID_FORMAT', 'a lease is offered by its borrower to its lender');
    const isNew = book.get(toHex(id)) === undefined;
    if (isNew) checkOffer(deps.offer(), terms, freeFor(peer));
    // The chain may be slow to say what lies there: meanwhile others are served.
    await escrows.check(terms, toHex(id));
    return admitting(async () => {
      if (book.get(toHex(id)) === undefined) {
        deps.admit(peer);
        await checkEverywhere(peer, terms);
        checkOffer(deps.offer(), terms, freeFor(peer));
      }
      const lease = told(await book.accept(half));
      return { ...plainAnswer, lease: lease.lease, booked: lease.progress.signed.n };
    });
  }

  /** Throws NODES_TAKEN above what one borrower may have at all lenders together. */
  async function checkEverywhere(peer: PeerId, { nodes }: LeaseTerms): Promise<void> {
    const everywhere = deps.offer()?.everywhere;
    if (everywhere === undefined) return;
    const elsewhere = await deps.heldElsewhere(peer);
    const here = lent().filter((lease) => lease.peer === peer);
    const free = everywhere - elsewhere - here.reduce((sum, { terms }) => sum + terms.nodes, 0);
    if (nodes <= free) return;
    const text = `one device may have ${everywhere} nodes at all lenders together; you have ${elsewhere} elsewhere`;
    throw new PeerAiError<PeerErrorCode>('NODES_TAKEN', text, { free: Math.max(0, free), everywhere, elsewhere });
  }

  async function find(peer: PeerId, { id, receipt }: LeaseQuestion): Promise<LeaseRecord> {
    const lease = book.get(toHex(id ?? new Uint8Array()));
    if (lease === undefined || lease.peer !== peer || lease.progress.role !== 'lender')
      throw new PeerAiError<PeerErrorCode>('LEASE_UNKNOWN', 'this peer has no such lease');
    return receipt === undefined ? lease : book.complete(lease.id, receipt);
  }

  async function run(peer: PeerId, question: LeaseQuestion): Promise<LeaseAnswer> {
    const { n = 0, inputs = new Uint8Array(), state } = question;
    const lease = await find(peer, question);
    const { issued } = lease.progress;
    if (n === issued.n && n > 0) return again(lease, inputs);
    if (lease.progress.state === 'active' && isTimeOver(lease)) await end(lease);
    if (book.get(lease.id)?.progress.state !== 'active')
      throw new PeerAiError<PeerErrorCode>('LEASE_OVER', 'the time of this lease is over');
    if (n !== issued.n + 1) throw new PeerAiError('INVALID_FORMAT', `run ${issued.n + 1} is next, not ${n}`);
    if (!escrows.isCovered(lease.id))
      throw new PeerAiError<PeerErrorCode>(
        'ANSWERS_UNENDORSED',
        'endorse your last runs under this lease for the contract first',
      );
    const startMs = clock.elapsedMs();
    const cluster = await clusterOf(lease, n, state);
    const outputs = encodeNumbers(throughCluster(cluster, decodeNumbers(inputs)));
    const after = cluster.encode();
    const busyMs = Math.ceil(clock.elapsedMs() - startMs);
    const last = lease.receipt === undefined ? undefined : readLeaseReceipt(lease.receipt);
    const usage = {
      steps: (last?.steps ?? 0) + inputs.length / 8 / cluster.inputs,
      busyMs: (last?.busyMs ?? 0) + busyMs,
      bytesIn: (last?.bytesIn ?? 0) + inputs.length + (state?.length ?? 0),
      bytesOut: (last?.bytesOut ?? 0) + outputs.length,
      stateHash: crypto.sha256(after),
      workHash: nextWorkHash(crypto, last?.workHash, { inputs, outputs }),
    };
    const kept = keptAnswer.encode({ n, inputsHash: crypto.sha256(inputs), outputs });
    const rows = () => [store.put(`state/${lease.id}`, after), store.put(`answer/${lease.id}`, kept)];
    const { receipt, progress } = told(await book.issue(lease.id, usage, rows));
    clusters.set(lease.id, cluster);
    if (busyMs > 0) void inTurn(() => clock.sleep(busyMs, deps.stopping)).catch(() => undefined);
    return { ...plainAnswer, outputs, receipt, booked: progress.signed.n };
  }

  async function again({ id, receipt, progress }: LeaseRecord, inputs: Uint8Array): Promise<LeaseAnswer> {
    const row = await store.get(`answer/${id}`);
    const kept = row === undefined ? undefined : keptAnswer.decode(row);
    if (kept?.n !== progress.issued.n || !equalBytes(kept.inputsHash, crypto.sha256(inputs)))
      throw new PeerAiError('INVALID_FORMAT', 'this run was asked with other inputs before');
    return { ...plainAnswer, outputs: kept.outputs, receipt, booked: progress.signed.n };
  }

  /** Out of hand until the run is on disk: one that fails begins again from there. */
  async function clusterOf({ id, terms }: LeaseRecord, n: number, sent: Uint8Array | undefined): Promise<Cluster> {
    const here = clusters.get(id);
    clusters.delete(id);
    if (n > 1 && here !== undefined) return here;
    const saved = n === 1 ? sent : await store.get(`state/${id}`);
    if (saved === undefined) throw new PeerAiError('INVALID_FORMAT', 'the first run brings the cluster');
    if (saved.length > limits.stateBytesMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `a saved cluster has at most ${limits.stateBytesMax} bytes here`);
    const cluster = restoreCluster(saved);
    if (cluster.size > terms.nodes)
      throw new PeerAiError('LIMIT_EXCEEDED', `a cluster of ${cluster.size} nodes on a lease of ${terms.nodes}`);
    return cluster;
  }

  async function settle(peer: PeerId, question: LeaseQuestion): Promise<LeaseAnswer> {
    const { id } = await find(peer, question);
    const lease = told(question.disputed === true ? await book.dispute(id) : await book.close(id));
    await forget(id);
    return { ...plainAnswer, booked: lease.progress.signed.n };
  }

  return {
    freeFor,
    end,
    dropped: (id) => void clusters.delete(id),
    async answer(peer, question) {
      if (question.kind === 'offer') return accept(peer, question.lease ?? new Uint8Array());
      if (question.kind === 'run') return inTurn(() => run(peer, question));
      if (question.kind === 'settle') return settle(peer, question);
      const { id, progress } = await find(peer, question);
      const state = await store.get(`state/${id}`);
      return { ...plainAnswer, state: state ?? concatBytes(), booked: progress.signed.n };
    },
    async look() {
      const dueMs = clock.nowMs() - limits.keptMs;
      for (const lease of book.list().filter(({ progress }) => progress.role === 'lender')) {
        if (lease.progress.state === 'active' && isTimeOver(lease)) await end(lease);
        if ((lease.endedMs ?? Infinity) > dueMs || forgotten.has(lease.id)) continue;
        if (isOpen(lease)) told(await book.dispute(lease.id));
        await forget(lease.id);
      }
    },
    async cutOff(peer) {
      for (const lease of lent().filter((one) => one.peer === peer)) await end(lease);
    },
  };
}

/** Throws LENDING_OFF, PRICE_TOO_LOW, NODES_TAKEN, LIMIT_EXCEEDED. */
function checkOffer(offer: LendOffer | undefined, { nodes, minutes, price }: LeaseTerms, free: number): void {
  if (offer === undefined) throw new PeerAiError<PeerErrorCode>('LENDING_OFF', 'this peer lends no nodes now');
  if (minutes > offer.minutesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `this peer lends for ${offer.minutesMax} minutes at the most`, {
      minutesMax: offer.minutesMax,
    });
  if (price < leasePrice(offer.nodeHour, nodes, minutes))
    throw new PeerAiError<PeerErrorCode>('PRICE_TOO_LOW', 'this peer asks more for its nodes now');
  if (nodes > free)
    throw new PeerAiError<PeerErrorCode>('NODES_TAKEN', `${free} nodes are free for you, and ${nodes} were asked for`, {
      free,
    });
}
