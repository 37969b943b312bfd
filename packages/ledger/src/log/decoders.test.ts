import { concatBytes, equalBytes, fromUtf8, PeerAiError, sealSigned, utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, test } from 'vitest';
import { all, crypto, flipped, ledgerWorld, note } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { issueReceipt } from '../receipt/issue.ts';
import { openReceipt, readReceipt } from '../receipt/receipt.ts';
import { toBase64 } from './base64.ts';
import { decodeEntry } from './entry.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { noteKeyId, openCheckpoint, signCheckpoint } from './note.ts';
import { decodeProof, encodeProof, verifyProof, withEntry } from './proof-file.ts';
import {
  decodeTrainingCommit,
  decodeTrainingReveal,
  encodeTrainingCommit,
  encodeTrainingReveal,
} from './training-claim.ts';
import { decodeTrainingRound, encodeTrainingRound } from './training-round.ts';

const rounds = 10_000;

/** One to three changes: a bit, a cut, a piece doubled, bytes put in. */
function mutated(input: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  let bytes = input;
  const [changes = 0] = random.bytes(1);
  for (let round = 0; round <= changes % 3; round += 1) {
    const [kind = 0, a = 0, b = 0, c = 0] = random.bytes(4);
    const place = ((a << 8) | b) % (bytes.length + 1);
    const [before, after] = [bytes.slice(0, place), bytes.slice(place)];
    if (kind % 4 === 0) bytes = concatBytes(before, after.slice(1 + (c % 40)));
    else if (kind % 4 === 1) bytes = concatBytes(before, random.bytes(c % 9), after);
    else if (kind % 4 === 2) bytes = concatBytes(before, before.slice(-(c % 30)), after);
    else if (after.length > 0)
      bytes = concatBytes(before, Uint8Array.of((after[0] ?? 0) ^ (1 << (c % 8))), after.slice(1));
  }
  return bytes;
}

/** Milliseconds; the machine may be busy once, an input that is slow is slow each time. */
function fastestOf(tries: number, work: () => unknown): number {
  let fastestMs = Infinity;
  for (let round = 0; round < tries && fastestMs > 50; round += 1) {
    const startMs = threadMs();
    work();
    fastestMs = Math.min(fastestMs, threadMs() - startMs);
  }
  return fastestMs;
}

async function samples() {
  const world = await ledgerWorld(50);
  const other = await ledgerWorld(51);
  await world.ledger.append([note('a'), note('b'), note('c')]);
  const [entry = new Uint8Array()] = await all(world.ledger.read(1n, 2n));
  const receipt = issueReceipt(world, undefined, {
    consumer: other.identity.peer,
    lease: utf8('lease'),
    requestId: 'r1',
    model: 'nano',
    usage: { promptTokens: 3, answerTokens: 4 },
    workHash: new Uint8Array(32),
  });
  const hash = new Uint8Array(32).fill(9);
  const own = sealSigned(world.identity, 'peerai/train/1 update', concatBytes(Uint8Array.of(10, 32), hash));
  const facts = { run: hash, round: 3, before: hash, after: hash, receipts: hash, counted: 2, refused: 1, own };
  const round = encodeTrainingRound(facts);
  return {
    entry,
    receipt,
    round,
    commit: encodeTrainingCommit({ run: hash, round: 3, base: hash, commitment: hash, instead: hash }),
    reveal: encodeTrainingReveal({ salt: hash, receipt: own }),
    proof: await world.ledger.prove(1n),
    whole: withEntry(await world.ledger.prove(1n), entry),
    note: utf8((await world.ledger.checkpoint()).note),
  };
}

