import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64Url, toHex } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { changePassphrase, loadOrCreateSeed, replaceSeed } from './key-file.ts';

let folder: string;
let path: string;
const random = seededRandom(7);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-key-'));
  path = join(folder, 'home', 'identity.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

const mode = (file: string): number => statSync(file).mode & 0o777;

describe('a key file', () => {
  it('is made once, 0600 in a 0700 folder with nothing beside it, and gives the same seed afterwards', async () => {
    const first = await loadOrCreateSeed(path, { random });
    expect(first).toMatchObject({ created: true, encrypted: false, seed: expect.objectContaining({ length: 32 }) });
    expect([mode(path), mode(join(folder, 'home')), readdirSync(join(folder, 'home'))]).toEqual([
      0o600,
      0o700,
      ['identity.key'],
    ]);
    expect(await loadOrCreateSeed(path, { random })).toEqual({ seed: first.seed, created: false, encrypted: false });
  });

  it('of one kind opens as no other, sealed or not', async () => {
    const kind = 'settlement-key' as const;
    const { seed } = await loadOrCreateSeed(path, { random, kind });
    expect((await loadOrCreateSeed(path, { random, kind })).seed).toEqual(seed);
    await expect(loadOrCreateSeed(path, { random })).rejects.toMatchObject({
      code: 'KEY_FILE_BROKEN',
      message: expect.stringContaining('no PeerAI key file'),
    });
    const sealed = join(folder, 'sealed.key');
    await loadOrCreateSeed(sealed, { random, passphrase: 'x', kind });
    // Not by another word in front of it either.
    writeFileSync(sealed, readFileSync(sealed, 'utf8').replace('"settlement-key"', '"key"'));
    const opening = loadOrCreateSeed(sealed, { random, passphrase: 'x' });
    await expect(opening).rejects.toMatchObject({ code: 'KEY_PASSPHRASE_WRONG' });
  });

  it('is one and the same for starts that race', async () => {
    const all = await Promise.all([1, 2, 3, 4].map((seed) => loadOrCreateSeed(path, { random: seededRandom(seed) })));
    expect(new Set(all.map(({ seed }) => toHex(seed))).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
  });

  it.each([0o640, 0o604, 0o660, 0o601])('that others may touch (mode %o) is refused with the cure', async (bits) => {
    await loadOrCreateSeed(path, { random });
    chmodSync(path, bits);
    await expect(loadOrCreateSeed(path, { random })).rejects.toMatchObject({
      code: 'KEY_FILE_OPEN',
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
    chmodSync(path, 0o400);
    expect((await loadOrCreateSeed(path, { random })).created).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'secret-half-key'],
    ['another format', '{"peerai":"key","v":2,"seed":"AAAA"}'],
    ['a short seed', '{"peerai":"key","v":1,"seed":"AAAA"}'],
    ['an unknown cipher', '{"peerai":"key","v":1,"kdf":{"name":"md5"},"aead":{}}'],
    [
      'a cost out of bounds',
      `{"peerai":"key","v":1,"kdf":{"name":"scrypt","log2n":${limits.scryptCostLog2Max + 1},"r":8,"p":1},"aead":{"name":"chacha20-poly1305"}}`,
    ],
    ['more than keyFileBytesMax bytes', ' '.repeat(limits.keyFileBytesMax + 1)],
  ])('with %s in it is refused and left as it is', async (_, text) => {
    await loadOrCreateSeed(path, { random });
    writeFileSync(path, text);
    const refusal = loadOrCreateSeed(path, { random, passphrase: 'x' });
    await expect(refusal).rejects.toMatchObject({
      code: 'KEY_FILE_BROKEN',
      message: expect.not.stringContaining('half'),
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('may get another seed in its place, and stays 0600', async () => {
    await loadOrCreateSeed(path, { random });
    const next = random.bytes(32);
    await replaceSeed(path, next, { random });
    expect((await loadOrCreateSeed(path, { random })).seed).toEqual(next);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('may have keyFileBytesMax bytes', async () => {
    const { seed } = await loadOrCreateSeed(path, { random });
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.padEnd(limits.keyFileBytesMax));
    expect((await loadOrCreateSeed(path, { random })).seed).toEqual(seed);
  });
});

describe('a passphrase', () => {
  it('leaves no raw key in the file; a wrong one and none are refused differently', { timeout: 60_000 }, async () => {
    const { seed, encrypted } = await loadOrCreateSeed(path, { random, passphrase: 'correct horse' });
    const content = readFileSync(path);
    expect(encrypted).toBe(true);
    for (const form of [toHex(seed), toBase64Url(seed), Buffer.from(seed).toString('base64')])
      expect(content.includes(form)).toBe(false);
    expect(content.includes(Buffer.from(seed))).toBe(false);
    expect(content.includes('correct')).toBe(false);
    expect(JSON.parse(content.toString())).toMatchObject({ kdf: { name: 'scrypt', log2n: 17, r: 8, p: 1 } });
    await expect(loadOrCreateSeed(path, { random })).rejects.toMatchObject({ code: 'KEY_PASSPHRASE_NEEDED' });
    await expect(loadOrCreateSeed(path, { random, passphrase: 'wrong' })).rejects.toMatchObject({
      code: 'KEY_PASSPHRASE_WRONG',
    });
    expect(await loadOrCreateSeed(path, { random, passphrase: 'correct horse' })).toEqual({
      seed,
      created: false,
      encrypted: true,
    });
  });

  it('can be given later and taken away, atomically', { timeout: 60_000 }, async () => {
    const { seed } = await loadOrCreateSeed(path, { random });
    expect((await loadOrCreateSeed(path, { random, passphrase: 'new' })).encrypted).toBe(false);
    await changePassphrase(path, undefined, { random, passphrase: 'new' });
    expect(readFileSync(path, 'utf8')).not.toContain(toBase64Url(seed));
    await expect(changePassphrase(path, 'other', { random })).rejects.toMatchObject({ code: 'KEY_PASSPHRASE_WRONG' });
    await changePassphrase(path, 'new', { random });
    expect([await loadOrCreateSeed(path, { random }), mode(path)]).toEqual([
      { seed, created: false, encrypted: false },
      0o600,
    ]);
    expect(readdirSync(join(folder, 'home'))).toEqual(['identity.key']);
    await expect(changePassphrase(`${path}x`, undefined, { random })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('has up to passphraseBytesMax bytes', { timeout: 60_000 }, async () => {
    await loadOrCreateSeed(path, { random, passphrase: 'é'.repeat(limits.passphraseBytesMax / 2) });
    for (const passphrase of ['', `${'é'.repeat(limits.passphraseBytesMax / 2)}x`]) {
      await expect(loadOrCreateSeed(path, { random, passphrase })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    }
  });
});
