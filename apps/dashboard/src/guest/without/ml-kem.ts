import { PeerAiError } from '@peerai/core-protocol';

/** Stands in for `@noble/post-quantum/ml-kem.js` in the guest's page: a guest seals no mail, it only talks over live links. */
const refuse = (): never => {
  throw new PeerAiError('REFUSED', 'the guest’s page is built without ML-KEM');
};

export const ml_kem768 = { keygen: refuse, encapsulate: refuse, decapsulate: refuse };
