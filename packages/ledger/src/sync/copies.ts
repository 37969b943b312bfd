import {
  type Checkpoint,
  type CryptoProvider,
  type Key,
  PeerAiError,
  type PeerId,
  parsePeerId,
  type Store,
  utf8,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { Verification, VerifyOptions } from '../log/check.ts';
import { damageOf } from '../log/damaged.ts';
import { consistencyPath, inclusionPath, rootOf } from '../log/merkle.ts';
import { openCheckpoint } from '../log/note.ts';
import { bytesOf, type NumberedEntry, readRows } from '../log/open.ts';
import { encodeProof } from '../log/proof-file.ts';
import { allRows, encodeHead, headKey } from '../log/rows.ts';
import { addEntry, type LogState } from '../log/state.ts';
import { subtreeReader } from '../log/tiles.ts';
import { createTrainingClaims, isTrainingClaim, type TrainingClaims } from '../log/training-claim.ts';
import { createLocks } from '../receipt/locks.ts';
import {
  bare,
  claimPrefix,
  evidenceOfGrowth,
  evidenceOfSize,
  forked,
  type PrefixClaim,
} from '../witness/equivocation.ts';
import { checkClaim, checkForeign } from './check-range.ts';
import { type CopyState, emptyCopy, encodePart, fits, loadCopy, partKey } from './copy-rows.ts';
import { copyLimits as limits } from './limits.ts';
import { proveUnder } from './stored.ts';
import { verifyCopy } from './verify-copy.ts';

export interface CopiesDeps {
  /** A room of its own, with a room in it for each log. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
  /** Whose log is not copied: ours. */
  readonly self: PeerId;
}
/** How much is here of one log. */
export interface CopyView {
  readonly origin: PeerId;
  /** Entries that are here, the first ones. */
  readonly size: bigint;
  /** Entries that the newest checkpoint speaks of. */
  readonly headSize: bigint;
  /** Bytes of the entries. */
  readonly bytes: number;
  /** With its writer’s signature alone. */
  readonly note: string;
}
/** Copies of other peers' logs: taken a range at a time, each range proven under a signed checkpoint before it is kept. */
export interface Copies {
  /** Throws LEDGER_DAMAGED for a copy whose rows were changed; remove it and fetch it again. */
  view(origin: PeerId): Promise<CopyView | undefined>;
  list(): Promise<readonly PeerId[]>;
  /**
   * Takes the range that follows what is here. `consistency` leads from the end of the range to the checkpoint (RFC 6962; empty when that is the same).
   * Nothing of a range is kept unless all of it is right, and a copy that was begun under a checkpoint is finished under it. Throws INVALID_ENTRY (`details.index`), FORKED (`details.evidence`) when the checkpoint and one
   * that is held prove a fork, PROOF_WRONG when the range is not what was signed, INVALID_FORMAT when it does not begin where the copy ends or under
   * another checkpoint than the one it is finished under, LIMIT_EXCEEDED, LIMIT_REACHED (bytes, origins), INVALID_SIGNATURE, what the store throws.
   */
  accept(
    checkpoint: Checkpoint,
    from: bigint,
    entries: readonly Uint8Array[],
    consistency: readonly Uint8Array[],
  ): Promise<void>;
  /** Entries of a copy. Throws NOT_FOUND for a log that is not held here, LEDGER_DAMAGED. */
  entries(origin: PeerId, from: bigint, to: bigint): AsyncIterable<NumberedEntry>;
  read(origin: PeerId, from: bigint, to: bigint): AsyncIterable<Uint8Array>;
  /** Proof file under the checkpoint that is held. Throws NOT_IN_LOG unless the copy is whole and has the entry, NOT_FOUND. */
  prove(origin: PeerId, index: bigint): Promise<Uint8Array>;
  /** The same under another checkpoint of that log, of as many entries as are here or fewer; whether it is of this history, the proof itself shows. Throws NOT_IN_LOG, NOT_FOUND. */
  proveUnder(origin: PeerId, index: bigint, note: string): Promise<Uint8Array>;
  /** RFC 6962 consistency within what is here. Throws NOT_IN_LOG, NOT_FOUND. */
  consistency(origin: PeerId, size1: bigint, size2: bigint): Promise<readonly Uint8Array[]>;
  /** What the checkpoint that is held says of a smaller size. Nothing unless the copy is whole and larger. */
  prefix(origin: PeerId, size: bigint): Promise<PrefixClaim | undefined>;
  /** Compares a checkpoint that somebody showed with what is here. Throws FORKED when the two prove a fork. */
  compare(note: string): Promise<void>;
  /** Every byte of a copy. Throws NOT_FOUND. */
  verify(origin: PeerId, options?: VerifyOptions): Promise<Verification>;
  remove(origin: PeerId): Promise<void>;
}

export function createCopies({ store, crypto, self }: CopiesDeps): Copies {
  const locks = createLocks();
  /** Copies that were loaded, each with the edge of its tree: a few kilobytes. */
  const loaded = new Map<PeerId, CopyState>();
  /** What those logs say of training rounds, read from the copy once. */
  const claimed = new Map<PeerId, TrainingClaims>();
  const roomOf = (origin: PeerId): Store => store.room(origin);
  const known = (origin: PeerId): Key => `copy/${origin}`;
  const list = async (): Promise<PeerId[]> => {
    const origins: PeerId[] = [];
    for await (const { key } of store.range('copy/', 'copy0')) origins.push(parsePeerId(key.slice('copy/'.length)));
    return origins;
  };
  const load = async (origin: PeerId): Promise<CopyState | undefined> => {
    const held = loaded.get(origin) ?? (await loadCopy(crypto, roomOf(origin), origin));
    if (held !== undefined) loaded.set(origin, held);
    return held;
  };
  const find = async (origin: PeerId): Promise<CopyState> => {
    const held = await load(origin);
    if (held === undefined) throw new PeerAiError('NOT_FOUND', 'the log of that peer is not held here', { origin });
    return held;
  };
  const readerOf = (origin: PeerId) => subtreeReader(crypto, roomOf(origin));
  const claimsOf = async (origin: PeerId, size: bigint): Promise<TrainingClaims> => {
    const known = claimed.get(origin);
    if (known !== undefined) return known.fork();
    const claims = createTrainingClaims(crypto, origin);
    for await (const { entry } of readRows(roomOf(origin), 0n, size, false))
      if (isTrainingClaim(entry.kind)) checkClaim(claims, entry);
    return claims;
  };
  const compareWith = async (held: CopyState, note: string): Promise<void> => {
    const { origin, size } = openCheckpoint(crypto, note);
    if (held.note === '') return;
    const same = evidenceOfSize(crypto, held.note, note);
    if (same !== undefined) throw forked(origin, same);
    const isWhole = held.range.size === held.head.size;
    if (!isWhole || size === 0n || size >= held.head.size) return;
    const claim = await claimPrefix(crypto, readerOf(origin), size, held.head.size);
    const evidence = evidenceOfGrowth(crypto, note, held.note, claim);
    if (evidence !== undefined) throw forked(origin, evidence);
  };
  const keep = async (origin: PeerId, next: CopyState, rows: Map<Key, Uint8Array>, isNew: boolean): Promise<void> => {
    const room = roomOf(origin);
    const { range, note, last, path, bytes } = next;
    rows.set(headKey, encodeHead({ version: 1, size: range.size, note, range: range.hashes, last }));
    rows.set(partKey, encodePart({ path, bytes }));
    const changes = [...rows].map(([key, value]) => room.put(key, value));
    await store.commit(isNew ? [...changes, store.put(known(origin), utf8('1'))] : changes);
    loaded.set(origin, next);
  };
  return {
    list,
    async view(origin) {
      const held = await load(origin);
      if (held === undefined) return undefined;
      const { range, head, bytes, note } = held;
      return { origin, size: range.size, headSize: head.size, bytes, note };
    },
    accept: (checkpoint, from, entries, consistency) => {
      // Others' lines under it are as long as who sent it likes, and it is told on.
      const note = bare(crypto, checkpoint.note);
      const head = openCheckpoint(crypto, note);
      const { origin } = head;
      if (origin === self) throw new PeerAiError('INVALID_FORMAT', 'our own log is not copied from others');
      if (entries.length > limits.rangeEntriesMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.rangeEntriesMax} entries in one range`);
      return locks.run(origin, async () => {
        const before = await load(origin);
        if (before === undefined && (await list()).length >= limits.originsMax)
          throw new PeerAiError('LIMIT_REACHED', `copies of ${limits.originsMax} logs are kept already`);
        const held = before ?? emptyCopy(crypto, origin);
        await compareWith(held, note);
        if (from !== held.range.size)
          throw new PeerAiError('INVALID_FORMAT', `the copy ends at ${held.range.size}, not at ${from}`, {
            size: held.range.size,
          });
        const isBehind = held.range.size < held.head.size;
        if (head.size < held.head.size || (isBehind && head.size > held.head.size))
          throw new PeerAiError(
            'INVALID_FORMAT',
            `the copy is taken under the checkpoint of ${held.head.size} entries first`,
          );
        const rows = new Map<Key, Uint8Array>();
        let edge: Omit<LogState, 'note'> = held;
        let { bytes } = held;
        let claims: TrainingClaims | undefined;
        for (const entry of entries) {
          const checked = checkForeign(crypto, entry, { index: edge.range.size, previous: edge.last, origin });
          if (isTrainingClaim(checked.kind)) {
            claims ??= await claimsOf(origin, held.range.size);
            checkClaim(claims, checked);
          }
          edge = addEntry(crypto, edge, entry, rows);
          bytes += entry.length;
        }
        if (bytes > limits.bytesPerOriginMax)
          throw new PeerAiError('LIMIT_REACHED', `at most ${limits.bytesPerOriginMax} bytes of one log are kept`);
        const { range, tails, last } = edge;
        const next: CopyState = { range, tails, last, note, head, path: consistency, bytes };
        if (!fits(crypto, next))
          throw new PeerAiError<LedgerErrorCode>('PROOF_WRONG', 'these entries are not what the checkpoint signs', {
            origin,
            from,
          });
        await keep(origin, next, rows, before === undefined);
        if (claims !== undefined) claimed.set(origin, claims);
      });
    },
    async *entries(origin, from, to) {
      const { range } = await find(origin);
      yield* readRows(roomOf(origin), from, to < range.size ? to : range.size, false);
    },
    async *read(origin, from, to) {
      yield* bytesOf(this.entries(origin, from, to));
    },
    async prove(origin, index) {
      const { range, head, note } = await find(origin);
      if (range.size !== head.size || index < 0n || index >= range.size)
        throw new PeerAiError('NOT_IN_LOG', `${range.size} of ${head.size} entries are here`, { index });
      return encodeProof({ index, note, path: await inclusionPath(crypto, readerOf(origin), index, range.size) });
    },
    async proveUnder(origin, index, note) {
      const { range } = await find(origin);
      if (openCheckpoint(crypto, note).size > range.size)
        throw new PeerAiError('NOT_IN_LOG', `${range.size} entries of that log are here`, { size: range.size });
      return proveUnder(crypto, roomOf(origin), index, note);
    },
    async consistency(origin, size1, size2) {
      const { range } = await find(origin);
      if (size1 <= 0n || size1 > size2 || size2 > range.size)
        throw new PeerAiError('NOT_IN_LOG', `${range.size} entries are here`, { size: range.size });
      return consistencyPath(crypto, readerOf(origin), size1, size2);
    },
    async prefix(origin, size) {
      const held = await load(origin);
      if (held === undefined || held.range.size !== held.head.size || size <= 0n || size > held.head.size)
        return undefined;
      if (size === held.head.size) return { root: rootOf(crypto, held.range), path: [] };
      return claimPrefix(crypto, readerOf(origin), size, held.head.size);
    },
    async compare(note) {
      const held = await load(openCheckpoint(crypto, note).origin);
      if (held !== undefined) await compareWith(held, note);
    },
    async verify(origin, options) {
      const room = roomOf(origin);
      if ((await room.get(headKey)) === undefined)
        throw new PeerAiError('NOT_FOUND', 'the log of that peer is not held here', { origin });
      try {
        const state = await loadCopy(crypto, room, origin);
        return await verifyCopy(
          { crypto, origin, state, entries: (to) => bytesOf(readRows(room, 0n, to, false)) },
          options,
        );
      } catch (error) {
        const firstBad = damageOf(error);
        if (firstBad === undefined) throw error;
        return { ok: false, size: 0n, checked: 0n, receipts: 0, rounds: 0, firstBad };
      }
    },
    remove: (origin) =>
      locks.run(origin, async () => {
        const room = roomOf(origin);
        const changes = [store.put(known(origin))];
        for await (const { key } of room.range(allRows.from, allRows.to)) changes.push(room.put(key));
        await store.commit(changes);
        loaded.delete(origin);
        claimed.delete(origin);
      }),
  };
}
