import { concatBytes, equalBytes, fromHex, toHex } from '../bytes.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { missingField, pcpError, wrongField } from './errors.ts';
import type { PcpPayload } from './kinds.ts';
import { decodeBase64, encodeBase64 } from './legacy-fields.ts';
import { pcpLimits } from './limits.ts';

type Chunk = PcpPayload<'chunk'>;

/**
 * What travels as one `chunk` message each: every one names the transfer, its size and the SHA-256 of the whole.
 * Throws LIMIT_EXCEEDED (above 10 MiB), INVALID_FORMAT (no bytes at all, or no 16 bytes of `transferId`).
 */
export function splitTransfer(crypto: CryptoProvider, transferId: Uint8Array, bytes: Uint8Array): readonly Chunk[] {
  if (transferId.length !== 16) throw wrongField('transfer_id');
  if (bytes.length === 0) throw wrongField('data');
  if (bytes.length > pcpLimits.transferBytesMax) throw tooLarge(bytes.length);
  const size = pcpLimits.chunkBytesMax;
  const total = Math.ceil(bytes.length / size);
  const whole = {
    transfer_id: toHex(transferId),
    total_chunks: total,
    total_bytes: bytes.length,
    sha256: toHex(crypto.sha256(bytes)),
  };
  return Array.from({ length: total }, (_, index) => {
    const piece = bytes.subarray(index * size, (index + 1) * size);
    return { ...whole, chunk_index: index, data: encodeBase64(piece), checksum: checksumOf(crypto, piece) };
  });
}

/** The reference's checksum of one chunk: the first 32 hex digits of its SHA-256. */
const checksumOf = (crypto: CryptoProvider, piece: Uint8Array): string => toHex(crypto.sha256(piece)).slice(0, 32);
const tooLarge = (size: number) =>
  pcpError('LIMIT_EXCEEDED', `a transfer of ${size} bytes; at most ${pcpLimits.transferBytesMax}`);

interface Transfer {
  readonly sender: PeerId;
  readonly id: string;
  readonly total: number;
  readonly totalBytes: number | undefined;
  readonly sha256: string | undefined;
  readonly expiresMs: number;
  readonly pieces: Map<number, Uint8Array>;
  bytes: number;
}
export type ChunkOutcome =
  | { readonly state: 'more'; readonly received: number; readonly total: number }
  /** This chunk was here already, or its whole transfer was. */
  | { readonly state: 'repeat' }
  | { readonly state: 'whole'; readonly bytes: Uint8Array; readonly sha256: Uint8Array };

/**
 * Transfers that are not whole yet, in bounded memory: nothing is set aside for what is only announced. Chunks may come in any order and
 * more than once. The clock is an argument. Give it only chunks whose sender was proven.
 */
export class ChunkTable {
  readonly #crypto: CryptoProvider;
  readonly #transfers = new Map<string, Transfer>();
  /** Finished ones with the time they are forgotten: a late repeat must not open a transfer that never ends. */
  readonly #finished = new Map<string, number>();

  constructor(deps: { readonly crypto: CryptoProvider }) {
    this.#crypto = deps.crypto;
  }

