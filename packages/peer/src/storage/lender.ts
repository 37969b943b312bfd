import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  fromBase64Url,
  fromHex,
  type Identity,
  PeerAiError,
  type PeerId,
  type Shelf,
  type Store,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import {
  challengedLeaves,
  chunkIdOf,
  encodeShown,
  isMeteredOpen,
  issueStorageReceipt,
  type MeteredBook,
  meteredDue,
  type MeteredRecord,
  meteredMs,
  openMetered,
  openStorageReceipt,
  provenBy,
  readStorageReceipt,
  showLeaf,
  signStorageAnswer,
  type ShownLeaf,
  type StoredChunk,
} from '@peerai/ledger/market';
import type { PeerErrorCode } from '../errors.ts';
import { type LeaseToSettle, meteredToSettle } from '../market/escrowed-lease.ts';
import type { StorageParts } from '../market/room.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { storageLimits as limits } from './limits.ts';
import type { StorageOfferBook } from './offer.ts';
import { plainStorageAnswer, type StorageAnswer, type StorageQuestion } from './storage-protocol.ts';

export interface LenderDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly store: Store;
  readonly shelf: Shelf;
  readonly book: MeteredBook;
  readonly escrows: StorageParts['escrows'];
  readonly isCovered: StorageParts['isCovered'];
  readonly offer: StorageOfferBook;
  readonly changed: (lease: MeteredRecord) => MeteredRecord;
  /** Before a peer gets a new lease here. Throws REPUTATION_LOW. */
  readonly admit: (peer: PeerId) => void;
  readonly stopping: AbortSignal;
}
/** The lender's side: keeps chunks, shows leaves of them, and writes down what they come to. */
export interface Lender {
  answer(peer: PeerId, question: StorageQuestion): Promise<StorageAnswer>;
  heldBytes(lease: string): number;
  freeBytes(): number;
  /** Removes what was kept long enough after its lease. */
  look(): Promise<void>;
}

interface ChunkRow {
  readonly lease: string;
  readonly bytes: number;
}
/** A receipt that waits for the borrower's signature, with the question it answers: the same question gets the same receipt. */
interface PendingRow {
  readonly nonce: string;
  readonly half: string;
}

