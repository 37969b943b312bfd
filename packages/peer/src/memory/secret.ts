import { concatBytes, type CryptoProvider, type Identity, type Random, type Store, utf8 } from '@peerai/core-protocol';

export interface SecretDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly random: Random;
}
const [nonceBytes, secretBytes] = [12, 32];
const purpose = utf8('peerai/memory/1 secret');
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
  if (row === undefined) return undefined;
  const [nonce, sealed] = [row.subarray(0, nonceBytes), row.subarray(nonceBytes)];
  return crypto.aead['aes-256-gcm'].open(keyOf(crypto, identity), nonce, sealed, purpose);
}

async function write({ store, crypto, random }: SecretDeps, identity: Identity, secret: Uint8Array): Promise<void> {
  const nonce = random.bytes(nonceBytes);
  const sealed = crypto.aead['aes-256-gcm'].seal(keyOf(crypto, identity), nonce, secret, purpose);
  const room = roomOf(store);
  await room.commit([room.put(rowKey(identity), concatBytes(nonce, sealed))]);
}

/** Ed25519 gives the same signature each time (RFC 8032), and nobody without the key can make it; nobody is ever sent this one. */
function keyOf(crypto: CryptoProvider, identity: Identity): Uint8Array {
  return crypto.hkdfSha256(identity.sign(purpose), new Uint8Array(), purpose, secretBytes);
}
