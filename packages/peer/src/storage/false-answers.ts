import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  fromHex,
  PeerAiError,
  type Store,
} from '@peerai/core-protocol';
import { type MeteredRecord, openFalseAnswer, openStorageAnswer } from '@peerai/ledger/market';
import { type KeptProofs, keptProofs } from '../store/kept-proofs.ts';
import { storageLimits as limits } from './limits.ts';

interface Answered {
  readonly nonce: Uint8Array;
  readonly shown: Uint8Array;
  readonly answered: Uint8Array | undefined;
}

/** Whether the lender has signed that it shows just this, for just this challenge. */
export function isAnswered(
  crypto: CryptoProvider,
  { id, n, terms }: Pick<MeteredRecord, 'id' | 'n' | 'terms'>,
  { nonce, shown, answered }: Answered,
): boolean {
  if (answered === undefined) return false;
  try {
    const said = openStorageAnswer(crypto, answered);
    const isOurs = said.lender === terms.lender && said.borrower === terms.borrower && said.n === n + 1;
    const isThis = equalBytes(said.lease, fromHex(id)) && equalBytes(said.nonce, nonce);
    return isOurs && isThis && equalBytes(said.shown, crypto.sha256(shown));
  } catch (error) {
    if (PeerAiError.is(error)) return false;
    throw error;
  }
}

/** Keeps what others can check; what only this peer knows to be wrong is no evidence. One of each lease, the first. */
export async function keepFalseAnswer(
  crypto: CryptoProvider,
  store: Store,
  lease: string,
  { kind, body }: EntryBody,
): Promise<void> {
  try {
    openFalseAnswer(crypto, body);
  } catch (error) {
    if (PeerAiError.is(error)) return;
    throw error;
  }
  await proofsIn(store).keep(lease, { kind, body });
}

/** @param store - the borrower's room. */
export const falseAnswersOf = (store: Store, lease: string): Promise<readonly EntryBody[]> => proofsIn(store).of(lease);

const proofsIn = (store: Store): KeptProofs => keptProofs(store, 'false', limits.falseAnswersKept);
