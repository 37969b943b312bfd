import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createIdentity, type Identity, PeerAiError, type Shelf } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type Config, systemRandom } from '@peerai/platform';
import {
  changePassphrase,
  type directories,
  type FileStore,
  loadOrCreateSeed,
  openShelf,
  openStore,
  replaceSeed,
  type SeedOptions,
} from '@peerai/platform/node';
import { loadOrCreateToken } from './token.ts';
import type { Undo } from './undo.ts';

/** What lies in a peer's folders. */
export interface Home {
  /** The key's 32 secret bytes, for libp2p, which signs with them itself. */
  readonly seed: Uint8Array;
  readonly identity: Identity;
  /** Another seed in the key file, with the same passphrase, for the next start. */
  replaceKey(seed: Uint8Array): Promise<void>;
  /** The 32 secret bytes of the key in this file, or in the home's own, that pays and is paid on a chain; made when they are first asked for. */
  settlementSecret(file: string | undefined): Promise<Uint8Array>;
  /** The control token. */
  readonly token: string;
  readonly store: FileStore;
  /** Files to and from devices. */
  readonly shelf: Shelf;
  /** Folder of what makes searches of a large memory fast; made when it is needed. */
  readonly memoryIndex: string;
  /** For people. */
  readonly folder: string;
  nameOf(config: Config): string;
}

/** Throws KEY_FILE_OPEN, KEY_FILE_BROKEN, KEY_PASSPHRASE_*, STORE_LOCKED, STORE_BROKEN, STORE_NEWER, STORE_FULL. */
export async function openHome(folders: ReturnType<typeof directories>, undo: Undo): Promise<Home> {
  const passphrase = process.env['PEERAI_PASSPHRASE'];
  const options = { random: systemRandom, ...(passphrase === undefined ? {} : { passphrase }) };
  const { seed, encrypted } = await loadOrCreateSeed(folders.files.identity, options);
  const replaceKey = (next: Uint8Array): Promise<void> => replaceSeed(folders.files.identity, next, options);
  const token = loadOrCreateToken(join(folders.config, 'token'), systemRandom);
  const store = await openHomeStore(folders.files.store);
  undo.add(() => store.close());
  // Only now: nobody else uses this home.
  if (passphrase !== undefined && !encrypted) await changePassphrase(folders.files.identity, undefined, options);
  const identity = createIdentity(nodeCrypto, seed);
  const nameOf = (config: Config): string => config.network.name ?? hostname();
  const settlementSecret = (file = folders.files.settlementKey): Promise<Uint8Array> =>
    openSettlementSecret(resolve(file), options);
  const shelf = openShelf(folders.files.shelf);
  const memoryIndex = join(folders.data, 'memory-index');
  return {
    seed,
    identity,
    replaceKey,
    settlementSecret,
    token,
    store,
    shelf,
    memoryIndex,
    folder: folders.config,
    nameOf,
  };
}

async function openHomeStore(file: string): Promise<FileStore> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return await openStore(file);
  } catch (error) {
    if (!PeerAiError.is(error, 'STORE_LOCKED')) throw error;
    const hint = 'Another agent uses this folder: `peerai down` ends it, or give another --home.';
    throw new PeerAiError('STORE_LOCKED', error.message, { ...error.details, hint }, { cause: error });
  }
}

async function openSettlementSecret(path: string, options: SeedOptions): Promise<Uint8Array> {
  const own = { ...options, kind: 'settlement-key' } as const;
  const { seed, encrypted } = await loadOrCreateSeed(path, own);
  if (options.passphrase !== undefined && !encrypted) await changePassphrase(path, undefined, own);
  return seed;
}