export async function openLender(deps: LenderDeps): Promise<Lender> {
  const { crypto, clock, store, shelf, book, identity } = deps;
  const chunkRows = records<ChunkRow>(store, 'chunk');
  const pendingRows = records<PendingRow>(store, 'pending');
  const byLease = new Map<string, Map<string, number>>();
  for await (const [key, { lease, bytes }] of chunkRows.all()) chunksOf(lease).set(key.slice(lease.length + 1), bytes);
  const serial = createMutex();

  function chunksOf(lease: string): Map<string, number> {
    const held = byLease.get(lease) ?? new Map<string, number>();
    byLease.set(lease, held);
    return held;
  }
  const fileOf = (lease: string, chunk: string): string => `storage/${lease}/${chunk}`;
  const heldBytes = (lease: string): number =>
    [...(byLease.get(lease)?.values() ?? [])].reduce((sum, one) => sum + one, 0);
  const listOf = (lease: string): StoredChunk[] => [...chunksOf(lease)].map(([id, bytes]) => ({ id, bytes }));
  const lent = (): MeteredRecord[] =>
    book.list().filter(({ role, terms }) => role === 'lender' && terms.resource === 'storage');
  const freeBytes = (): number => {
    // Over is not gone: what is still kept for a borrower takes room too.
    const taken = lent().reduce((sum, one) => sum + (isMeteredOpen(one) ? one.terms.unitsMax : heldBytes(one.id)), 0);
    return Math.max(0, (deps.offer.get()?.bytes ?? 0) - taken);
  };
  const find = (peer: PeerId, { lease }: StorageQuestion): MeteredRecord => {
    const record = book.get(toHex(lease ?? new Uint8Array()));
    if (record?.peer === peer && record.role === 'lender' && record.terms.resource === 'storage') return record;
    throw new PeerAiError<PeerErrorCode>('LEASE_UNKNOWN', 'this peer has no such lease of storage');
  };
  const needRunning = (record: MeteredRecord): void => {
    const isOver = clock.nowMs() >= record.sinceMs + meteredMs(record.terms);
    if (record.state !== 'active' || isOver)
      throw new PeerAiError<PeerErrorCode>('LEASE_OVER', 'the time of this lease is over');
  };

  /** Throws REPUTATION_LOW, NOT_OFFERED, PRICE_TOO_LOW, LIMIT_EXCEEDED for what is not to be had. */
  const wanted = (peer: PeerId, half: Uint8Array): LeaseToSettle => {
    const { terms, id } = openMetered(crypto, half);
    if (terms.borrower !== peer || terms.lender !== identity.peer || terms.resource !== 'storage')
      throw new PeerAiError('INVALID_FORMAT', 'a lease is offered by its borrower to its lender');
    if (book.get(toHex(id)) === undefined) {
      deps.admit(peer);
      const offer = deps.offer.get();
      if (offer === undefined) throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', 'this peer offers no storage');
      if (terms.unitPrice < offer.unitPrice)
        throw new PeerAiError<PeerErrorCode>('PRICE_TOO_LOW', 'this peer asks more for its storage now');
      const free = freeBytes();
      if (terms.unitsMax > free || terms.minutes > offer.minutesMax)
        throw new PeerAiError(
          'LIMIT_EXCEEDED',
          `${free} bytes are free here, for ${offer.minutesMax} minutes at the most`,
        );
    }
    return meteredToSettle(terms, toHex(id));
  };
  /** The chain may be slow to say what lies there: meanwhile others are served. */
  const accept = async (peer: PeerId, half: Uint8Array): Promise<StorageAnswer> => {
    await deps.escrows.check(wanted(peer, half), deps.stopping);
    return serial(async () => {
      wanted(peer, half);
      return { ...plainStorageAnswer, document: deps.changed(await book.accept(half)).lease };
    });
  };
  const needCovered = ({ id }: MeteredRecord): void => {
    if (!deps.isCovered(id))
      throw new PeerAiError<PeerErrorCode>(
        'ANSWERS_UNENDORSED',
        'endorse your last receipts under this lease for the contract first',
      );
  };
  const put = async (record: MeteredRecord, { chunk, data }: StorageQuestion): Promise<StorageAnswer> => {
    needRunning(record);
    needCovered(record);
    const [name, bytes] = [toHex(chunk ?? new Uint8Array()), data ?? new Uint8Array()];
    const held = chunksOf(record.id);
    if (held.has(name)) return plainStorageAnswer;
    // Shorter ones would be more leaves of a proof than one answer holds.
    if (bytes.length < limits.sealBytes || bytes.length > limits.chunkBytes + limits.sealBytes) {
      const most = limits.chunkBytes + limits.sealBytes;
      throw new PeerAiError('LIMIT_EXCEEDED', `a chunk has ${limits.sealBytes} to ${most} bytes`);
    }
    if (heldBytes(record.id) + bytes.length > record.terms.unitsMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `this lease is for ${record.terms.unitsMax} bytes`);
    if (chunkIdOf(crypto, bytes) !== name) throw new PeerAiError('HASH_MISMATCH', 'these bytes have another name');
    await shelf.write(fileOf(record.id, name), 0, bytes);
    await store.commit([chunkRows.put(`${record.id}/${name}`, { lease: record.id, bytes: bytes.length })]);
    held.set(name, bytes.length);
    return plainStorageAnswer;
  };
  const drop = async (lease: string, name: string): Promise<void> => {
    if (!chunksOf(lease).has(name)) return;
    await store.commit([chunkRows.remove(`${lease}/${name}`)]);
    chunksOf(lease).delete(name);
    await shelf.remove(fileOf(lease, name));
  };
  const read = async (lease: string, chunk: string): Promise<Uint8Array> => {
    const bytes = chunksOf(lease).get(chunk);
    if (bytes === undefined) throw new PeerAiError('NOT_FOUND', 'this chunk is not here');
    const content = await shelf.read(fileOf(lease, chunk), 0, bytes);
    if (content.length === bytes) return content;
    throw new PeerAiError('NOT_FOUND', 'this chunk is not here whole');
  };
  const sign = async (record: MeteredRecord, receipt: Uint8Array | undefined): Promise<MeteredRecord> => {
    if (receipt === undefined) return record;
    const before = book.get(record.id)?.n ?? 0;
    const signed = await book.receipt(receipt);
    if (signed.n > before) {
      await store.commit([pendingRows.remove(record.id)]);
      deps.changed(signed);
    }
    return signed;
  };
  /** What the bytes held since the receipt before come to; the time one proof pays for is bounded. */
  const nextReceipt = (record: MeteredRecord, proof: Uint8Array): Uint8Array => {
    const { lender, borrower } = record.terms;
    const last = record.receipt === undefined ? undefined : openStorageReceipt(crypto, record.receipt).receipt;
    const timeMs = Math.max(0, Math.trunc(clock.nowMs()));
    const endMs = record.sinceMs + meteredMs(record.terms);
    const countedMs = Math.min(Math.min(timeMs, endMs) - (last?.timeMs ?? timeMs), limits.proofGapMs);
    const byteMs = record.used + BigInt(last?.heldBytes ?? 0) * BigInt(Math.max(0, Math.trunc(countedMs)));
    const facts = { version: 1 as const, lease: fromHex(record.id), lender, borrower, n: record.n + 1, timeMs };
    return issueStorageReceipt(deps, {
      ...facts,
      heldBytes: heldBytes(record.id),
      byteMs,
      due: meteredDue(record.terms, byteMs),
      proof,
    });
  };
  const challenge = async (asked: MeteredRecord, { nonce, document }: StorageQuestion): Promise<StorageAnswer> => {
    const record = await sign(asked, document);
    needRunning(record);
    needCovered(record);
    if (nonce?.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'a challenge has 32 bytes');
    const waiting = await pendingRows.get(record.id);
    // Signed, and come back with its endorsement.
    const isSigned = waiting !== undefined && readStorageReceipt(fromBase64Url(waiting.half)).n <= record.n;
    const pending = isSigned ? undefined : waiting;
    const isSame = pending !== undefined && equalBytes(fromBase64Url(pending.nonce), nonce);
    // Two receipts of one place would be held against both.
    if (pending !== undefined && !isSame)
      throw new PeerAiError('RECEIPT_UNSIGNED', 'countersign the receipt of the challenge before first');
    const chunks = listOf(record.id);
    const shown: ShownLeaf[] = [];
    for (const { chunk, index } of challengedLeaves(crypto, nonce, chunks))
      shown.push(await showLeaf(crypto, chunk, await read(record.id, chunk), index));
    const leaves = shown.map(({ chunk, ...rest }) => ({ ...rest, path: [...rest.path], chunk: fromHex(chunk) }));
    // Checked here first: a disk that changed bytes is found before anything is signed for them.
    const proof = await provenBy(crypto, nonce, chunks, shown);
    const { lender, borrower } = record.terms;
    const answered = signStorageAnswer(deps, {
      version: 1,
      lease: fromHex(record.id),
      lender,
      borrower,
      n: record.n + 1,
      nonce,
      shown: crypto.sha256(encodeShown(shown, chunks)),
    });
    if (isSame) return { ...plainStorageAnswer, document: fromBase64Url(pending.half), leaves, answered };
    const half = nextReceipt(record, proof);
    await store.commit([pendingRows.put(record.id, { nonce: toBase64Url(nonce), half: toBase64Url(half) })]);
    return { ...plainStorageAnswer, document: half, leaves, answered };
  };

  return {
    heldBytes,
    freeBytes,
    answer: async (peer, question) => {
      const { kind, chunk, document } = question;
      if (kind === 'lease') return accept(peer, document ?? new Uint8Array());
      return serial(async () => {
        if (kind === 'offer') {
          const offer = deps.offer.get();
          if (offer === undefined) throw new PeerAiError<PeerErrorCode>('NOT_OFFERED', 'this peer offers no storage');
          const { unitPrice, minutesMax } = offer;
          return { ...plainStorageAnswer, unitPrice, minutesMax, freeBytes: freeBytes() };
        }
        const record = find(peer, question);
        if (kind === 'put') return put(record, question);
        if (kind === 'challenge') return challenge(record, question);
        const name = toHex(chunk ?? new Uint8Array());
        if (kind === 'get') return { ...plainStorageAnswer, data: await read(record.id, name) };
        if (kind === 'remove') await drop(record.id, name);
        else await sign(record, document);
        return plainStorageAnswer;
      });
    },
    look: () =>
      serial(async () => {
        for (const [lease, held] of byLease) {
          const record = book.get(lease);
          const isKept = record !== undefined && (record.endedMs ?? clock.nowMs()) + limits.keptMs > clock.nowMs();
          if (isKept) continue;
          for (const name of held.keys()) await drop(lease, name);
          await store.commit([pendingRows.remove(lease)]);
          byLease.delete(lease);
        }
      }),
  };
}
