import { byteName, type PeerId } from '@peerai/core-protocol';
import { type Draft, encodeDraft } from './block.ts';
import { encodeChainEntry } from './entry.ts';
import { agreementLimits as limits } from './limits.ts';
import { encodeMessage, type Where } from './message.ts';
import { hasStatement, hears, hearThrough, type Reach, statementKinds } from './reach.ts';
import { encodeStatement } from './statement.ts';
import { isMember, statementName, type Turn, viewAt } from './state.ts';
import type { ChainEntry, SignedStatement } from './types.ts';

/** Of other members, and checked. */
export interface News {
  readonly statements: readonly SignedStatement[];
  readonly entries: readonly ChainEntry[];
}

/**
 * Hands on what is new here to each member that this one hears and that says it does not hear who signed it. Where all are linked that is nothing;
 * elsewhere an item goes over a link once in each direction, since a member takes a statement as new once and an entry once by its hash, so it ends
 * after as many hops as there are members. Nobody is asked to carry and nobody's word that it did counts: a member that keeps things to itself is
 * passed by as long as the others are connected without it.
 */
export function carry(turn: Turn, from: PeerId, { statements, entries }: News): void {
  if ((statements.length === 0 && entries.length === 0) || !isMember(turn)) return;
  hearThrough(turn, from, [...statements.map(({ signer }) => signer), ...entries.map(({ author }) => author)]);
  const { state, parts } = turn;
  const self = parts.identity.peer;
  const fresh = entries.flatMap((entry) => {
    const name = byteName(parts.crypto.sha256(encodeChainEntry(entry)));
    const before = state.carried.get(entry.author);
    const isOver = before !== undefined && (before.has(name) || before.size >= limits.carriedPerAuthorMax);
    return isOver ? [] : [{ entry, name }];
  });
  const carried = new Map(state.carried);
  for (const peer of state.place.epoch.members) {
    if (peer === self || peer === from || !hears(turn, peer)) continue;
    const said = statements.filter(({ signer }) => signer !== self && lacks(turn, peer, signer));
    const written = fresh.filter(({ entry }) => lacks(turn, peer, entry.author));
    for (const { entry, name } of written) carried.set(entry.author, new Set(carried.get(entry.author)).add(name));
    hand(turn, peer, { statements: said, entries: written.map(({ entry }) => entry) });
  }
  turn.state = { ...turn.state, carried };
}

/** It said whom it hears, and this one is not among them. */
const lacks = ({ state }: Turn, peer: PeerId, signer: PeerId): boolean =>
  signer !== peer && state.hearsOf.get(peer)?.has(signer) === false;

/**
 * What a member at this height lacks of those it does not hear: links lose what was carried, and nobody carries twice. At most one message of each
 * kind: who says again where it is gets the next.
 */
export function giveLacking(turn: Turn, peer: PeerId, where: Where, reach: Reach): void {
  const { state, parts } = turn;
  if (!parts.rules.mayCarry('new')) return;
  const { members } = state.place.epoch;
  const { statements } = viewAt(state, where.view);
  const said: SignedStatement[] = [];
  const written: ChainEntry[] = [];
  for (const [place, signer] of members.entries()) {
    if (!lacks(turn, peer, signer)) continue;
    for (const kind of statementKinds) {
      const one = hasStatement(members, reach, kind, place) ? undefined : statements.get(statementName(kind, signer));
      if (one !== undefined) said.push(one);
    }
    const from = Math.max(reach.pending[place] ?? 0, state.place.numbers.get(signer) ?? 0);
    const waiting = state.pool.get(signer);
    for (let number = from + 1; waiting?.has(number) === true; number += 1)
      written.push(waiting.get(number) as ChainEntry);
  }
  hand(turn, peer, { statements: said, entries: written });
}

/** In messages that a link takes. */
function hand(turn: Turn, to: PeerId, { statements, entries }: News): void {
  const proposals = statements.filter(({ kind }) => kind === 'propose');
  const votes = statements.filter(({ kind }) => kind !== 'propose');
  const give = (parts: Parameters<typeof encodeMessage>[0]): void =>
    void turn.effects.push({ type: 'send', to, bytes: encodeMessage(parts) });
  for (const one of proposals) {
    const draft = draftOf(turn, one);
    give({ proposal: encodeStatement(one), draft: draft && encodeDraft(draft) });
  }
  if (votes.length > 0) give({ votes: votes.slice(0, limits.votesPerMessageMax).map(encodeStatement) });
  const [piece] = inPieces(entries);
  if (piece !== undefined) give({ entries: piece });
}
const draftOf = ({ state }: Turn, { block }: SignedStatement): Draft | undefined =>
  state.round.drafts.get(byteName(block));

/** Entries' bytes, as many together as fit a message. */
export function inPieces(entries: readonly ChainEntry[]): readonly (readonly Uint8Array[])[] {
  const pieces: Uint8Array[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = encodeChainEntry(entry);
    const last = pieces.at(-1);
    if (last === undefined || bytes.length > room || last.length >= limits.pendingPerAuthorMax) {
      pieces.push([bytes]);
      room = limits.blocksBytesMax - bytes.length;
    } else {
      last.push(bytes);
      room -= bytes.length;
    }
  }
  return pieces;
}
