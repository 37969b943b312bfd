import { equalBytes, toHex } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Clock, CryptoProvider, Network, PeerId, Protocol } from '../ports/index.ts';
import { type CallOptions, type Method, serveMethod, streamMethod } from '../rpc/index.ts';
import { bytes, message, uint53 } from '../wire/index.ts';

/** Where blobs come from: a file, a row of the store. */
export interface BlobSource {
  /** Length in bytes of the blob with this SHA-256, or undefined when we have none or this peer may not have it. */
  length(sha256: Uint8Array, peer: PeerId): Promise<number | undefined>;
  /** At most `count` bytes from `offset`; fewer only at the end. */
  read(sha256: Uint8Array, offset: number, count: number): Promise<Uint8Array>;
}
export interface BlobOptions {
  readonly signal: AbortSignal;
  /** What an earlier try brought: only the rest is asked for. */
  readonly have?: Uint8Array;
  /** Below `limits.blobBytesMax`, when the caller knows how long the blob may be. */
  readonly bytesMax?: number;
  readonly addresses?: readonly string[];
  /** Another name that the same messages go by; `blobProtocol` unless said. */
  readonly protocol?: Protocol;
  /** Each piece as it comes, not yet checked: keep it for `have`, show progress, use it for nothing else. */
  readonly onPiece?: (piece: Uint8Array, totalBytes: number) => void;
}

const request = message({ sha256: bytes(1), offset: uint53(2) });
const response = message({ totalBytes: uint53(1), piece: bytes(2) });
type Piece = ReturnType<typeof response.decode>;
type Wanted = ReturnType<typeof request.decode>;

/** `/peerai/blob/1`: one hash asked, pieces from an offset on. */
export const blobProtocol: Protocol = {
  id: '/peerai/blob/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.blobPieceBytes + 1_024,
  priority: 'low',
  channelsPerPeerMax: 4,
};
const methodOf = (protocol: Protocol): Method<Wanted, Piece> => ({
  protocol,
  request,
  response,
  timeoutMs: limits.blobPieceMs,
});

/** Gives blobs to peers that were granted something; `source.length` may say no to one of them. */
export function serveBlobs(network: Network, source: BlobSource, protocol = blobProtocol): Disposable {
  return serveMethod(network, methodOf(protocol), async function* ({ sha256, offset }, { peer }) {
    if (sha256.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'a SHA-256 has 32 bytes');
    const totalBytes = await source.length(sha256, peer);
    if (totalBytes === undefined) throw new PeerAiError('NOT_FOUND', 'there is no such blob here for you');
    if (offset > totalBytes) throw new PeerAiError('INVALID_FORMAT', 'the offset is behind the end', { totalBytes });
    let place = offset;
    do {
      const piece = await source.read(sha256, place, Math.min(limits.blobPieceBytes, totalBytes - place));
      if (piece.length === 0 && place < totalBytes) throw new PeerAiError('NOT_FOUND', 'the blob is gone');
      place += piece.length;
      yield { totalBytes, piece };
    } while (place < totalBytes);
  });
}

/**
 * The blob whose SHA-256 this is, whole and checked. Memory: the blob once.
 *
 * Throws NOT_FOUND, HASH_MISMATCH (the other side, or `have`, is wrong: start again without `have`), LIMIT_EXCEEDED, and what `streamMethod`
 * throws; after CHANNEL_CLOSED or TIMEOUT the pieces of `onPiece` may be given as `have`.
 */
export async function fetchBlob(
  deps: { readonly network: Network; readonly clock: Clock; readonly crypto: CryptoProvider },
  peer: PeerId,
  sha256: Uint8Array,
  options: BlobOptions,
): Promise<Uint8Array> {
  const { signal, have = new Uint8Array(), bytesMax = limits.blobBytesMax, addresses, onPiece } = options;
  const method = methodOf(options.protocol ?? blobProtocol);
  const call: CallOptions = { signal, ...(addresses === undefined ? {} : { addresses }) };
  let whole: Uint8Array | undefined;
  let place = have.length;
  for await (const { totalBytes, piece } of streamMethod(deps, peer, method, { sha256, offset: place }, call)) {
    whole ??= start(have, totalBytes, Math.min(bytesMax, limits.blobBytesMax));
    if (totalBytes !== whole.length || place + piece.length > whole.length || piece.length > limits.blobPieceBytes) {
      throw new PeerAiError('INVALID_FORMAT', 'a piece does not fit the blob it belongs to');
    }
    whole.set(piece, place);
    place += piece.length;
    onPiece?.(piece, totalBytes);
  }
  if (whole === undefined || place !== whole.length) throw new PeerAiError('CHANNEL_CLOSED', 'the blob broke off');
  if (!equalBytes(deps.crypto.sha256(whole), sha256)) {
    throw new PeerAiError('HASH_MISMATCH', 'the bytes are not those of the hash that was asked for', {
      sha256: toHex(sha256),
    });
  }
  return whole;
}

/** Memory for the whole only after its length was found allowed. */
function start(have: Uint8Array, totalBytes: number, bytesMax: number): Uint8Array {
  if (totalBytes > bytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a blob of ${totalBytes} bytes; at most ${bytesMax}`, {
      totalBytes,
      bytesMax,
    });
  }
  if (have.length > totalBytes) throw new PeerAiError('HASH_MISMATCH', 'more is here than the blob is long');
  const whole = new Uint8Array(totalBytes);
  whole.set(have);
  return whole;
}
