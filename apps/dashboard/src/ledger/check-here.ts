import { fromBase64Url, nobleCrypto, PeerAiError, toHex } from '@peerai/core-protocol';
import { leafHash, verifyLog } from '@peerai/ledger';
import { verifyWitnessedProof } from '@peerai/ledger/witness';
import type { ControlClient } from '@peerai/peer/control';

/** Entries asked for at once. */
const pageMax = 500;

export interface CheckedHere {
  readonly ok: boolean;
  readonly checked: number;
  readonly receipts: number;
  readonly tookMs: number;
  readonly firstBad?: { readonly index: number; readonly reason: string };
}

/** Fetches all entries as bytes and checks them with the ledger's own code in this page: every hash, link, receipt, and the signed root. */
export async function checkHere(
  client: ControlClient,
  onProgress: (done: number, all: number) => void,
  signal: AbortSignal,
): Promise<CheckedHere> {
  const startMs = performance.now();
  const first = await client.ledgerPage({ from: 0, limit: pageMax }, signal);
  const { size } = first;
  const entries = async function* () {
    for (let page = first, from = 0; from < size; from += pageMax) {
      if (from > 0) page = await client.ledgerPage({ from, limit: Math.min(pageMax, size - from) }, signal);
      onProgress(from, size);
      for (const one of page.entries.slice(0, size - from)) yield fromBase64Url(one);
    }
  };
  const found = await verifyLog(nobleCrypto, { note: first.note, entries: entries() }, { signal });
  const { ok, checked, receipts, firstBad } = found;
  return {
    ok,
    checked: Number(checked),
    receipts,
    tookMs: performance.now() - startMs,
    ...(firstBad === undefined ? {} : { firstBad: { index: Number(firstBad.index), reason: firstBad.reason } }),
  };
}

/**
 * Checks a proof file in this page.
 *
 * @param shownHash - of the entry that is looked at, hex: a good proof of another one is no proof of it.
 * Throws PROOF_WRONG and what reading it throws.
 */
export async function checkProofHere(
  proof: string,
  entry: string,
  shownHash: string,
): Promise<{ readonly size: number; readonly cosigners: readonly string[] }> {
  const policy = { witnesses: [], quorum: 0 };
  const bytes = fromBase64Url(entry);
  const { value, cosigners } = verifyWitnessedProof(nobleCrypto, fromBase64Url(proof), bytes, policy);
  if (toHex(leafHash(nobleCrypto, bytes)) !== shownHash)
    throw new PeerAiError('PROOF_WRONG', 'this proof is of another entry than the one shown here');
  return { size: Number(value.size), cosigners: cosigners.map(({ witness }) => witness) };
}
