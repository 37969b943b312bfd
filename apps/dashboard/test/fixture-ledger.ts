import { nobleCrypto, toBase64Url, toHex } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { decodeEntry, leafHash, openLedger, withEntry } from '@peerai/ledger';
import * as schemas from '@peerai/peer/schemas';

/** A small log that is really signed, so that the page's own check has something to check. */
async function makeLog() {
  const world = memoryWorld({ seed: 7, crypto: nobleCrypto });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  await ledger.append(
    ['lease', 'lease-receipt', 'market-offer', 'key-rotation'].map((kind, index) => ({
      kind,
      body: Uint8Array.of(index),
    })),
  );
  const entries: Uint8Array[] = [];
  for await (const bytes of ledger.read(0n, ledger.size)) entries.push(bytes);
  return { ledger, entries, note: (await ledger.checkpoint()).note };
}
const log = makeLog();
const neighbour = { origin: '12D3KooWNeighbour', name: 'lab-box' };

/** Answers of `GET /ledger/<verb>`. */
export async function answerLedger(
  verb: string | undefined,
  place: string | undefined,
  query: URLSearchParams,
): Promise<unknown> {
  const { ledger, entries, note } = await log;
  const from = Number(query.get('from') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  const part = entries.slice(from, from + limit);
  if (verb === 'entries') {
    const views = part.map((bytes) => {
      const { seq, kind, timeMs, previous } = decodeEntry(bytes);
      return { index: Number(seq), kind, timeMs, hash: toHex(leafHash(nobleCrypto, bytes)), previous: toHex(previous) };
    });
    return schemas.ledgerEntriesSchema.parse({ v: 1, size: entries.length, entries: views });
  }
  if (verb === 'page') {
    const view = { v: 1, origin: ledger.origin, size: entries.length, note, from, entries: part.map(toBase64Url) };
    return schemas.ledgerPageSchema.parse(view);
  }
  if (verb === 'proofs') {
    const proof = await ledger.prove(BigInt(place ?? '0'));
    const entry = entries[Number(place)] ?? new Uint8Array();
    return schemas.ledgerProofSchema.parse({
      v: 1,
      proof: toBase64Url(withEntry(proof, entry)),
      entry: toBase64Url(entry),
    });
  }
  if (verb !== 'logs') return undefined;
  return schemas.logsSchema.parse({
    v: 1,
    own: {
      origin: ledger.origin,
      size: entries.length,
      cosignedSize: 3,
      cosigners: [{ peerId: '12D3KooWStudy', name: 'study-pc', timeS: Math.floor(Date.now() / 1_000) - 90 }],
    },
    copies: [{ ...neighbour, size: 120, headSize: 260, bytes: 48_000 }],
    witnessed: [{ ...neighbour, size: 260 }],
    forked: [
      {
        origin: '12D3KooWForger',
        name: 'old-nas',
        sizes: [40, 52],
        sinceMs: Date.now() - 7_200_000,
        toldBy: '12D3KooWStudy',
        refused: true,
      },
    ],
  });
}
