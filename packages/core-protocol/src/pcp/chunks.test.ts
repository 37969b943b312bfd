import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import type { PeerId } from '../ports/index.ts';
import { seededRandom } from '../testing/index.ts';
import { encodeBase64 } from './legacy-fields.ts';
import { ChunkTable, type PcpPayload, pcpLimits, readPcpPayload, splitTransfer } from './index.ts';

const random = seededRandom(5);
const [alice, bob] = ['alice', 'bob'] as readonly string[] as readonly [PeerId, PeerId];
type Chunk = PcpPayload<'chunk'>;
let table: ChunkTable;
beforeEach(() => {
  table = new ChunkTable({ crypto });
});
const failure = (code: string) => expect.objectContaining({ code });
/** A chunk that says nothing of the whole, of a transfer with that number. */
const chunk = (transfer: number, index: number, total: number, data: Uint8Array): Chunk => ({
  transfer_id: transfer.toString(16).padStart(32, '0'),
  chunk_index: index,
  total_chunks: total,
  data: encodeBase64(data),
  checksum: toHex(crypto.sha256(data)).slice(0, 32),
});

describe('A transfer', () => {
  it('of 10 MiB is the same when its chunks come in another order and twice', () => {
    const bytes = random.bytes(pcpLimits.transferBytesMax);
    const chunks = splitTransfer(crypto, random.bytes(16), bytes);
    expect(chunks).toHaveLength(320);
    const order = chunks.map((one, place) => [(place * 7) % 320, one] as const).toSorted(([a], [b]) => a - b);
    const outcomes = order.flatMap(([, one], place) => [
      table.accept(alice, one, 0),
      ...(place === 319 ? [] : [table.accept(alice, one, 0)]),
    ]);
    const whole = outcomes.at(-1);
    if (whole?.state !== 'whole') throw new Error('not whole');
    expect(toHex(whole.sha256)).toBe(toHex(crypto.sha256(bytes)));
    expect(toHex(crypto.sha256(whole.bytes))).toBe(toHex(whole.sha256));
    expect(outcomes.filter(({ state }) => state === 'repeat')).toHaveLength(319);
    expect(table.heldBytes()).toBe(0);
    for (const one of chunks.slice(0, 2)) expect(table.accept(alice, one, 1).state).toBe('repeat');
    expect(readPcpPayload('chunk', chunks[0]).payload).toEqual(chunks[0]);
    expect(() => splitTransfer(crypto, random.bytes(16), new Uint8Array(pcpLimits.transferBytesMax + 1))).toThrow(
      failure('LIMIT_EXCEEDED'),
    );
  });

  it('comes back whatever its size, order and repeats', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.infiniteStream(fc.nat(1_000)), (size, picks) => {
        const bytes = seededRandom(size).bytes(size);
        const chunks = [...splitTransfer(crypto, random.bytes(16), bytes)];
        const own = new ChunkTable({ crypto });
        const repeats = chunks.slice(0, 1).filter(() => chunks.length > 1);
        let last;
        for (const one of repeats) own.accept(alice, one, 0);
        while (chunks.length > 0) {
          const [one] = chunks.splice((picks.next().value as number) % chunks.length, 1);
          if (one !== undefined) last = own.accept(alice, one, 0);
          if (last?.state === 'whole') break;
        }
        for (const one of chunks) last = own.accept(alice, one, 0);
        if (last?.state === 'repeat') return;
        expect(last).toMatchObject({ state: 'whole' });
        expect(last?.state === 'whole' && toHex(last.bytes)).toBe(toHex(bytes));
      }),
      { numRuns: 50 },
    );
  });

  it('asks for what is lost, as many as one request may name', () => {
    const data = random.bytes(8);
    table.accept(alice, chunk(1, 2, 5, data), 0);
    table.accept(alice, chunk(1, 4, 5, data), 0);
    expect(table.missing(alice, chunk(1, 0, 5, data).transfer_id)).toEqual([0, 1, 3]);
    expect(table.missing(bob, chunk(1, 0, 5, data).transfer_id)).toEqual([]);
    table.accept(alice, chunk(2, 0, 1_000, data), 0);
    const lost = table.missing(alice, chunk(2, 0, 5, data).transfer_id);
    expect(lost).toHaveLength(pcpLimits.resendIndexesMax);
    expect(lost.at(-1)).toBe(pcpLimits.resendIndexesMax);
  });

  it('is not mixed with another sender’s of the same id', () => {
    expect(table.accept(alice, chunk(1, 0, 2, random.bytes(4)), 0)).toEqual({ state: 'more', received: 1, total: 2 });
    expect(table.accept(bob, chunk(1, 1, 2, random.bytes(4)), 0)).toEqual({ state: 'more', received: 1, total: 2 });
  });

  it('is refused when a chunk lies about itself or the others', () => {
    const data = random.bytes(8);
    const first = chunk(1, 0, 3, data);
    table.accept(alice, first, 0);
    for (const wrong of [
      { ...chunk(1, 0, 3, random.bytes(8)) },
      { ...first, checksum: 'ab'.repeat(16) },
      { ...chunk(1, 1, 4, data) },
      { ...chunk(1, 1, 3, data), total_bytes: 9 },
      { ...chunk(1, 3, 3, data) },
      { ...chunk(2, 0, 0, data) },
      { ...first, data: '!' },
      chunk(2, 0, 1, new Uint8Array()),
    ]) {
      expect(() => table.accept(alice, wrong, 0)).toThrow(failure('INVALID_FORMAT'));
    }
    const { checksum: _, ...bare } = chunk(2, 0, 1, data);
    expect(() => table.accept(alice, bare, 0)).toThrow(failure('MISSING_FIELDS'));
    expect(table.heldBytes()).toBe(8 + pcpLimits.chunkOverheadBytes);
  });

  it('is dropped when the whole has another hash or size', () => {
    const data = random.bytes(8);
    const wrong = { ...chunk(1, 0, 1, data), sha256: 'ab'.repeat(32) };
    expect(() => table.accept(alice, wrong, 0)).toThrow(failure('HASH_MISMATCH'));
    expect(() => table.accept(alice, { ...chunk(2, 0, 1, data), total_bytes: 9 }, 0)).toThrow(failure('HASH_MISMATCH'));
    expect(() => table.accept(alice, { ...chunk(3, 0, 2, data), total_bytes: 7 }, 0)).toThrow(
      failure('LIMIT_EXCEEDED'),
    );
    expect(table.heldBytes()).toBe(0);
  });

  it('is dropped when it is not whole in time', () => {
    expect(table.nextExpiryMs()).toBeUndefined();
    table.accept(alice, chunk(1, 0, 2, random.bytes(4)), 1_000);
    expect(table.nextExpiryMs()).toBe(1_000 + pcpLimits.transferLifeMs);
    expect(table.expire(1_000 + pcpLimits.transferLifeMs - 1)).toEqual([]);
    expect(table.expire(1_000 + pcpLimits.transferLifeMs)).toEqual([
      { sender: alice, transferId: '00000000000000000000000000000001' },
    ]);
    expect(table.heldBytes()).toBe(0);
  });
});

