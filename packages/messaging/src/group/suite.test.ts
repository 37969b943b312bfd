import { createIdentity, fromHex, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { expect, test } from 'vitest';
import { mlsSuite } from './suite.ts';

/** RFC 9180 A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence 0. */
const vector = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  ikmE: '909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b',
  ikmR: '1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df',
  pkRm: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
  skRm: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
  enc: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  pt: '4265617574792069732074727574682c20747275746820626561757479',
  aad: '436f756e742d30',
  ct: '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
};

const { hpke } = mlsSuite({
  crypto: nodeCrypto,
  random: { bytes: () => fromHex(vector.ikmE) },
  identity: createIdentity(nodeCrypto, new Uint8Array(32).fill(1)),
});

test('HPKE gives the bytes of RFC 9180 A.2.1', async () => {
  const receiver = await hpke.deriveKeyPair(fromHex(vector.ikmR));
  expect(toHex(await hpke.exportPublicKey(receiver.publicKey))).toBe(vector.pkRm);
  expect(toHex(await hpke.exportPrivateKey(receiver.privateKey))).toBe(vector.skRm);
  const [info, aad] = [fromHex(vector.info), fromHex(vector.aad)];
  const sealed = await hpke.seal(receiver.publicKey, fromHex(vector.pt), info, aad);
  expect(toHex(sealed.enc)).toBe(vector.enc);
  expect(toHex(sealed.ct)).toBe(vector.ct);
  expect(toHex(await hpke.open(receiver.privateKey, sealed.enc, sealed.ct, info, aad))).toBe(vector.pt);
});

test('HPKE refuses bytes that were changed, and keys of another length', async () => {
  const receiver = await hpke.deriveKeyPair(fromHex(vector.ikmR));
  const changed = fromHex(vector.ct).with(0, 0);
  await expect(hpke.open(receiver.privateKey, fromHex(vector.enc), changed, fromHex(vector.info))).rejects.toThrow();
  await expect(hpke.importPublicKey(new Uint8Array(31))).rejects.toThrow();
});
