/** Stands in for `@noble/curves/secp256k1.js` in the guest's page: every key of this network is Ed25519. */
const refuse = (): never => {
  throw new Error('only Ed25519 keys are used here');
};

export const secp256k1 = {
  getPublicKey: refuse,
  sign: refuse,
  verify: refuse,
  Point: { fromHex: refuse },
  utils: { randomSecretKey: refuse },
};
