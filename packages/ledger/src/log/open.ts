import {
  type Change,
  type Checkpoint,
  type Clock,
  type CryptoProvider,
  type EntryBody,
  type Identity,
  type Ledger,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checkBody, decodeEntry, type Entry } from './entry.ts';
import { consistencyPath, inclusionPath } from './merkle.ts';
import { encodeProof } from './proof-file.ts';
import { decodeEntryRow, entryKey } from './rows.ts';
import { subtreeReader } from './tiles.ts';
import type { Verification, VerifyOptions } from './check.ts';
import { damaged, orDamaged } from './damaged.ts';
import { createLocks } from '../receipt/locks.ts';
import { createLogEnd } from './state.ts';
import { createWriter } from './writer.ts';

export interface LedgerDeps {
  /** A room of its own. */
  readonly store: Store;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs'>;
}
export interface NumberedEntry {
  readonly index: bigint;
  readonly entry: Entry;
  /** Leaf hash, 32 bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}
/** Our own log. Other peers' logs are not held here: asked for one, every method throws NOT_FOUND. */
export interface OwnLedger extends Ledger {
  readonly origin: PeerId;
  /** Entries on disk; 0 while it is damaged. */
  readonly size: bigint;
  /** Why nothing is appended now: it is damaged and was opened all the same, or `hold` said so. */
  readonly refusal: PeerAiError | undefined;
  /** Appends wait for this; how it ends does not matter. */
  pause(until: Promise<unknown>): void;
  /** Every append is refused with this, also those that wait already; `undefined` lets them in again. A damaged log stays closed. */
  hold(reason: PeerAiError | undefined): void;
  /** `read` with places and hashes, decoded. `reverse`: newest first. Throws LEDGER_DAMAGED. */
  entries(from: bigint, to: bigint, options?: { readonly reverse?: boolean }): AsyncIterable<NumberedEntry>;
  /** RFC 6962 consistency between two of our heads, oldest hashes as in section 2.1.2. Throws NOT_IN_LOG unless 0 < size1 ≤ size2 ≤ size. */
  proveConsistency(size1: bigint, size2: bigint): Promise<readonly Uint8Array[]>;
  /** Runs work on the room while nothing is appended, then reads the log anew: what was damaged may be whole. Throws what the work and `openLedger` throw. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Checks every byte of what is stored; see `verifyLedger`. */
  verify(options?: VerifyOptions): Promise<Verification>;
}

export interface OpenOptions {
  /** Opens a damaged log too: every use but `verify` and `exclusive` throws what is wrong with it until work in `exclusive` has put it right. */
  readonly evenDamaged?: boolean;
}

/**
 * Opens this peer's log, or begins one. An `append` is durable when it resolves, in the order of the calls; those that arrive
 * together share one commit and one signature, and while it is written the next is prepared. A failed commit leaves the log as it was and
 * rejects the appends in it; no entry is ever written behind one that is not there.
 * `append` throws LIMIT_EXCEEDED, LIMIT_REACHED, INVALID_FORMAT, and what the store throws.
 * Throws LEDGER_DAMAGED with `details.index` (nothing can be appended to such a log; `verifyLedger` still reads it), NOT_OUR_LOG.
 */
export async function openLedger(deps: LedgerDeps, options: OpenOptions = {}): Promise<OwnLedger> {
  const { crypto, store, identity } = deps;
  const end = createLogEnd(deps);
  let held: PeerAiError | undefined;
  await end.load().catch((error: unknown) => {
    if (options.evenDamaged !== true || !PeerAiError.is(error, 'LEDGER_DAMAGED')) throw error;
  });
  const pauses = new Set<Promise<unknown>>();
  const whole = (): void => {
    if (end.damage !== undefined) throw end.damage;
  };
  const read = subtreeReader(crypto, store);
  const own = (origin: PeerId | undefined): void => {
    whole();
    if (origin === undefined || origin === identity.peer) return;
    throw new PeerAiError('NOT_FOUND', 'the log of that peer is not held here', { origin });
  };
  const turns = createLocks();
  const writer = createWriter({
    check: checkAppend,
    busy: () => (pauses.size > 0 ? Promise.allSettled(pauses) : undefined),
    begin(entries, alongside) {
      if (held !== undefined && end.damage === undefined) throw held;
      return end.begin(entries, alongside);
    },
    goBack: () => end.goBack(),
  });
  return {
    origin: identity.peer,
    get size() {
      return end.state.range.size;
    },
    get refusal() {
      return end.damage ?? held;
    },
    pause(until) {
      pauses.add(until);
      const over = (): void => void pauses.delete(until);
      void until.then(over, over);
    },
    hold(reason) {
      held = reason;
    },
    append: (entries, alongside = []) => writer.append(entries, alongside),
    checkpoint: async (origin): Promise<Checkpoint> => {
      own(origin);
      return { origin: identity.peer, size: end.state.range.size, note: end.state.note };
    },
    prove: async (index, origin) => {
      own(origin);
      const { range, note } = end.state;
      if (index < 0n || index >= range.size) throw notInLog(index, range.size);
      return encodeProof({ index, note, path: await inclusionPath(crypto, read, index, range.size) });
    },
    proveConsistency: async (size1, size2) => {
      whole();
      const { size } = end.state.range;
      if (size1 <= 0n || size1 > size2 || size2 > size) throw notInLog(size2, size);
      return consistencyPath(crypto, read, size1, size2);
    },
    read: (from, to, origin) => {
      own(origin);
      return bytesOf(readRows(store, from, min(to, end.state.range.size), false));
    },
    entries: (from, to, { reverse = false } = {}) => {
      whole();
      return readRows(store, from, min(to, end.state.range.size), reverse);
    },
    exclusive: (work) =>
      turns.run('', async () => {
        const over = Promise.withResolvers<void>();
        pauses.add(over.promise);
        try {
          await writer.idle();
          const result = await work();
          await end.load();
          return result;
        } finally {
          pauses.delete(over.promise);
          over.resolve();
        }
      }),
    async verify(how) {
      // A guest's tab has a log and never checks it: it fetches none of this.
      const { verifyLedger } = await import('./verify.ts');
      return verifyLedger({ store, crypto, origin: identity.peer }, how);
    },
  };
}

function checkAppend(entries: readonly EntryBody[], alongside: readonly Change[]): void {
  if (entries.length === 0) throw new PeerAiError('INVALID_FORMAT', 'nothing to append');
  if (entries.length > limits.appendEntriesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.appendEntriesMax} entries in one append`);
  }
  if (alongside.length > limits.appendChangesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.appendChangesMax} changes beside one append`);
  }
  for (const entry of entries) checkBody(entry);
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const notInLog = (index: bigint, size: bigint): PeerAiError =>
  new PeerAiError('NOT_IN_LOG', `the log has ${size} entries; ${index} is not among them`, { index, size });

/** Entries from `from` up to and without `to`, in order. Throws LEDGER_DAMAGED where one is missing. */
export async function* readRows(
  store: Store,
  from: bigint,
  to: bigint,
  reverse: boolean,
): AsyncIterable<NumberedEntry> {
  if (from < 0n || from >= to) return;
  let expected = reverse ? to - 1n : from;
  for await (const { key, value } of store.range(entryKey(from), entryKey(to), { reverse })) {
    const { leaf, bytes } = decodeEntryRow(value);
    if (key !== entryKey(expected)) throw damaged(expected, 'the entry is missing');
    yield { index: expected, entry: orDamaged(expected, () => decodeEntry(bytes)), hash: leaf, bytes };
    expected += reverse ? -1n : 1n;
  }
  if (expected !== (reverse ? from - 1n : to)) throw damaged(expected, 'the entry is missing');
}

/** Their bytes alone. */
export async function* bytesOf(entries: AsyncIterable<NumberedEntry>): AsyncIterable<Uint8Array> {
  for await (const { bytes } of entries) yield bytes;
}
