import { scrypt } from 'node:crypto';
import { open } from 'node:fs/promises';
import { fromBase64Url, PeerAiError, type Random, toBase64Url, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { limits } from '../limits.ts';
import { writePrivateFile } from './atomic-file.ts';

/** Whose key a file holds: of one kind it opens as no other. */
export type KeyKind = 'key' | 'settlement-key';
export interface SeedOptions {
  readonly random: Random;
  /** `key` unless said: the peer's own. */
  readonly kind?: KeyKind;
  /** With it a new file is encrypted, and an encrypted one is opened. */
  readonly passphrase?: string;
}
export interface LoadedSeed {
  /** 32 bytes, the private half of an Ed25519 key. */
  readonly seed: Uint8Array;
  readonly created: boolean;
  /** False also when a passphrase was given but the file holds the bare seed: `changePassphrase` encrypts it. */
  readonly encrypted: boolean;
}

const seedBytes = 32;
const saltBytes = 16;
const nonceBytes = 12;
/** Bound to the sealed seed, so that it opens as nothing else. */
const headerOf = (kind: KeyKind): Uint8Array => utf8(`peerai/${kind}-file/1`);
const remedyOf: Readonly<Record<KeyKind, string>> = {
  key: 'move it away to become a new peer',
  'settlement-key': 'move it away for a new one, which cannot spend what the old one’s address holds',
};

/**
 * The Ed25519 seed of this machine's peer, or the secret of its settlement key; made on first use. The file is 0600, its folder 0700 when made here.
 *
 * Throws KEY_FILE_OPEN when others may read the file, KEY_PASSPHRASE_NEEDED, KEY_PASSPHRASE_WRONG, KEY_FILE_BROKEN when it holds no key.
 */
export async function loadOrCreateSeed(path: string, options: SeedOptions): Promise<LoadedSeed> {
  const text = await readKeyFile(path, options.kind);
  if (text !== undefined) return { ...(await openSeed(path, text, options)), created: false };
  const seed = options.random.bytes(seedBytes);
  const created = await writePrivateFile(path, await sealSeed(seed, options), 'create');
  // Another process made it first: its key is the key.
  if (!created) return loadOrCreateSeed(path, options);
  return { seed, created, encrypted: options.passphrase !== undefined };
}

/** Encrypts the file, changes its passphrase, or (without `passphrase`) writes the bare seed. Throws as `loadOrCreateSeed`, NOT_FOUND. */
export async function changePassphrase(path: string, from: string | undefined, to: SeedOptions): Promise<void> {
  const text = await readKeyFile(path, to.kind);
  if (text === undefined) throw new PeerAiError('NOT_FOUND', `there is no key file at ${path}`, { path });
  const { seed } = await openSeed(path, text, { kind: to.kind, passphrase: from });
  await writePrivateFile(path, await sealSeed(seed, to), 'replace');
}

/** Puts another 32-byte seed in the file's place; from the next start on it is this machine's. Throws LIMIT_EXCEEDED for a passphrase. */
export async function replaceSeed(path: string, seed: Uint8Array, options: SeedOptions): Promise<void> {
  await writePrivateFile(path, await sealSeed(seed, options), 'replace');
}

async function readKeyFile(path: string, kind: KeyKind = 'key'): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PeerAiError('KEY_FILE_BROKEN', `the key file ${path} cannot be read`, { path }, { cause: error });
  }
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const bits = (mode & 0o777).toString(8);
      throw new PeerAiError('KEY_FILE_OPEN', `others may read the key file (mode ${bits}); run: chmod 600 ${path}`, {
        path,
      });
    }
    if (size > limits.keyFileBytesMax)
      throw brokenFile(path, kind, `it has ${size} bytes, a key file at most ${limits.keyFileBytesMax}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function sealSeed(seed: Uint8Array, { random, passphrase, kind = 'key' }: SeedOptions): Promise<string> {
  if (passphrase === undefined) return `${JSON.stringify({ peerai: kind, v: 1, seed: toBase64Url(seed) })}\n`;
  const [salt, nonce] = [random.bytes(saltBytes), random.bytes(nonceBytes)];
  const key = await stretch(passphrase, salt, limits.scryptCostLog2);
  const sealed = nodeCrypto.aead['chacha20-poly1305'].seal(key, nonce, seed, headerOf(kind));
  const kdf = { name: 'scrypt', log2n: limits.scryptCostLog2, r: 8, p: 1, salt: toBase64Url(salt) };
  const aead = { name: 'chacha20-poly1305', nonce: toBase64Url(nonce), sealed: toBase64Url(sealed) };
  return `${JSON.stringify({ peerai: kind, v: 1, kdf, aead })}\n`;
}

async function openSeed(
  path: string,
  text: string,
  { passphrase, kind = 'key' }: { readonly passphrase?: string | undefined; readonly kind?: KeyKind | undefined },
): Promise<Omit<LoadedSeed, 'created'>> {
  const content = parseKeyFile(path, kind, text);
  if ('seed' in content) return { seed: content.seed, encrypted: false };
  if (passphrase === undefined) {
    throw new PeerAiError('KEY_PASSPHRASE_NEEDED', `the key file ${path} is encrypted: give its passphrase`, { path });
  }
  const key = await stretch(passphrase, content.salt, content.log2n);
  try {
    return {
      seed: nodeCrypto.aead['chacha20-poly1305'].open(key, content.nonce, content.sealed, headerOf(kind)),
      encrypted: true,
    };
  } catch (error) {
    const message = `this passphrase does not open the key file ${path}`;
    throw new PeerAiError('KEY_PASSPHRASE_WRONG', message, { path }, { cause: error });
  }
}

type KeyFile =
  | { readonly seed: Uint8Array }
  | { readonly log2n: number; readonly salt: Uint8Array; readonly nonce: Uint8Array; readonly sealed: Uint8Array };

function parseKeyFile(path: string, kind: KeyKind, text: string): KeyFile {
  try {
    const file = JSON.parse(text) as Record<string, Record<string, unknown> & string>;
    if ((file['peerai'] as unknown) !== kind || (file['v'] as unknown) !== 1)
      throw new Error(`this is no PeerAI ${kind} file of version 1`);
    if (file['seed'] !== undefined) return { seed: field(file['seed'], seedBytes) };
    const { kdf, aead } = file as Record<string, Record<string, unknown>>;
    const log2n = kdf?.['log2n'];
    if (kdf?.['name'] !== 'scrypt' || kdf['r'] !== 8 || kdf['p'] !== 1 || aead?.['name'] !== 'chacha20-poly1305') {
      throw new Error('it is encrypted in an unknown way');
    }
    if (typeof log2n !== 'number' || !Number.isInteger(log2n) || log2n < 14 || log2n > limits.scryptCostLog2Max) {
      throw new Error('its scrypt cost is out of bounds');
    }
    const sealed = field(aead['sealed'], seedBytes + 16);
    return { log2n, salt: field(kdf['salt'], saltBytes), nonce: field(aead['nonce'], nonceBytes), sealed };
  } catch (error) {
    // What JSON.parse says quotes the text, which may be half a key.
    throw brokenFile(path, kind, error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message);
  }
}

function field(value: unknown, length: number): Uint8Array {
  const bytes = typeof value === 'string' ? decodeOrNothing(value) : undefined;
  if (bytes?.length !== length) throw new Error(`a field is not ${length} bytes in base64url`);
  return bytes;
}

function decodeOrNothing(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text);
  } catch {
    return undefined;
  }
}

function brokenFile(path: string, kind: KeyKind, why: string): PeerAiError {
  return new PeerAiError(
    'KEY_FILE_BROKEN',
    `the key file ${path} holds no key: ${why}; restore it from a backup, or ${remedyOf[kind]}`,
    {
      path,
    },
  );
}

/** RFC 7914 with r=8, p=1: 128 · N · r bytes of memory. Off the event loop. */
async function stretch(passphrase: string, salt: Uint8Array, log2n: number): Promise<Uint8Array> {
  const bytes = utf8(passphrase.normalize('NFKC'));
  if (bytes.length === 0 || bytes.length > limits.passphraseBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a passphrase has 1 to ${limits.passphraseBytesMax} UTF-8 bytes`);
  }
  const cost = { N: 2 ** log2n, r: 8, p: 1, maxmem: 128 * 2 ** log2n * 8 + 33_554_432 };
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, 32, cost, (error, key) => (error === null ? resolve(new Uint8Array(key)) : reject(error)));
  });
}
