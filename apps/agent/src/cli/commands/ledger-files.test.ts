import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, nobleCrypto, toBase64Url, utf8, wire } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { leafHash, openLedger, withEntry } from '@peerai/ledger';
import { cosign, evidenceOfSize, withCosignatures } from '@peerai/ledger/witness';
import type { ControlClient } from '@peerai/peer/control';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyOffline, writeTiles } from './ledger-files.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const nobody = { witnesses: [], quorum: 0 };
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-ledger-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function log(mark: string) {
  const world = memoryWorld({ seed: 1, crypto: nobleCrypto });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  const entries = Array.from({ length: 600 }, (_, index) => ({ kind: 'note', body: utf8(`${mark} ${index}`) }));
  await ledger.append(entries);
  const { note, size } = await ledger.checkpoint();
  const client = {
    async ledgerPage({ from = 0, limit = 500 }) {
      const part: string[] = [];
      for await (const bytes of ledger.read(BigInt(from), BigInt(from + limit))) part.push(toBase64Url(bytes));
      return { v: 1, origin: ledger.origin, size: Number(size), note, from, entries: part };
    },
  } as unknown as ControlClient;
  return { ledger, note, client };
}

describe('files of a ledger', () => {
  test('are written as tiles for any web server and checked without an agent, to the last byte', async () => {
    const { client, ledger } = await log('a');
    const place = join(folder, 'tiles');
    expect(await writeTiles(client, place, undefined)).toBe(600);
    expect(await verifyOffline(place, nobody)).toMatchObject({
      ok: true,
      what: 'log',
      origin: ledger.origin,
      size: 600,
    });
    const bundle = join(place, 'tile', 'entries', '001');
    const bytes = readFileSync(bundle);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(bundle, bytes);
    expect(await verifyOffline(place, nobody)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('entry 25') as string,
    });
    rmSync(bundle);
    expect(await verifyOffline(place, nobody)).toMatchObject({ ok: false });
    writeFileSync(join(folder, 'mine.txt'), 'x');
    await expect(writeTiles(client, folder, undefined)).rejects.toThrow(code('INVALID_FORMAT'));
  });

  test('are proofs whose witnesses are counted, and evidence of a fork', async () => {
    const { ledger, note } = await log('a');
    const witness = memoryWorld({ seed: 2, crypto: nobleCrypto }).identity;
    const file = join(folder, 'entry-7.proof');
    const cosigned = withCosignatures(note, [cosign(nobleCrypto, witness, note, 5)]);
    writeFileSync(file, new TextDecoder().decode(await ledger.prove(7n)).replace(note, cosigned));
    await expect(verifyOffline(file, nobody)).rejects.toThrow(code('NOT_FOUND'));
    for await (const bytes of ledger.read(7n, 8n)) writeFileSync(`${file}.entry`, bytes);
    const policy = { witnesses: [witness.peer], quorum: 1 };
    expect(await verifyOffline(file, policy)).toMatchObject({
      what: 'proof',
      index: 7,
      size: 600,
      cosigners: [witness.peer],
    });
    // One file with the entry in it says the same, whatever lies beside it.
    const alone = join(folder, 'alone.proof');
    const entry = readFileSync(`${file}.entry`);
    writeFileSync(alone, withEntry(readFileSync(file), entry));
    writeFileSync(`${alone}.entry`, 'something else');
    expect(await verifyOffline(alone, policy)).toEqual(await verifyOffline(file, policy));
    writeFileSync(alone, withEntry(readFileSync(file), entry.with(entry.length - 1, 0)));
    await expect(verifyOffline(alone, policy)).rejects.toThrow(code('PROOF_WRONG'));
    const strict = { witnesses: [witness.peer, memoryWorld({ seed: 3 }).identity.peer], quorum: 2 };
    await expect(verifyOffline(file, strict)).rejects.toThrow(code('WITNESSES_MISSING'));
    const fork = join(folder, 'a.fork');
    writeFileSync(fork, evidenceOfSize(nobleCrypto, note, (await log('b')).note) ?? '');
    expect(await verifyOffline(fork, nobody)).toMatchObject({ ok: true, what: 'fork', origin: ledger.origin });
    await expect(verifyOffline(join(folder, 'mine.txt'), nobody)).rejects.toThrow(
      'mine.txt is no proof and no evidence',
    );
    await expect(verifyOffline(join(folder, 'none'), nobody)).rejects.toThrow(code('NOT_FOUND'));
  });

  test('prove an entry at the place 2^63 of a log and name it to the last digit', async () => {
    const { identity } = memoryWorld({ seed: 5, crypto: nobleCrypto });
    const seq = 1n << 63n;
    // Fields as docs/protocol/ledger.md has them; everything before the entry is one hash, as the place allows.
    const fields = { version: 1, origin: identity.publicKey, seq, previous: new Uint8Array(32) };
    const entry = wire
      .message({
        version: wire.uint32(1),
        origin: wire.bytes(2),
        seq: wire.uint64(3),
        previous: wire.bytes(4),
        kind: wire.string(5),
        timeMs: wire.uint53(6),
        body: wire.bytes(7),
      })
      .encode({ ...fields, kind: 'note', timeMs: 1, body: utf8('far out') });
    const before = nobleCrypto.sha256(utf8('2^63 entries'));
    const root = nobleCrypto.sha256(Uint8Array.of(1), before, leafHash(nobleCrypto, entry));
    const text = `${identity.peer}\n${seq + 1n}\n${toBase64(root)}\n`;
    const keyId = nobleCrypto.sha256(utf8(identity.peer), Uint8Array.of(10, 1), identity.publicKey).slice(0, 4);
    const signature = toBase64(concatBytes(keyId, identity.sign(utf8(text))));
    const lines = ['c2sp.org/tlog-proof@v1', `extra ${toBase64(entry)}`, `index ${seq}`, toBase64(before), ''];
    const file = join(folder, 'far.proof');
    const proof = [...lines, `${text}\n— ${identity.peer} ${signature}\n`].join('\n');
    writeFileSync(file, proof);
    const found = { ok: true, origin: identity.peer, index: '9223372036854775808', size: '9223372036854775809' };
    expect(await verifyOffline(file, nobody)).toMatchObject(found);
    writeFileSync(file, proof.replace(`index ${seq}`, `index ${seq - 1n}`));
    await expect(verifyOffline(file, nobody)).rejects.toThrow(code('PROOF_WRONG'));
  });
});
