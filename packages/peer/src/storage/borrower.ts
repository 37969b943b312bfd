import {
  type Change,
  type Clock,
  type CryptoProvider,
  fromBase64Url,
  fromHex,
  type Identity,
  PeerAiError,
  type Random,
  type Store,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import {
  countersignStorage,
  encodeShown,
  falseAnswerEntry,
  meteredMs,
  type MeteredBook,
  type MeteredRecord,
  openStorageReceipt,
  provenBy,
  type StoredChunk,
} from '@peerai/ledger/market';
import type { PeerErrorCode } from '../errors.ts';
import { noting } from '../market/refused-receipts.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { isAnswered, keepFalseAnswer } from './false-answers.ts';
import { storageLimits as limits } from './limits.ts';
import { sealChunks, type SealedChunk, unsealChunk } from './seal.ts';
import type { StorageAnswer, StorageQuestion } from './storage-protocol.ts';

export interface BorrowerDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly book: MeteredBook;
  readonly changed: (lease: MeteredRecord) => MeteredRecord;
  readonly counted: (lease: MeteredRecord) => void;
  /** A receipt of it that this side did not sign. */
  readonly refused: (lease: MeteredRecord, receipt: Uint8Array) => Promise<void>;
  readonly ask: (
    lease: MeteredRecord,
    question: Partial<StorageQuestion> & Pick<StorageQuestion, 'kind'>,
    signal: AbortSignal,
  ) => Promise<StorageAnswer>;
}
/** A file of this peer at a lender. The key never leaves this store. */
export interface StoredFile {
  readonly id: string;
  readonly lease: string;
  readonly name: string;
  readonly bytes: number;
  /** Base64url, 32 bytes: of this file alone. */
  readonly key: string;
  /** Count of its chunks. */
  readonly chunks: number;
  readonly storedMs: number;
}
interface ChunkRow {
  readonly lease: string;
  readonly id: string;
  readonly bytes: number;
}
/** How proofs of one lease go. */
export interface ProofRow {
  /** Asked and not answered to the end: the same is asked again. Base64url. */
  readonly nonce?: string;
  readonly askedMs?: number;
  /** When the question was first asked that the newest receipt answers. */
  readonly provenMs?: number;
  readonly failures: number;
}
/** The borrower's side: seals, brings, fetches, and has it proven. */
export interface Borrower {
  files(): readonly StoredFile[];
  proof(lease: string): ProofRow;
  heldBytes(lease: string): number;
  put(lease: MeteredRecord, name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<StoredFile>;
  read(file: StoredFile, lease: MeteredRecord, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  remove(file: StoredFile, lease: MeteredRecord | undefined, signal: AbortSignal): Promise<void>;
  /** Throws RECEIPT_WRONG and what else the lender did wrong; what is counted as a failure stands in `proof`. */
  prove(lease: MeteredRecord, signal: AbortSignal): Promise<MeteredRecord>;
  /** The lender gets this side's newest signature. */
  tell(lease: MeteredRecord, signal: AbortSignal): Promise<void>;
}

/** What tells that a lender does not hold what it should; who is away or busy has not failed. */
export const failingCodes = [
  'RECEIPT_WRONG',
  'NOT_FOUND',
  'HASH_MISMATCH',
  'INVALID_FORMAT',
  'INVALID_SIGNATURE',
  'RECEIPT_UNSIGNED',
] as const;

export async function openBorrower(deps: BorrowerDeps): Promise<Borrower> {
  const { crypto, clock, random, store, book, ask } = deps;
  const fileRows = records<StoredFile>(store, 'file');
  const chunkRows = records<ChunkRow>(store, 'own');
  const proofRows = records<ProofRow>(store, 'proof');
  const files = new Map<string, StoredFile>();
  /** By file, in their order; those of no listed file were never finished, or are to be removed. */
  const chunks = new Map<string, Map<number, ChunkRow>>();
  const proofs = new Map<string, ProofRow>();
  for await (const [id, file] of fileRows.all()) files.set(id, file);
  for await (const [lease, proof] of proofRows.all()) proofs.set(lease, proof);
  for await (const [key, row] of chunkRows.all()) {
    const [file = '', place = ''] = key.split('/');
    chunksOf(file).set(Number.parseInt(place, 16), row);
  }
  const locks = new Map<string, ReturnType<typeof createMutex>>();
  const one = (lease: string): ReturnType<typeof createMutex> => {
    const lock = locks.get(lease) ?? createMutex();
    locks.set(lease, lock);
    return lock;
  };
  function chunksOf(file: string): Map<number, ChunkRow> {
    const known = chunks.get(file) ?? new Map<number, ChunkRow>();
    chunks.set(file, known);
    return known;
  }
  const keyOf = (file: string, place: number): string => `${file}/${place.toString(16).padStart(6, '0')}`;
  const proofOf = (lease: string): ProofRow => proofs.get(lease) ?? { failures: 0 };
  const note = async (lease: string, row: ProofRow): Promise<void> => {
    await store.commit([proofRows.put(lease, row)]);
    proofs.set(lease, row);
  };
  const heldOf = (lease: string): StoredChunk[] =>
    [...chunks.entries()].flatMap(([file, rows]) =>
      files.get(file)?.lease === lease ? [...rows.values()].map(({ id, bytes }) => ({ id, bytes })) : [],
    );
  const heldBytes = (lease: string): number => heldOf(lease).reduce((sum, { bytes }) => sum + bytes, 0);

  /** Removes at the lender what belongs to no file here: a put that broke off, a file that is to go. */
  const sweep = async (lease: MeteredRecord, signal: AbortSignal): Promise<void> => {
    for (const [file, rows] of chunks) {
      if (files.has(file)) continue;
      for (const [place, row] of rows) {
        if (row.lease !== lease.id) continue;
        await ask(lease, { kind: 'remove', chunk: fromHex(row.id) }, signal);
        await store.commit([chunkRows.remove(keyOf(file, place))]);
        rows.delete(place);
      }
      if (rows.size === 0) chunks.delete(file);
    }
  };
  const forget = async (file: string): Promise<void> => {
    const gone: Change[] = [...chunksOf(file).keys()].map((place) => chunkRows.remove(keyOf(file, place)));
    await store.commit([fileRows.remove(file), ...gone]);
    files.delete(file);
    chunks.delete(file);
  };
  const proveNow = async (before: MeteredRecord, signal: AbortSignal): Promise<MeteredRecord> => {
    const { id, receipt } = before;
    const held = heldOf(id);
    // Kept before it is asked: an answer that was lost is asked for again by the same question.
    const row = proofOf(id);
    const nonce = row.nonce === undefined ? random.bytes(32) : fromBase64Url(row.nonce);
    const askedMs = row.askedMs ?? clock.nowMs();
    if (row.nonce === undefined) await note(id, { ...row, nonce: toBase64Url(nonce), askedMs });
    const { document, leaves, answered } = await ask(before, { kind: 'challenge', nonce, document: receipt }, signal);
    if (document === undefined) throw new PeerAiError('INVALID_FORMAT', 'the lender’s receipt is missing');
    const shown = leaves.map(({ chunk, path, ...rest }) => ({ ...rest, chunk: toHex(chunk), path }));
    const isSigned = isAnswered(crypto, before, { nonce, shown: encodeShown(shown, held), answered });
    const proof = await provenBy(crypto, nonce, held, shown).catch(async (error: unknown) => {
      if (isSigned && answered !== undefined)
        await keepFalseAnswer(crypto, store, id, falseAnswerEntry(answered, encodeShown(shown, held)));
      throw error;
    });
    // Who does not stand by its answer is not paid for it.
    if (!isSigned)
      throw new PeerAiError<PeerErrorCode>('ANSWER_UNSIGNED', 'the lender did not sign its answer: is it up to date?');
    const previous = receipt === undefined ? undefined : openStorageReceipt(crypto, receipt).receipt;
    const sinceMs = row.provenMs ?? before.sinceMs;
    const known = {
      lease: fromHex(id),
      terms: before.terms,
      previous,
      heldBytes: heldBytes(id),
      proof,
      elapsedMs: Math.min(clock.nowMs() - sinceMs, limits.proofGapMs),
    };
    const full = await noting(
      () => countersignStorage(deps, document, known),
      () => deps.refused(before, document),
    );
    const after = await book.receipt(full);
    await note(id, { provenMs: askedMs, failures: 0 });
    deps.counted(after);
    return deps.changed(after);
  };
  const tell = async ({ id }: MeteredRecord, signal: AbortSignal): Promise<void> => {
    const lease = book.get(id);
    if (lease?.receipt !== undefined) await ask(lease, { kind: 'signed', document: lease.receipt }, signal);
  };
  const prove = async (lease: MeteredRecord, signal: AbortSignal): Promise<MeteredRecord> => {
    try {
      // A question that is still open is about what was held then.
      if (proofOf(lease.id).nonce === undefined) await sweep(lease, signal);
      const after = await proveNow(book.get(lease.id) ?? lease, signal);
      await tell(after, signal);
      return after;
    } catch (error) {
      const { nonce: _, askedMs: __, ...row } = proofOf(lease.id);
      if (PeerAiError.is(error, ...failingCodes)) await note(lease.id, { ...row, failures: row.failures + 1 });
      throw error;
    }
  };
  /** What is held changes only while no question is open. */
  const settled = async (lease: MeteredRecord, signal: AbortSignal): Promise<void> => {
    if (proofOf(lease.id).nonce !== undefined) await prove(lease, signal);
    await sweep(lease, signal);
  };
  const needRunning = ({ id, sinceMs, terms }: MeteredRecord): MeteredRecord => {
    const lease = book.get(id);
    if (lease?.state === 'active' && clock.nowMs() < sinceMs + meteredMs(terms)) return lease;
    throw new PeerAiError<PeerErrorCode>('LEASE_OVER', 'the time of this lease is over');
  };

  return {
    files: () => [...files.values()],
    proof: proofOf,
    heldBytes,
    tell: (lease, signal) => one(lease.id)(() => tell(lease, signal)),
    prove: (lease, signal) => one(lease.id)(() => prove(lease, signal)),
    put: (lease, name, bytes, signal) =>
      one(lease.id)(async () => {
        if (files.size >= limits.filesMax)
          throw new PeerAiError('LIMIT_REACHED', `${files.size} files are stored; remove one first`);
        needRunning(lease);
        await settled(lease, signal);
        const [id, key] = [toHex(random.bytes(16)), random.bytes(32)];
        const keep = async ({ place, sealed, chunk }: SealedChunk): Promise<void> => {
          const row = { lease: lease.id, id: chunk, bytes: sealed.length };
          await store.commit([chunkRows.put(keyOf(id, place), row)]);
          chunksOf(id).set(place, row);
          await ask(lease, { kind: 'put', chunk: fromHex(chunk), data: sealed }, signal);
        };
        const whole = await sealChunks(crypto, { id, key }, bytes, keep).catch(async (error: unknown) => {
          // What came of it is removed now, or before the next proof.
          await sweep(lease, signal).catch(() => undefined);
          throw error;
        });
        const facts = { id, lease: lease.id, name, key: toBase64Url(key), storedMs: clock.nowMs() };
        const file: StoredFile = { ...facts, ...whole };
        await store.commit([fileRows.put(id, file)]);
        files.set(id, file);
        await prove(needRunning(lease), signal);
        return file;
      }),
    async *read(file, lease, signal) {
      const rows = chunksOf(file.id);
      for (let place = 0; place < file.chunks; place += 1) {
        const row = rows.get(place);
        if (row === undefined) throw new PeerAiError('NOT_FOUND', 'a part of this file was never stored');
        const { data } = await ask(lease, { kind: 'get', chunk: fromHex(row.id) }, signal);
        yield unsealChunk(
          crypto,
          { id: file.id, key: fromBase64Url(file.key) },
          place,
          row.id,
          data ?? new Uint8Array(),
        );
      }
    },
    remove: (file, lease, signal) =>
      one(file.lease)(async () => {
        if (lease === undefined) return forget(file.id);
        if (lease.state === 'active') await settled(lease, signal);
        await store.commit([fileRows.remove(file.id)]);
        files.delete(file.id);
        await sweep(lease, signal);
      }),
  };
}