  /** Bytes held, each chunk with its overhead; of one sender or of all. */
  heldBytes(sender?: PeerId): number {
    return this.#of(sender).reduce(
      (sum, { bytes, pieces }) => sum + bytes + pieces.size * pcpLimits.chunkOverheadBytes,
      0,
    );
  }

  /**
   * Takes one chunk. Throws INVALID_FORMAT, MISSING_FIELDS (neither `checksum` nor `sha256`), HASH_MISMATCH (the whole's: then the transfer is
   * dropped), LIMIT_EXCEEDED (the transfer is or gets too large), LIMIT_REACHED (no room now; `details.retryAfterMs`).
   */
  accept(sender: PeerId, chunk: Chunk, nowMs: number): ChunkOutcome {
    this.expire(nowMs);
    const piece = this.#readPiece(chunk);
    const name = `${sender} ${chunk.transfer_id.toLowerCase()}`;
    if (this.#finished.has(name)) return { state: 'repeat' };
    const known = this.#transfers.get(name);
    const transfer = known ?? open(sender, chunk, nowMs);
    if (!fits(transfer, chunk)) throw wrongField('total_chunks');
    const before = transfer.pieces.get(chunk.chunk_index);
    if (before !== undefined) {
      if (!equalBytes(before, piece)) throw wrongField('chunk_index');
      return { state: 'repeat' };
    }
    const bytes = transfer.bytes + piece.length;
    if (bytes > (transfer.totalBytes ?? pcpLimits.transferBytesMax)) {
      this.#transfers.delete(name);
      throw tooLarge(bytes);
    }
    this.#checkRoom(sender, piece, known === undefined);
    this.#transfers.set(name, transfer);
    transfer.pieces.set(chunk.chunk_index, piece);
    transfer.bytes = bytes;
    const { total, pieces } = transfer;
    return pieces.size < total ? { state: 'more', received: pieces.size, total } : this.#finish(name, transfer, nowMs);
  }

  /** A transfer that was whole and could not be kept: it may come again. */
  forget(sender: PeerId, transferId: string): void {
    this.#finished.delete(`${sender} ${transferId.toLowerCase()}`);
  }

  /** What a `chunk_resend` asks for: the first lost ones, lowest first. Empty for a transfer that is not here. */
  missing(sender: PeerId, transferId: string): readonly number[] {
    const transfer = this.#transfers.get(`${sender} ${transferId.toLowerCase()}`);
    const lost: number[] = [];
    for (let index = 0; index < (transfer?.total ?? 0) && lost.length < pcpLimits.resendIndexesMax; index += 1) {
      if (!transfer?.pieces.has(index)) lost.push(index);
    }
    return lost;
  }

  /** When the next unfinished transfer is dropped, wall time; undefined while there is none. */
  nextExpiryMs(): number | undefined {
    const times = Array.from(this.#transfers.values(), ({ expiresMs }) => expiresMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Drops what is not whole in time, and says what that was. */
  expire(nowMs: number): readonly { readonly sender: PeerId; readonly transferId: string }[] {
    for (const [name, expiresMs] of this.#finished) if (expiresMs <= nowMs) this.#finished.delete(name);
    const late = Array.from(this.#transfers).filter(([, { expiresMs }]) => expiresMs <= nowMs);
    for (const [name] of late) this.#transfers.delete(name);
    return late.map(([, { sender, id }]) => ({ sender, transferId: id }));
  }

  #of(sender?: PeerId): readonly Transfer[] {
    const all = [...this.#transfers.values()];
    return sender === undefined ? all : all.filter((transfer) => transfer.sender === sender);
  }

  #readPiece({ data, checksum, sha256, chunk_index, total_chunks }: Chunk): Uint8Array {
    if (total_chunks < 1) throw wrongField('total_chunks');
    if (total_chunks > pcpLimits.chunksMax) {
      throw pcpError('LIMIT_EXCEEDED', `a transfer of ${total_chunks} chunks; at most ${pcpLimits.chunksMax}`);
    }
    if (chunk_index >= total_chunks) throw wrongField('chunk_index');
    if (checksum === undefined && sha256 === undefined) throw missingField('sha256');
    const piece = decodeBase64('data', data);
    if (piece.length === 0 || piece.length > pcpLimits.chunkBytesMax) throw wrongField('data');
    if (checksum !== undefined && checksum.toLowerCase() !== checksumOf(this.#crypto, piece))
      throw wrongField('checksum');
    return piece;
  }

  #checkRoom(sender: PeerId, piece: Uint8Array, isNew: boolean): void {
    const more = piece.length + pcpLimits.chunkOverheadBytes;
    const isFull =
      this.heldBytes() + more > pcpLimits.assemblyBytesMax ||
      this.heldBytes(sender) + more > pcpLimits.assemblySenderBytesMax ||
      (isNew &&
        (this.#transfers.size >= pcpLimits.transfersMax || this.#of(sender).length >= pcpLimits.transfersPerSenderMax));
    if (!isFull) return;
    throw pcpError('LIMIT_REACHED', 'too many unfinished transfers', { retryAfterMs: pcpLimits.transferLifeMs });
  }

  #finish(name: string, { total, totalBytes, bytes, sha256, pieces }: Transfer, nowMs: number): ChunkOutcome {
    this.#transfers.delete(name);
    const whole = concatBytes(...Array.from({ length: total }, (_, index) => pieces.get(index) ?? new Uint8Array()));
    const hash = this.#crypto.sha256(whole);
    if ((totalBytes ?? bytes) !== bytes || (sha256 !== undefined && !equalBytes(fromHex(sha256), hash))) {
      throw pcpError('HASH_MISMATCH', 'the chunks do not make what was announced');
    }
    const oldest = this.#finished.size >= pcpLimits.transfersMax ? this.#finished.keys().next().value : undefined;
    if (oldest !== undefined) this.#finished.delete(oldest);
    this.#finished.set(name, nowMs + pcpLimits.transferLifeMs);
    return { state: 'whole', bytes: whole, sha256: hash };
  }
}

/** Throws LIMIT_EXCEEDED. */
function open(sender: PeerId, chunk: Chunk, nowMs: number): Transfer {
  const { transfer_id: id, total_chunks: total, total_bytes: totalBytes, sha256 } = chunk;
  if ((totalBytes ?? 0) > pcpLimits.transferBytesMax) throw tooLarge(totalBytes ?? 0);
  return {
    sender,
    id,
    total,
    totalBytes,
    sha256,
    expiresMs: nowMs + pcpLimits.transferLifeMs,
    pieces: new Map(),
    bytes: 0,
  };
}

/** All chunks of a transfer announce the same. */
const fits = ({ total, totalBytes, sha256 }: Transfer, chunk: Chunk): boolean =>
  total === chunk.total_chunks && totalBytes === chunk.total_bytes && sha256 === chunk.sha256;