describe(`${rounds} mutated inputs a decoder: our errors only, none over 50 ms, nothing forged`, () => {
  const cases = [
    ['entry', 'entry', (bytes: Uint8Array) => void decodeEntry(bytes)],
    ['receipt', 'receipt', (bytes: Uint8Array) => void openReceipt(crypto, bytes)],
    ['training round', 'round', (bytes: Uint8Array) => void decodeTrainingRound(bytes)],
    ['training commit', 'commit', (bytes: Uint8Array) => void decodeTrainingCommit(bytes)],
    ['training reveal', 'reveal', (bytes: Uint8Array) => void decodeTrainingReveal(bytes)],
    ['note', 'note', (bytes: Uint8Array) => void openCheckpoint(crypto, fromUtf8(bytes))],
    ['proof', 'proof', (bytes: Uint8Array) => void decodeProof(bytes)],
    ['proof with its entry', 'whole', (bytes: Uint8Array) => void decodeProof(bytes)],
  ] as const;
  for (const [name, sample, decode] of cases) {
    test(name, async () => {
      const original = (await samples())[sample];
      const random = seededRandom(name.length);
      const codes = new Map<string, number>();
      let slowestMs = 0;
      const attempt = (input: Uint8Array): string => {
        try {
          decode(input);
        } catch (error) {
          if (PeerAiError.is(error)) return error.code;
          // Bytes that are no UTF-8 are stopped by the decoder of text, before a note's.
          if (name === 'note' && error instanceof TypeError) return 'INVALID_FORMAT';
          throw error;
        }
        // What is signed cannot come out different: accepted means that the signed part is the same.
        if (name === 'receipt') expect(readReceipt(input)).toEqual(readReceipt(original));
        return 'ok';
      };
      for (let round = 0; round < rounds; round += 1) {
        const input = mutated(original, random);
        const code = attempt(input);
        codes.set(code, (codes.get(code) ?? 0) + 1);
        slowestMs = Math.max(
          slowestMs,
          fastestOf(3, () => attempt(input)),
        );
      }
      expect(codes.get('INVALID_FORMAT') ?? 0).toBeGreaterThan(rounds / 10);
      expect(slowestMs).toBeLessThan(50);
    });
  }
});

