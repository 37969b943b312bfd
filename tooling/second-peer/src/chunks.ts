import { createHash } from 'node:crypto';
import { Refusal } from './refusal.ts';

/** One piece of a transfer, as docs/protocol/pcp.md says under "Chunks". */
export interface Chunk {
  readonly transfer_id: string;
  readonly chunk_index: number;
  readonly total_chunks: number;
  /** Padded base64. */
  readonly data: string;
  /** The first 32 hex digits of the piece's SHA-256. */
  readonly checksum?: string;
  readonly total_bytes?: number;
  /** SHA-256 of the whole, hex. */
  readonly sha256?: string;
}

const PIECE_BYTES = 32_768;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Cuts bytes into chunks. */
export function cut(whole: Buffer, transferId: string): Chunk[] {
  const count = Math.ceil(whole.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const piece = whole.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
    return {
      transfer_id: transferId,
      total_chunks: count,
      total_bytes: whole.length,
      sha256: sha256(whole),
      chunk_index: index,
      data: piece.toString('base64'),
      checksum: sha256(piece).slice(0, 32),
    };
  });
}

/** Puts chunks together, in whatever order they came. Throws HASH_MISMATCH or INVALID_FORMAT. */
export function join(chunks: readonly Chunk[]): Buffer {
  const pieces = new Map<number, Buffer>();
  for (const chunk of chunks) {
    const piece = Buffer.from(chunk.data, 'base64');
    if (chunk.checksum !== undefined && sha256(piece).slice(0, 32) !== chunk.checksum) {
      throw new Refusal('INVALID_FORMAT', 'a piece has another checksum');
    }
    pieces.set(chunk.chunk_index, piece);
  }
  const [first] = chunks;
  const inOrder = Array.from({ length: first?.total_chunks ?? 0 }, (_, index) => pieces.get(index));
  if (inOrder.includes(undefined)) throw new Refusal('INVALID_FORMAT', 'a piece is not there');
  const whole = Buffer.concat(inOrder.filter((piece) => piece !== undefined));
  if (first?.sha256 !== undefined && sha256(whole) !== first.sha256) {
    throw new Refusal('HASH_MISMATCH', 'the whole has another hash');
  }
  return whole;
}
