import {
  callMethod,
  type Clock,
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Network,
  PeerAiError,
  type PeerId,
} from '@peerai/core-protocol';
import {
  isOpen,
  type LeaseBook,
  leaseMs,
  type LeaseRecord,
  nextWorkHash,
  openLease,
  readLeaseReceipt,
} from '@peerai/ledger/lease';
import { noting } from '../market/refused-receipts.ts';
import type { Devices } from '../pairing/devices.ts';
import { type LeaseAnswer, leaseMethod, type LeaseQuestion, plainQuestion } from './lending-protocol.ts';
import { type Job, type Jobs } from './jobs.ts';
import { lendingLimits as limits } from './limits.ts';
import type { NodeEscrows } from './node-escrows.ts';

export interface BorrowerDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly devices: Devices;
  readonly book: LeaseBook;
  readonly escrows: Pick<NodeEscrows, 'open'>;
  readonly jobs: Jobs;
  readonly changed: (lease: LeaseRecord) => void;
  /** The lender's receipt is wrong: ends the lease with a signature, and tells it. */
  readonly dispute: (id: string, reason: string) => Promise<unknown>;
  /** And kept before, where it proves that to others. */
  readonly refused: (lease: LeaseRecord, receipt: Uint8Array) => Promise<void>;
  readonly stopping: AbortSignal;
}
/** The borrower's side: a job on a lease, from the offer to the last signature, through restarts of either peer. */
export interface Borrower {
  /**
   * Does what is left of a job. When it throws, or `signal` fires, the lease is ended first; what was signed for is kept.
   * Throws what the lender says, RECEIPT_WRONG, PEER_UNREACHABLE, TIMEOUT, ABORTED.
   */
  drive(id: string, signal: AbortSignal): Promise<LeaseRecord>;
  /** After the run that is under way, whose receipt is signed; with the cluster as it is then. Throws NOT_FOUND. */
  giveBack(id: string): Promise<void>;
  /** Last words that have not arrived go out again, to this peer or to all. */
  settleUp(peer?: PeerId): Promise<void>;
}

/** Codes after which a try may go better. */
const passing = [
  'PEER_UNREACHABLE',
  'CHANNEL_CLOSED',
  'TIMEOUT',
  'LIMIT_REACHED',
  'STORE_FULL',
  'ABORTED',
  'ANSWERS_UNENDORSED',
] as const;

