import { beforeEach, describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { limits } from '../limits.ts';
import type { Network, PeerId } from '../ports/index.ts';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, seededRandom } from '../testing/index.ts';
import { type BlobSource, fetchBlob, serveBlobs } from './blob.ts';

const [here, there] = ['here', 'there'] as PeerId[] as [PeerId, PeerId];
const blob = seededRandom(3).bytes(3 * limits.blobPieceBytes + 17);
const sha256 = crypto.sha256(blob);
const signal = new AbortController().signal;
const failure = (code: string) => expect.objectContaining({ code });

let networks: MemoryNetworks;
let network: Network;
let server: Network;
const clock = new ManualClock();
let reads: [offset: number, count: number][];
beforeEach(() => {
  networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  network = networks.join(here);
  server = networks.join(there, { isGranted: (peer) => peer === here });
  reads = [];
});
const sourceOf = (bytes: Uint8Array): BlobSource => ({
  length: async () => bytes.length,
  async read(_, offset, count) {
    reads.push([offset, count]);
    return bytes.subarray(offset, offset + count);
  },
});
const fetch = (options: { have?: Uint8Array; bytesMax?: number; onPiece?: (piece: Uint8Array) => void } = {}) =>
  fetchBlob({ network, clock, crypto }, there, sha256, { signal, ...options });

describe('A blob', () => {
  it('comes whole, in pieces of the named size', async () => {
    serveBlobs(server, sourceOf(blob));
    expect(await fetch()).toEqual(blob);
    const piece = limits.blobPieceBytes;
    expect(reads).toEqual([
      [0, piece],
      [piece, piece],
      [2 * piece, piece],
      [3 * piece, 17],
    ]);
  });

  it('of no bytes comes too', async () => {
    serveBlobs(server, sourceOf(new Uint8Array()));
    const empty = crypto.sha256();
    expect(await fetchBlob({ network, clock, crypto }, there, empty, { signal })).toEqual(new Uint8Array());
  });

  it('goes on where an earlier try broke off, and asks only for the rest', async () => {
    const pieces: Uint8Array[] = [];
    const serving = serveBlobs(server, sourceOf(blob));
    const broken = fetch({
      onPiece(piece) {
        pieces.push(piece);
        if (pieces.length === 2) networks.cut(here, there);
      },
    });
    await expect(broken).rejects.toThrow(failure('CHANNEL_CLOSED'));
    networks.heal(here, there);
    reads = [];
    expect(await fetch({ have: concatBytes(...pieces) })).toEqual(blob);
    expect(reads[0]?.[0]).toBe(2 * limits.blobPieceBytes);
    reads = [];
    expect(await fetch({ have: blob })).toEqual(blob);
    expect(reads).toEqual([[blob.length, 0]]);
    serving[Symbol.dispose]();
  });

  it('is refused when its bytes are others than the hash says, from either side', async () => {
    const wrong = blob.slice();
    wrong[blob.length - 1] = (wrong[blob.length - 1] ?? 0) ^ 1;
    const serving = serveBlobs(server, sourceOf(wrong));
    await expect(fetch()).rejects.toThrow(failure('HASH_MISMATCH'));
    serving[Symbol.dispose]();
    serveBlobs(server, sourceOf(blob));
    await expect(fetch({ have: new Uint8Array(10) })).rejects.toThrow(failure('HASH_MISMATCH'));
    await expect(fetch({ have: concatBytes(blob, blob) })).rejects.toThrow(failure('INVALID_FORMAT'));
  });

  it('may be as long as the caller allows and no longer', async () => {
    serveBlobs(server, sourceOf(blob));
    expect(await fetch({ bytesMax: blob.length })).toEqual(blob);
    await expect(fetch({ bytesMax: blob.length - 1 })).rejects.toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('above the named limit is refused before memory is taken for it', async () => {
    serveBlobs(server, {
      length: async () => limits.blobBytesMax + 1,
      read: async (_, __, count) => new Uint8Array(count),
    });
    await expect(fetch({ bytesMax: Infinity })).rejects.toThrow(failure('LIMIT_EXCEEDED'));
  });

  it('that is not there, not for us, or lost while it is read says so', async () => {
    const serving = serveBlobs(server, { length: async () => undefined, read: async () => new Uint8Array() });
    await expect(fetch()).rejects.toThrow(failure('NOT_FOUND'));
    serving[Symbol.dispose]();
    serveBlobs(server, { length: async () => 5, read: async () => new Uint8Array() });
    await expect(fetch()).rejects.toThrow(failure('NOT_FOUND'));
    const stranger = networks.join('stranger' as PeerId);
    await expect(fetchBlob({ network: stranger, clock, crypto }, there, sha256, { signal })).rejects.toThrow(
      failure('REFUSED'),
    );
    await expect(fetchBlob({ network, clock, crypto }, there, new Uint8Array(31), { signal })).rejects.toThrow(
      failure('INVALID_FORMAT'),
    );
  });

  it('is waited for so long and no longer, from piece to piece', async () => {
    let isStuck = false;
    const source = sourceOf(blob);
    serveBlobs(server, {
      length: async () => blob.length,
      read: (hash, offset, count) => (isStuck ? new Promise(() => undefined) : source.read(hash, offset, count)),
    });
    let ended = 'waits';
    const codes = fetch({ onPiece: () => void (isStuck = true) }).then(
      () => (ended = 'whole'),
      (error: { readonly code: string }) => (ended = error.code),
    );
    await vi.waitFor(() => expect(isStuck).toBe(true));
    await clock.advance(limits.blobPieceMs - 1);
    expect(ended).toBe('waits');
    await clock.advance(1);
    expect(await codes).toBe('TIMEOUT');
  });

  it('stops when its caller goes', async () => {
    serveBlobs(server, sourceOf(blob));
    const controller = new AbortController();
    const fetching = fetchBlob({ network, clock, crypto }, there, sha256, {
      signal: controller.signal,
      onPiece: () => controller.abort(),
    });
    await expect(fetching).rejects.toThrow(failure('ABORTED'));
    expect(reads.length).toBeLessThan(5);
  });
});