describe('The table of transfers', () => {
  it('refuses what announces too much and keeps nothing of it', () => {
    const data = random.bytes(4);
    expect(() => table.accept(alice, chunk(1, 0, 1_000_000_000, data), 0)).toThrow(failure('LIMIT_EXCEEDED'));
    expect(() => table.accept(alice, chunk(1, 0, pcpLimits.chunksMax + 1, data), 0)).toThrow(failure('LIMIT_EXCEEDED'));
    const huge = { ...chunk(1, 0, 2, data), total_bytes: pcpLimits.transferBytesMax + 1 };
    expect(() => table.accept(alice, huge, 0)).toThrow(failure('LIMIT_EXCEEDED'));
    expect(table.heldBytes()).toBe(0);
    expect(table.accept(alice, chunk(1, 0, pcpLimits.chunksMax, data), 0).state).toBe('more');
    expect(
      table.accept(alice, { ...huge, transfer_id: 'ab'.repeat(16), total_bytes: pcpLimits.transferBytesMax }, 0).state,
    ).toBe('more');
  });

  it('takes a chunk of the limit and not one byte more', () => {
    expect(table.accept(alice, chunk(1, 0, 2, random.bytes(pcpLimits.chunkBytesMax)), 0).state).toBe('more');
    expect(() => table.accept(alice, chunk(2, 0, 2, random.bytes(pcpLimits.chunkBytesMax + 1)), 0)).toThrow(
      failure('INVALID_FORMAT'),
    );
  });

  it('ends a transfer that grows beyond the limit without having said so', () => {
    const piece = random.bytes(pcpLimits.chunkBytesMax);
    const same = chunk(1, 0, 400, piece);
    for (let index = 0; index < 320; index += 1) table.accept(alice, { ...same, chunk_index: index }, 0);
    expect(() => table.accept(alice, chunk(1, 320, 400, random.bytes(1)), 0)).toThrow(failure('LIMIT_EXCEEDED'));
    expect(table.heldBytes()).toBe(0);
  });

  it('holds a bounded number of transfers of one sender, and of all', () => {
    const data = random.bytes(4);
    for (let turn = 0; turn < pcpLimits.transfersMax; turn += 1) {
      const sender = `peer ${Math.floor(turn / pcpLimits.transfersPerSenderMax)}` as PeerId;
      expect(table.accept(sender, chunk(turn, 0, 2, data), 0).state).toBe('more');
    }
    expect(() => table.accept('another' as PeerId, chunk(0, 0, 2, data), 0)).toThrow(failure('LIMIT_REACHED'));
    expect(table.accept('peer 0' as PeerId, chunk(0, 1, 2, data), 0).state).toBe('whole');
    expect(table.accept('another' as PeerId, chunk(0, 0, 2, data), 0).state).toBe('more');
    expect(table.accept('another' as PeerId, chunk(0, 0, 2, data), pcpLimits.transferLifeMs).state).toBe('more');
    for (let turn = 1; turn < pcpLimits.transfersPerSenderMax; turn += 1)
      table.accept('another' as PeerId, chunk(turn, 0, 2, data), pcpLimits.transferLifeMs);
    expect(() => table.accept('another' as PeerId, chunk(99, 0, 2, data), pcpLimits.transferLifeMs)).toThrow(
      failure('LIMIT_REACHED'),
    );
  });

  it('knows so many that were whole again, and the one whole first is forgotten for one more', () => {
    const whole = (turn: number) => table.accept(alice, chunk(turn, 0, 1, Uint8Array.of(turn)), 0).state;
    for (let turn = 0; turn < pcpLimits.transfersMax; turn += 1) expect(whole(turn)).toBe('whole');
    expect(whole(0)).toBe('repeat');
    expect(whole(pcpLimits.transfersMax)).toBe('whole');
    expect([whole(1), whole(0)]).toEqual(['repeat', 'whole']);
  });

  it('holds bounded bytes of one sender, and of all, tiny chunks counted with their overhead', () => {
    const piece = random.bytes(pcpLimits.chunkBytesMax);
    const same = chunk(0, 0, 400, piece);
    const fill = (sender: PeerId): number => {
      for (let turn = 0; ; turn += 1) {
        try {
          const { transfer_id } = chunk(Math.floor(turn / 300), 0, 400, Uint8Array.of(1));
          table.accept(sender, { ...same, transfer_id, chunk_index: turn % 300 }, 0);
        } catch (error) {
          expect(error).toEqual(failure('LIMIT_REACHED'));
          return table.heldBytes(sender);
        }
      }
    };
    const share = pcpLimits.chunkBytesMax + pcpLimits.chunkOverheadBytes;
    expect(fill(alice)).toBe(Math.floor(pcpLimits.assemblySenderBytesMax / share) * share);
    // What is left is taken to its last byte.
    const last = (sender: PeerId, room: number): void => {
      const sized = (bytes: number) => chunk(9, 0, 400, piece.subarray(0, bytes - pcpLimits.chunkOverheadBytes));
      expect(() => table.accept(sender, sized(room + 1), 0)).toThrow(failure('LIMIT_REACHED'));
      expect(table.accept(sender, sized(room), 0).state).toBe('more');
    };
    last(alice, pcpLimits.assemblySenderBytesMax - table.heldBytes(alice));
    fill(bob);
    const carol = 'carol' as PeerId;
    fill(carol);
    last(carol, pcpLimits.assemblyBytesMax - table.heldBytes());
    expect(table.heldBytes()).toBe(pcpLimits.assemblyBytesMax);
    const tiny = new ChunkTable({ crypto });
    for (let turn = 0; turn < 100; turn += 1) tiny.accept(alice, chunk(1, turn, 200, Uint8Array.of(1)), 0);
    expect(tiny.heldBytes()).toBe(100 * (1 + pcpLimits.chunkOverheadBytes));
  });
});

const file = join(import.meta.dirname, '../../../../../shared/vectors/peer-protocol/chunk-01.json');
it.skipIf(!existsSync(file))(
  'reads the reference’s chunks (../shared/vectors/peer-protocol; skipped where absent)',
  () => {
    const vector = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly chunks: readonly object[];
      readonly serialized_hex: string;
    };
    const outcomes = vector.chunks.map((one) => table.accept(alice, readPcpPayload('chunk', one).payload as Chunk, 0));
    expect(outcomes.at(-1)).toMatchObject({ state: 'whole', bytes: fromHex(vector.serialized_hex) });
  },
);
