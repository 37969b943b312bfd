import { byteName, PeerAiError, type Row, type Store } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { decodeBlock, decodeDraft, type Draft } from './block.ts';
import { verifyEvidence } from './evidence.ts';
import { type ChainPlace, decodePlace } from './place.ts';
import { blockKey, decodeCertificateRow, placeKey, rowsOf } from './rows.ts';
import {
  type AgreementState,
  certified,
  emptyRound,
  noView,
  type Parts,
  type Round,
  stateAt,
  statementName,
  type ViewState,
} from './state.ts';
import { decodeStatement } from './statement.ts';
import type { Evidence } from './types.ts';

/** What a member goes on from. Throws LEDGER_DAMAGED for rows that this program did not write so. */
export async function loadState(
  store: Store,
  { crypto }: Pick<Parts, 'crypto'>,
  first: ChainPlace,
): Promise<AgreementState> {
  try {
    const place = await loadPlace(store, crypto, first);
    const state = stateAt(place, await loadRound(store, crypto));
    const lies = new Set<string>();
    await each(store, rowsOf.lies, new Set(), ({ key }) => lies.add(key.slice(rowsOf.lies[0].length)));
    return { ...state, lies };
  } catch (error) {
    if (!PeerAiError.is(error, 'INVALID_FORMAT', 'INVALID_VERSION', 'LIMIT_EXCEEDED')) throw error;
    throw new PeerAiError<LedgerErrorCode>(
      'LEDGER_DAMAGED',
      'what is stored of this group is damaged',
      {},
      { cause: error },
    );
  }
}

async function loadPlace(store: Store, crypto: Parts['crypto'], first: ChainPlace): Promise<ChainPlace> {
  const row = await store.get(placeKey);
  if (row === undefined) return first;
  const place = decodePlace(first.group, row);
  const newest = await store.get(blockKey(place.height));
  const hash = newest === undefined ? undefined : decodeBlock(crypto, newest).hash;
  if (hash === undefined || byteName(hash) !== byteName(place.hash))
    throw new PeerAiError('INVALID_FORMAT', 'the newest block is missing or another');
  return place;
}

async function loadRound(store: Store, crypto: Parts['crypto']): Promise<Round> {
  const rows = new Set<string>();
  const views = new Map<number, ViewState>();
  const drafts = new Map<string, Draft>();
  let view = 1;
  const viewAt = (at: number): ViewState => views.get(at) ?? noView;
  await each(store, rowsOf.statements, rows, ({ value }) => {
    const said = decodeStatement(value);
    const statements = new Map(viewAt(said.view).statements).set(statementName(said.kind, said.signer), said);
    views.set(said.view, { ...viewAt(said.view), statements });
    view = Math.max(view, said.view);
  });
  await each(store, rowsOf.certificates, rows, ({ value }) => {
    const certificate = decodeCertificateRow(value);
    views.set(certificate.view, { ...viewAt(certificate.view), [certified[certificate.kind]]: certificate });
  });
  await each(store, rowsOf.drafts, rows, ({ value }) => {
    const draft = decodeDraft(crypto, value);
    drafts.set(byteName(draft.hash), draft);
  });
  return { ...emptyRound, view, views, drafts, rows };
}

async function each(
  store: Store,
  [from, to]: readonly [string, string],
  rows: Set<string>,
  take: (row: Row) => unknown,
): Promise<void> {
  for await (const row of store.range(from, to)) {
    rows.add(row.key);
    take(row);
  }
}

/** Oldest height first. */
export async function loadEvidence(store: Store, crypto: Parts['crypto']): Promise<readonly Evidence[]> {
  const found: Evidence[] = [];
  await each(store, rowsOf.lies, new Set(), ({ value }) => {
    const { group: _, ...evidence } = verifyEvidence(crypto, value);
    found.push(evidence);
  });
  return found.toSorted((a, b) => a.height - b.height || a.view - b.view);
}
