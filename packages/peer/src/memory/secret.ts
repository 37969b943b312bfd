import type { CryptoProvider, Identity, Random, Store } from '@peerai/core-protocol';
import { openFor, sealFor } from '../store/sealed.ts';

export interface SecretDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly random: Random;
}
const secretBytes = 32;
const purpose = 'peerai/memory/1 secret';
const roomOf = (store: Store): Store => store.room('memory-key');
const rowKey = ({ peer }: Identity): string => `secret/${peer}`;

/** The 32 bytes that this device's memory is sealed with: made once, kept sealed under its key. Throws DECRYPTION_FAILED for a damaged row. */
export async function memorySecret(deps: SecretDeps, identity: Identity): Promise<Uint8Array> {
  const found = await read(deps, identity);
  if (found !== undefined) return found;
  const secret = deps.random.bytes(secretBytes);
  await write(deps, identity, secret);
  return secret;
}

/** The same secret for the next key of this device, so that what it remembers opens after a rotation. */
export async function handOnSecret(deps: SecretDeps, from: Identity, to: Identity): Promise<void> {
  const secret = await read(deps, from);
  if (secret !== undefined) await write(deps, to, secret);
}

async function read({ store, crypto }: SecretDeps, identity: Identity): Promise<Uint8Array | undefined> {
  const row = await roomOf(store).get(rowKey(identity));
  return row === undefined ? undefined : openFor(crypto, identity, purpose, row);
}

async function write(deps: SecretDeps, identity: Identity, secret: Uint8Array): Promise<void> {
  const room = roomOf(deps.store);
  await room.commit([room.put(rowKey(identity), sealFor(deps, identity, purpose, secret))]);
}
