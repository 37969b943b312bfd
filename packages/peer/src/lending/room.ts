import { fromBase64Url, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { isOpen, leasePrice, type LeaseRecord, openLeaseBook } from '@peerai/ledger/lease';
import { type Cluster, createCluster, restoreCluster } from '@peerai/nn-engine/cluster';
import type { z } from 'zod';
import type { PeerErrorCode } from '../errors.ts';
import { createBorrower, unfinished } from './borrower.ts';
import { createDesk } from './desk.ts';
import { createDisputes } from './disputes.ts';
import { type HeldAnswer, heldElsewhere, type HeldQuestion, showHeld } from './elsewhere.ts';
import { createGauge } from './gauge.ts';
import { createJobs } from './jobs.ts';
import type { NodeLending, NodeLendingDeps } from './lending.ts';
import type { borrowRequestSchema, LendingView } from './lending.schema.ts';
import type { LeaseAnswer, LeaseQuestion, NodesAnswer } from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';
import { workLoad } from './load.ts';
import { openNodeEscrows } from './node-escrows.ts';
import { askForNodes, findNodes } from './nodes.ts';
import { type LendOffer, microOf, openOffer } from './offer.ts';
import { leaseNamed } from './lease-named.ts';
import { leasesView, leaseView, measuredView } from './views.ts';
import { encodeNumbers, vectorsPerRun } from './work.ts';

/** What lending does once it is used: a peer that neither lends nor borrows loads none of it. */
export interface LendingRoom extends Omit<NodeLending, 'start' | 'stop' | 'met' | 'review'> {
  answer(peer: PeerId, question: LeaseQuestion): Promise<LeaseAnswer>;
  nodesFor(peer: PeerId): NodesAnswer;
  /** For other lenders. Throws LENDING_OFF. */
  held(asked: HeldQuestion): HeldAnswer;
  met(peer: PeerId): void;
  cutOff(peer: PeerId): void;
  /** Goes on with what was under way. */
  resume(): void;
  closed(): Promise<void>;
}

export async function openLendingRoom(
  deps: NodeLendingDeps & { readonly mayBorrow: (peer: PeerId) => boolean },
): Promise<LendingRoom> {
  const { clock, crypto, nameOf, devices, events, logger, stopping } = deps;
  const store = deps.store.room('lending');
  const book = await openLeaseBook({ ...deps, store: deps.store.room('leases'), besides: besidesOf(deps) });
  const offer = await openOffer(store);
  const jobs = createJobs(deps.store.room('borrowing'));
  const running = new Set<Promise<unknown>>();
  const quiet = (task: Promise<unknown>): void => {
    const one = task
      .catch((error: unknown) => logger.debug('lending', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }))
      .finally(() => running.delete(one));
    running.add(one);
  };
  const news = (lease: LeaseRecord): void => {
    events.emit({ type: 'lease-changed', lease: leaseView(lease, nameOf) });
    watch();
  };
  const { settlement } = deps.commons().market;
  const escrows = await openNodeEscrows({ ...deps, settlement, book, news });
  const changed = (lease: LeaseRecord): void => {
    news(lease);
    quiet(escrows.follow(lease));
  };
  const desk = createDesk({
    ...deps,
    self: deps.identity.peer,
    store,
    book,
    escrows,
    offer: () => offer.get(),
    changed,
    admit: (peer) => deps.commons().reputation.admit(peer),
    heldElsewhere: (borrower) => heldElsewhere({ ...deps, self: deps.identity.peer }, borrower),
  });
  const disputes = createDisputes({ ...deps, book, changed, dropped: (id) => desk.dropped(id), quiet });
  const borrower = createBorrower({
    ...deps,
    book,
    escrows,
    jobs,
    changed,
    dispute: (id, reason) => disputes.dispute(id, reason),
    refused: (lease, receipt) => disputes.refused(lease, receipt),
  });
  const gauge = createGauge({
    clock,
    read: deps.machine,
    load: () => workLoad(deps.answering(), deps.tasks.list(), deps.settings),
  });

  let watching = false;
  /** Looks at time while there is a lease that it may end. */
  const watch = (): void => {
    if (watching || stopping.aborted || !book.list().some(isOpen)) return;
    watching = true;
    const looking = async (): Promise<void> => {
      try {
        while (book.list().some(isOpen)) {
          await clock.sleep(limits.lookMs, stopping);
          await desk.look();
          await escrows.look();
        }
      } finally {
        watching = false;
      }
    };
    quiet(looking());
  };
  let measuring: AbortController | undefined;
  /** Measures while nodes are lent. */
  const measure = (): void => {
    if (offer.get() === undefined) measuring?.abort();
    if (offer.get() === undefined || measuring?.signal.aborted === false) return;
    const stop = (measuring = new AbortController());
    const both = AbortSignal.any([stop.signal, stopping]);
    const looking = async (): Promise<void> => {
      while (!both.aborted) {
        gauge.look();
        await clock.sleep(limits.measureEveryMs, both);
      }
    };
    quiet(looking());
  };
  const own = (): LendingView => {
    const off = { nodes: 0, each: 0, nodeHour: 0n, minutesMax: 0 };
    const { nodes, each, nodeHour, minutesMax, everywhere }: LendOffer = offer.get() ?? off;
    const taken = book
      .list()
      .filter(({ progress }) => progress.role === 'lender' && progress.state === 'active')
      .reduce((sum, { terms }) => sum + terms.nodes, 0);
    const free = Math.max(0, nodes - taken);
    const facts = { nodes, free, each, everywhere: everywhere ?? null, nodeHourMicro: `${nodeHour}`, minutesMax };
    return { v: 1, lending: nodes > 0, ...facts, ...measuredView(gauge.mean()) };
  };
  const find = (text: string): LeaseRecord => leaseNamed(book.list(), text);
  const detail = async (lease: LeaseRecord) => {
    const result = await jobs.result(lease, (bytes) => toHex(crypto.sha256(bytes)));
    return { v: 1 as const, lease: leaseView(lease, nameOf), ...(result === undefined ? {} : { result }) };
  };
  /** Keeps the newest results. */
  const tidy = async (): Promise<void> => {
    const over = book.list().filter((lease) => lease.progress.role === 'borrower' && !isOpen(lease));
    const old = over.slice(0, Math.max(0, over.length - limits.resultsKept)).map(({ id }) => id);
    const kept = await Promise.all(old.map(async (id) => ((await jobs.get(id)) === undefined ? [] : [id])));
    await jobs.remove(kept.flat());
  };

  return {
    own: async () => own(),
    async lend(wish) {
      const { nodes, each = Math.ceil(nodes / 2), credits, minutesMax, everywhere } = wish;
      const together = everywhere === undefined ? {} : { everywhere };
      await offer.set({ nodes, each: Math.min(each, nodes), nodeHour: microOf(credits), minutesMax, ...together });
      measure();
      return own();
    },
    async stopLending() {
      await offer.set(undefined);
      measure();
      return own();
    },
    free: (signal) => findNodes(deps, signal),
    list: async () => leasesView(book, nameOf),
    get: async (text) => detail(find(text)),
    async borrow(wish, signal) {
      const device = devices.find(wish.peer);
      const cluster = clusterOf(wish);
      const { inputs, size } = cluster;
      const start = cluster.encode();
      if (start.length > limits.stateBytesMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `a saved cluster that moves has at most ${limits.stateBytesMax} bytes`);
      const numbers = numbersOf(wish.vectors, inputs, size);
      const said = await askForNodes(deps, device, signal);
      if (said.nodes === 0) throw new PeerAiError<PeerErrorCode>('LENDING_OFF', `${device.name} lends no nodes now`);
      const most = wish.creditsMax === undefined ? undefined : microOf(wish.creditsMax);
      if (most !== undefined && said.nodeHour > most)
        throw new PeerAiError<PeerErrorCode>('PRICE_TOO_HIGH', `${device.name} asks more than that for its nodes`, {
          nodeHourMicro: `${said.nodeHour}`,
        });
      const price = leasePrice(said.nodeHour, size, wish.minutes);
      const job = { inputs, vectors: wish.vectors.length, perRun: vectorsPerRun(cluster), nodes: size };
      const terms = { lender: device.peer, nodes: size, minutes: wish.minutes, price };
      const { id } = await book.offer(terms, (_, name) => jobs.begin(name, job, start, encodeNumbers(numbers)));
      changed(find(id));
      const driving = borrower.drive(id, signal);
      quiet(driving);
      const lease = await driving;
      await tidy();
      return detail(lease);
    },
    async giveBack(text) {
      const lease = find(text);
      if (!isOpen(lease))
        throw new PeerAiError('LEASE_STATE', 'this lease is over already', { state: lease.progress.state });
      if (lease.progress.role === 'lender') await desk.end(lease);
      else await borrower.giveBack(lease.id);
      return detail(find(lease.id));
    },
    async dispute(text, reason) {
      const { lease, evidence } = await disputes.dispute(find(text).id, reason);
      return { v: 1, lease: leaseView(lease, nameOf), evidence };
    },
    evidence: async (text, reason) => ({ v: 1, evidence: await disputes.evidence(find(text), reason) }),
    answer: (peer, question) =>
      question.kind === 'dispute' ? disputes.heard(peer, question) : desk.answer(peer, question),
    nodesFor(peer) {
      const { nodes, nodeHour, minutesMax } = offer.get() ?? { nodes: 0, nodeHour: 0n, minutesMax: 0 };
      const { load, processor, memory, agoMs = 0, windowMs = 0 } = gauge.mean() ?? {};
      return { nodes, free: desk.freeFor(peer), nodeHour, minutesMax, load, processor, memory, agoMs, windowMs };
    },
    held: (asked) => showHeld(book, offer.get(), asked),
    met(peer) {
      quiet(borrower.settleUp(peer));
      disputes.tellAgain(peer);
    },
    cutOff: (peer) => quiet(desk.cutOff(peer)),
    resume() {
      measure();
      watch();
      for (const { id } of unfinished(book)) quiet(borrower.drive(id, stopping));
      quiet(desk.look());
      quiet(borrower.settleUp());
      disputes.tellAgain();
    },
    async closed() {
      await Promise.all(running);
    },
  };
}

const besidesOf =
  ({ commons }: Pick<NodeLendingDeps, 'commons'>) =>
  (peer: PeerId) =>
    commons().market.besides(peer);

type Wish = z.output<typeof borrowRequestSchema>;

/** Throws INVALID_FORMAT, INVALID_OPTION, LIMIT_REACHED. */
function clusterOf({ cluster, vectors }: Wish): Cluster {
  if ('state' in cluster) return restoreCluster(fromBase64Url(cluster.state));
  return createCluster({ ...cluster, inputs: vectors[0]?.length ?? 0 });
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
function numbersOf(vectors: readonly (readonly number[])[], inputs: number, nodes: number): Float64Array {
  if (vectors.some(({ length }) => length !== inputs))
    throw new PeerAiError('INVALID_FORMAT', `each vector has ${inputs} numbers, as the cluster has inputs`);
  if (vectors.length * Math.max(inputs, nodes) > limits.jobValuesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.jobValuesMax} numbers go in or come back on one lease`);
  return Float64Array.from(vectors.flat());
}
