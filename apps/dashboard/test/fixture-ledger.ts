import { nobleCrypto, toBase64Url } from '@peerai/core-protocol';
import { decodeEntry, leafHash, openLedger, withEntry } from '@peerai/ledger';
import { entryView } from '@peerai/peer/entries';
import * as schemas from '@peerai/peer/schemas';
import { everyKind, own } from './fixture-entries.ts';

/** A small log that is really signed, so that the page's own check has something to check. */
async function makeLog() {
  const ledger = await openLedger({ ...own, store: own.store.room('ledger') });
  await ledger.append(everyKind);
  const entries: Uint8Array[] = [];
  for await (const bytes of ledger.read(0n, ledger.size)) entries.push(bytes);
  return { ledger, entries, note: (await ledger.checkpoint()).note };
}
const log = makeLog();
const neighbour = { origin: '12D3KooWNeighbour', name: 'lab-box' };

/** What a test changes: entries and proofs that lie. */
export interface LogState {
  /** Entries of the log as they are answered. */
  readonly altered: Map<number, Uint8Array>;
  /** Place → the place whose proof and entry are answered instead. */
  readonly provenBy: Map<number, number>;
}

export const fixtureLog = (): LogState => ({ altered: new Map(), provenBy: new Map() });

/** An entry with the last bit of its body flipped. */
export async function flipped(index: number): Promise<Uint8Array> {
  const bytes = Buffer.from((await log).entries[index] ?? []);
  const { body } = decodeEntry(bytes);
  const last = bytes.indexOf(body) + body.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return bytes;
}

/** Answers of `GET /ledger/<verb>`. */
export async function answerLedger(
  state: LogState,
  verb: string | undefined,
  place: string | undefined,
  query: URLSearchParams,
): Promise<unknown> {
  const { ledger, entries: signed, note } = await log;
  const entries = signed.map((bytes, index) => state.altered.get(index) ?? bytes);
  const limit = Number(query.get('limit') ?? 50);
  const from = Number(query.get('from') ?? Math.max(0, entries.length - limit));
  const part = entries.slice(from, from + limit);
  if (verb === 'entries') {
    const views = part.map((bytes) => {
      const entry = decodeEntry(bytes);
      return entryView(nobleCrypto, { index: entry.seq, entry, hash: leafHash(nobleCrypto, bytes), bytes });
    });
    return schemas.ledgerEntriesSchema.parse({ v: 1, size: entries.length, entries: views });
  }
  if (verb === 'page') {
    const view = { v: 1, origin: ledger.origin, size: entries.length, note, from, entries: part.map(toBase64Url) };
    return schemas.ledgerPageSchema.parse(view);
  }
  if (verb === 'proofs') {
    const index = state.provenBy.get(Number(place)) ?? Number(place);
    const proof = await ledger.prove(BigInt(index));
    const entry = entries[index] ?? new Uint8Array();
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