describe('a proof', () => {
  test('says nothing about other bytes, another place, another log', async () => {
    const { entry, proof } = await samples();
    expect(verifyProof(crypto, proof, entry)).toMatchObject({ index: 1n, size: 3n });
    for (let place = 0; place < entry.length; place += 1) {
      const other = entry.slice();
      other[place] = (other[place] ?? 0) ^ 4;
      expect(() => verifyProof(crypto, proof, other)).toThrow('not entry 1');
    }
    const moved = utf8(fromUtf8(proof).replace('index 1', 'index 0'));
    expect(() => verifyProof(crypto, moved, entry)).toThrow('not entry 0');
    for (let place = 0; place < proof.length; place += 1) {
      const other = proof.slice();
      other[place] = (other[place] ?? 0) ^ 4;
      expect(() => verifyProof(crypto, other, entry), `byte ${place}`).toThrow(PeerAiError);
    }
  });

  test('is refused for an entry that names another log or another place, though it was signed', async () => {
    const [world, other] = [await ledgerWorld(53), await ledgerWorld(54)];
    await world.ledger.append([note('a'), note('b')]);
    const [first = new Uint8Array(), second = first] = await all(world.ledger.read(0n, 2n));
    const alone = (identity: typeof world.identity, entry: Uint8Array): Uint8Array =>
      encodeProof({ index: 0n, path: [], note: signCheckpoint(crypto, identity, 1n, leafHash(crypto, entry)) });
    expect(verifyProof(crypto, alone(world.identity, first), first).index).toBe(0n);
    expect(() => verifyProof(crypto, alone(other.identity, first), first)).toThrow('another log');
    expect(() => verifyProof(crypto, alone(world.identity, second), second)).toThrow('another place');
  });

  test('is as long, and has as many hashes, as the limits allow', async () => {
    const { identity } = await ledgerWorld(53);
    const note = signCheckpoint(crypto, identity, 9n, new Uint8Array(32));
    const file = (hashes: number) =>
      encodeProof({ index: 0n, path: Array.from({ length: hashes }, () => new Uint8Array(32)), note });
    const long = (bytes: number) => concatBytes(file(1), new Uint8Array(bytes - file(1).length).fill(0x20));
    expect(decodeProof(file(limits.pathHashesMax)).path).toHaveLength(limits.pathHashesMax);
    expect(decodeProof(long(limits.proofBytesMax)).index).toBe(0n);
    for (const past of [file(limits.pathHashesMax + 1), long(limits.proofBytesMax + 1)])
      expect(() => decodeProof(past)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  test('with its entry in the `extra` line is checked alone, and refused for any changed byte', async () => {
    const { entry, proof, whole } = await samples();
    const alone = (file: Uint8Array) => verifyProof(crypto, file, decodeProof(file).extra ?? new Uint8Array());
    expect(alone(whole)).toEqual(verifyProof(crypto, proof, entry));
    for (let place = 0; place < whole.length; place += 1)
      expect(() => alone(flipped(whole, place, 4)), `byte ${place}`).toThrow(PeerAiError);
    const other = withEntry(whole, flipped(entry, entry.length - 1));
    expect(() => alone(other)).toThrow(expect.objectContaining({ code: 'PROOF_WRONG' }));
    expect(decodeProof(proof)).not.toHaveProperty('extra');
    expect(() => decodeProof(utf8(fromUtf8(whole).replace('extra ', 'extra =')))).toThrow('not base64');
  });

  test('with its entry is, to a reader of C2SP tlog-proof that leaves `extra` out of account, the proof without', async () => {
    const { entry, proof, whole } = await samples();
    const [first, extra, ...rest] = fromUtf8(whole).split('\n');
    expect(extra).toBe(`extra ${Buffer.from(entry).toString('base64')}`);
    expect([first, ...rest].join('\n')).toBe(fromUtf8(proof));
    const form =
      /^c2sp\.org\/tlog-proof@v1\n(?:extra [A-Za-z\d+/]+={0,2}\n)?index (\d+)\n((?:[A-Za-z\d+/]{43}=\n)*)\n(.+)$/su;
    const [, index = '', hashes = '', checkpoint = ''] = form.exec(fromUtf8(whole)) ?? [];
    const [, size = '', root = ''] = checkpoint.split('\n');
    const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
    const path = hashes.trimEnd().split('\n').map(bytes);
    const leaf = crypto.sha256(Uint8Array.of(0), entry);
    expect(verifyInclusion(crypto, { index: BigInt(index), size: BigInt(size), leaf, root: bytes(root), path })).toBe(
      true,
    );
  });

  test('holds the longest entry beside the longest note and path, and none that is longer', async () => {
    const { identity } = await ledgerWorld(53);
    const own = signCheckpoint(crypto, identity, 9n, new Uint8Array(32));
    const path = Array.from({ length: limits.pathHashesMax }, () => new Uint8Array(32));
    const index = 10n ** 19n - 1n;
    const longest = { index, path, note: own.padEnd(limits.noteBytesMax - (utf8(own).length - own.length), 'x') };
    expect(utf8(longest.note)).toHaveLength(limits.noteBytesMax);
    const extra = new Uint8Array(limits.entryBytesMax).fill(7);
    const file = encodeProof({ ...longest, extra });
    expect(decodeProof(file)).toEqual({ ...longest, extra });
    const tooLong = new Uint8Array(limits.entryBytesMax + 1);
    const code = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });
    expect(() => withEntry(encodeProof(longest), tooLong)).toThrow(code);
    const short = fromUtf8(encodeProof({ index: 0n, path: [], note: own }));
    const byHand = utf8(short.replace('index', `extra ${toBase64(tooLong)}\nindex`));
    expect(() => decodeProof(byHand)).toThrow(code);
  });
});

describe('a signed note', () => {
  test('is as long as the limit allows', async () => {
    const { identity } = await ledgerWorld(52);
    const own = signCheckpoint(crypto, identity, 9n, new Uint8Array(32));
    const padded = (bytes: number) => {
      const name = 'x'.repeat(bytes - utf8(`${own}—  AAAAAAA=\n`).length);
      return `${own}— ${name} AAAAAAA=\n`;
    };
    expect(utf8(padded(limits.noteBytesMax))).toHaveLength(limits.noteBytesMax);
    expect(openCheckpoint(crypto, padded(limits.noteBytesMax)).size).toBe(9n);
    expect(() => openCheckpoint(crypto, padded(limits.noteBytesMax + 1))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });

  test('has the key id of C2SP signed-note: SHA-256(name ‖ newline ‖ 0x01 ‖ key), 4 bytes', () => {
    const key = new Uint8Array(32).fill(7);
    expect(noteKeyId(crypto, 'a', key)).toEqual(crypto.sha256(utf8('a'), Uint8Array.of(10, 1), key).slice(0, 4));
  });

  test('is taken with signatures of others beside its own, up to 16, and not without its own', async () => {
    const { identity } = await ledgerWorld(52);
    const own = signCheckpoint(crypto, identity, 9n, new Uint8Array(32));
    const others = (count: number): string => `— witness.example ${toBase64(new Uint8Array(68))}\n`.repeat(count);
    expect(openCheckpoint(crypto, own + others(limits.noteSignaturesMax - 1)).size).toBe(9n);
    const tooMany = (): unknown => openCheckpoint(crypto, own + others(limits.noteSignaturesMax));
    expect(tooMany).toThrow('too many signatures');
    const alone = own.slice(0, own.indexOf('\n\n') + 2) + others(1);
    expect(() => openCheckpoint(crypto, alone)).toThrow('not signed');
    expect(() => openCheckpoint(crypto, own.replace('\n9\n', '\n09\n'))).toThrow('decimal');
    expect(() => openCheckpoint(crypto, own.replace('\n9\n', '\n8\n'))).toThrow('not signed');
    expect(equalBytes(openCheckpoint(crypto, own).root, new Uint8Array(32))).toBe(true);
  });
});
