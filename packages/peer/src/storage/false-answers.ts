import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  fromBase64Url,
  fromHex,
  PeerAiError,
  type Store,
  toBase64Url,
} from '@peerai/core-protocol';
import { type MeteredRecord, openFalseAnswer, openStorageAnswer } from '@peerai/ledger/market';
import { records } from '../store/records.ts';
import { storageLimits as limits } from './limits.ts';

interface Row {
  readonly kind: string;
  /** Base64url. */
  readonly body: string;
}
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
  const rows = records<Row>(store, 'false');
  const kept: string[] = [];
  for await (const [id] of rows.all()) kept.push(id);
  if (kept.includes(lease)) return;
  const gone = kept.slice(0, Math.max(0, kept.length + 1 - limits.falseAnswersKept));
  await store.commit([rows.put(lease, { kind, body: toBase64Url(body) }), ...gone.map((id) => rows.remove(id))]);
}

/** @param store - the borrower's room. */
export async function falseAnswersOf(store: Store, lease: string): Promise<readonly EntryBody[]> {
  const row = await records<Row>(store, 'false').get(lease);
  return row === undefined ? [] : [{ kind: row.kind, body: fromBase64Url(row.body) }];
}