export function createBorrower(deps: BorrowerDeps): Borrower {
  const { clock, crypto, book, jobs, stopping } = deps;
  const driven = new Map<string, Promise<unknown>>();
  /** Given back by their owner, with a run still under way. */
  const ending = new Set<string>();
  const told = (lease: LeaseRecord): LeaseRecord => {
    deps.changed(lease);
    return lease;
  };
  const ask = async (
    lease: LeaseRecord,
    question: Partial<LeaseQuestion> & Pick<LeaseQuestion, 'kind'>,
    signal: AbortSignal,
  ): Promise<LeaseAnswer> => {
    const addresses = deps.devices.get(lease.peer)?.addresses ?? [];
    const full = { ...plainQuestion, id: fromHex(lease.id), receipt: lease.receipt, ...question };
    return callMethod(deps, lease.peer, leaseMethod, full, { signal, addresses });
  };
  /** Tries again what a bad line or a restart of the other side broke off, until `untilMs`. */
  const patiently = async <T>(untilMs: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const lostMs = clock.nowMs() + limits.lostMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const mayPass = PeerAiError.is(error, ...passing) && !signal.aborted && !stopping.aborted;
        if (!mayPass || clock.nowMs() + limits.againMs >= Math.min(untilMs, lostMs)) throw error;
        await clock.sleep(limits.againMs, signal);
      }
    }
  };

  async function begin(lease: LeaseRecord, signal: AbortSignal): Promise<void> {
    const beforeMs = clock.nowMs();
    await deps.escrows.open(lease, signal);
    // A block takes its time; the lender has as long as ever.
    const untilMs = lease.sinceMs + limits.offerMs + clock.nowMs() - beforeMs;
    const { lease: full } = await patiently(untilMs, signal, () =>
      ask(lease, { kind: 'offer', lease: lease.lease, id: undefined }, signal),
    );
    if (full === undefined) throw new PeerAiError('INVALID_FORMAT', 'the lender’s signature is missing');
    if (!equalBytes(openLease(crypto, full).id, fromHex(lease.id)))
      throw new PeerAiError('INVALID_FORMAT', 'the lender signed another lease');
    told(await book.accepted(full));
  }

  async function run(lease: LeaseRecord, job: Job, n: number, inputs: Uint8Array, signal: AbortSignal): Promise<void> {
    const state = n === 1 ? await jobs.start(lease.id) : undefined;
    const endMs = lease.sinceMs + leaseMs(lease.terms);
    const answer = await patiently(endMs, signal, () => ask(lease, { kind: 'run', n, inputs, state }, signal));
    const { outputs, receipt } = answer;
    const rows = inputs.length / 8 / job.inputs;
    if (outputs === undefined || receipt === undefined || outputs.length !== rows * job.nodes * 8)
      throw new PeerAiError('INVALID_FORMAT', 'the lender’s answer is not what was asked for');
    const last = lease.receipt === undefined ? undefined : readLeaseReceipt(lease.receipt);
    const expected = {
      steps: (last?.steps ?? 0) + rows,
      bytesIn: (last?.bytesIn ?? 0) + inputs.length + (state?.length ?? 0),
      bytesOut: (last?.bytesOut ?? 0) + outputs.length,
      workHash: nextWorkHash(crypto, last?.workHash, { inputs, outputs }),
    };
    await noting(
      () => book.countersign(lease.id, receipt, expected, () => jobs.ran(lease.id, n, outputs)),
      () => deps.refused(lease, receipt),
    );
    told(await book.booked(lease.id, answer.booked));
  }

  /** The cluster as it is now, checked against the last receipt. */
  async function fetchState(lease: LeaseRecord, signal: AbortSignal): Promise<void> {
    if (lease.receipt === undefined || (await jobs.ended(lease.id))) return;
    const untilMs = clock.nowMs() + limits.lostMs;
    const { state } = await patiently(untilMs, signal, () => ask(lease, { kind: 'state' }, signal));
    if (state === undefined || !equalBytes(crypto.sha256(state), readLeaseReceipt(lease.receipt).stateHash))
      throw new PeerAiError('HASH_MISMATCH', 'the cluster that came back is not the one the receipt names');
    await jobs.end(lease.id, state);
  }

  async function work(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const lease = recordOf(book, id);
      if (ending.has(id)) {
        await fetchState(lease, signal);
        return;
      }
      if (lease.progress.state === 'offered') await begin(lease, signal);
      else if (lease.progress.state !== 'active') return;
      else {
        const job = await jobs.get(id);
        const n = lease.progress.signed.n + 1;
        const inputs = job === undefined ? undefined : await jobs.inputsOf(id, job, n);
        if (job === undefined || inputs === undefined) {
          await fetchState(lease, signal);
          return;
        }
        await run(lease, job, n, inputs, signal);
      }
    }
  }

  /** The last word of a lease; answered, it is over on both sides. */
  async function settle(id: string): Promise<LeaseRecord> {
    const lease = recordOf(book, id);
    const disputed = lease.progress.state === 'disputed';
    const { booked } = await ask(lease, { kind: 'settle', disputed }, stopping);
    return told(await book.booked(id, booked));
  }
  const settled = async (id: string): Promise<void> => {
    await settle(id).catch(() => undefined);
  };

  const toTheEnd: Borrower['drive'] = async (id, signal) => {
    const both = AbortSignal.any([signal, stopping]);
    try {
      await work(id, both);
    } catch (error) {
      // A stop is no end: the next start goes on.
      if (stopping.aborted) throw error;
      const isWrong = PeerAiError.is(error, 'RECEIPT_WRONG', 'INVALID_SIGNATURE', 'HASH_MISMATCH');
      if (isWrong && recordOf(book, id).end === undefined) await deps.dispute(id, error.message);
      else told(await book.end(id));
      await settled(id);
      throw error;
    }
    told(await book.end(id));
    await settled(id);
    return recordOf(book, id);
  };

  return {
    async drive(id, signal) {
      const driving = toTheEnd(id, signal);
      driven.set(id, driving);
      try {
        return await driving;
      } finally {
        driven.delete(id);
      }
    },
    async giveBack(id) {
      ending.add(id);
      // How the job ended is for who began it.
      await driven.get(id)?.catch(() => undefined);
      ending.delete(id);
      told(await book.end(id));
      if (recordOf(book, id).progress.state === 'closing') await settled(id);
    },
    async settleUp(peer) {
      const owed = book
        .list()
        .filter(({ progress }) => progress.role === 'borrower' && progress.state === 'closing')
        .filter((lease) => peer === undefined || lease.peer === peer);
      for (const { id } of owed) await settled(id);
    },
  };
}

/** Throws NOT_FOUND. */
function recordOf(book: LeaseBook, id: string): LeaseRecord {
  const lease = book.get(id);
  if (lease === undefined) throw new PeerAiError('NOT_FOUND', 'there is no such lease here');
  return lease;
}

/** Leases whose job is not done: for the next start. */
export const unfinished = (book: LeaseBook): LeaseRecord[] =>
  book
    .list()
    .filter((lease) => lease.progress.role === 'borrower' && isOpen(lease) && lease.progress.state !== 'closing');
