import { callMethod, type Logger, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { type Charter, openCharter } from './charter.ts';
import { type DocumentsDeps, takeEntries } from './documents.ts';
import { limits } from './limits.ts';
import { exchangeMethod, readVector, writeVector } from './protocol.ts';
import type { Vector } from './vector.ts';

export interface ExchangeDeps extends DocumentsDeps {
  readonly network: Network;
  readonly logger: Logger;
  /** Who shares it, oneself included; nobody where its group is not known here. */
  readonly membersOf: (charter: Charter) => Promise<readonly PeerId[]>;
  /** May this peer bring us documents, and have ours that are shared with it? */
  readonly mayShare: (peer: PeerId) => boolean;
  /** A document came, or has other members. */
  readonly told: (id: string) => void;
}
type Said = ReturnType<typeof exchangeMethod.request.decode>;

/**
 * The document that somebody speaks of, when they share it; its newest charter is kept. Throws INVALID_FORMAT, INVALID_SIGNATURE, REFUSED.
 */
export async function admit(deps: ExchangeDeps, peer: PeerId, bytes: Uint8Array): Promise<Charter> {
  const { book, identity, crypto } = deps;
  const told = openCharter(crypto, bytes);
  return book.inTurn(told.id, async () => {
    if (!deps.mayShare(peer) || (await book.isForgotten(told.id))) throw notShared();
    const known = (await book.find(told.id))?.charter;
    const isNewer = known === undefined || told.version > known.version;
    const charter = isNewer ? told : known;
    const members = await deps.membersOf(charter);
    const isShared = members.includes(peer) && members.includes(identity.peer);
    if (known === undefined) {
      if (!isShared) throw notShared();
      const all = await book.charters();
      const theirs = all.filter(({ founder }) => founder === charter.founder).length;
      if (all.length >= limits.documentsMax || theirs >= limits.documentsPerFounderMax) {
        throw new PeerAiError('REFUSED', 'this peer keeps no more documents');
      }
    }
    if (isNewer) {
      await book.charter(charter);
      deps.told(charter.id);
    }
    if (!isShared) throw notShared();
    return charter;
  });
}
const notShared = (): PeerAiError => new PeerAiError('REFUSED', 'this document is not shared with this peer');

/** Our side of one exchange that another peer began. */
export async function answerExchange(deps: ExchangeDeps, peer: PeerId, asked: Said): Promise<Said> {
  const { book } = deps;
  const { id } = await admit(deps, peer, asked.charter);
  const theirs = readVector(asked.vector);
  return book.inTurn(id, async () => {
    await takeEntries(deps, id, asked.entries);
    const document = await book.open(id);
    const entries = (await book.missing(document, theirs)).map(({ bytes }) => bytes);
    return { charter: document.charter.bytes, vector: writeVector(document.vector), entries };
  });
}

/**
 * Both have the same afterwards, as far as limits let them; returns what the other has. `theirs`: what it had when we last heard.
 * Throws what `callMethod` throws, REFUSED, INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_REACHED.
 */
export async function exchange(
  deps: ExchangeDeps,
  peer: PeerId,
  id: string,
  before: Vector | undefined,
  signal: AbortSignal,
): Promise<Vector | undefined> {
  const { book } = deps;
  let theirs = before;
  for (let round = 0; round < limits.roundsMax; round += 1) {
    const asked = await book.inTurn(id, async () => say(deps, peer, id, theirs));
    const answer = await callMethod(deps, peer, exchangeMethod, asked, { signal });
    const charter = await admit(deps, peer, answer.charter);
    if (charter.id !== id) throw new PeerAiError('INVALID_FORMAT', 'the answer is about another document');
    theirs = readVector(answer.vector);
    const vector = theirs;
    const isLevel = await book.inTurn(id, async () => {
      await takeEntries(deps, id, answer.entries);
      return answer.entries.length === 0 && (await book.missing(await book.open(id), vector)).length === 0;
    });
    if (isLevel) break;
  }
  return theirs;
}

async function say(deps: ExchangeDeps, peer: PeerId, id: string, theirs: Vector | undefined): Promise<Said> {
  const { book } = deps;
  const document = await book.open(id);
  // Who shares it no more is told so, and nothing else.
  if (!(await deps.membersOf(document.charter)).includes(peer)) {
    return { charter: document.charter.bytes, vector: [], entries: [] };
  }
  const entries = theirs === undefined ? [] : await book.missing(document, theirs);
  return {
    charter: document.charter.bytes,
    vector: writeVector(document.vector),
    entries: entries.map(({ bytes }) => bytes),
  };
}
