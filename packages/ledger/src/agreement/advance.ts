import { byteName, equalBytes, toHex } from '@peerai/core-protocol';
import { type Draft, draftOf, encodeBlock, encodeDraft } from './block.ts';
import { faultsOf, leaderOf } from './epoch.ts';
import { keepDraft, learnStatement, persistDraft } from './learn.ts';
import { agreementLimits as limits } from './limits.ts';
import { encodeMessage } from './message.ts';
import { encodePlace, placeAfter } from './place.ts';
import { hasEntries, isAgreed, nextEntries, poolAfterBlock } from './pool.ts';
import { blockKey, draftKey, placeKey, statementKey } from './rows.ts';
import { encodeStatement, noBlock, signStatement } from './statement.ts';
import {
  broadcast,
  emptyRound,
  heightOf,
  isMember,
  keepRow,
  ownStatement,
  setRound,
  statementName,
  type Turn,
  viewAt,
} from './state.ts';
import type { Certificate, StatementKind } from './types.ts';

/** Does all that follows from what is known, until nothing more does. Each pass decides, moves to a later view or says something new. */
export function advance(turn: Turn): void {
  while (decide(turn) || moveOn(turn) || (isMember(turn) && speak(turn)));
  setTimer(turn);
}

/** What this member has to say in its view, one thing at a time. */
const speak = (turn: Turn): boolean => notarize(turn) || finalize(turn) || joinNullify(turn) || propose(turn);

function decide(turn: Turn): boolean {
  const { views, drafts } = turn.state.round;
  for (const { finalized } of views.values()) {
    const draft = finalized && drafts.get(byteName(finalized.block));
    if (finalized === undefined || draft === undefined) continue;
    append(turn, draft, finalized);
    return true;
  }
  return false;
}

/** The block is in the chain; what this member said about it is forgotten with the same commit. */
export function append(turn: Turn, draft: Draft, certificate: Certificate): void {
  const { rows } = turn.state.round;
  const place = placeAfter(turn.state.place, draft);
  const bytes = encodeBlock({ ...draft, certificate });
  turn.effects.push({ type: 'persist', key: blockKey(place.height), value: bytes });
  turn.effects.push({ type: 'persist', key: placeKey, value: encodePlace(place) });
  for (const key of rows) turn.effects.push({ type: 'persist', key, value: undefined });
  turn.effects.push({ type: 'decided', block: { ...draft, certificate }, bytes });
  turn.state = { ...turn.state, place, round: emptyRound, carried: new Map() };
  poolAfterBlock(turn, draft.entries);
}

/** A quorum gave this view up, or is in a later one, or this member gave it up and a block in it may still be decided without it. */
function moveOn(turn: Turn): boolean {
  const { view, views } = turn.state.round;
  let next = view;
  for (const [at, { nullified, notarized }] of views) {
    if (nullified !== undefined) next = Math.max(next, at + 1);
    if (notarized !== undefined) next = Math.max(next, at);
  }
  const { notarized } = viewAt(turn.state, view);
  if (next === view && notarized !== undefined && ownStatement(turn, 'nullify') !== undefined) next = view + 1;
  if (next === view || next > limits.viewsMax) return false;
  enter(turn, next);
  return true;
}

function enter(turn: Turn, view: number): void {
  const { views, drafts, rows } = turn.state.round;
  const named = new Set<string>();
  const kept = new Map(
    [...views].map(([at, state]) => {
      const isNear = at >= view - limits.viewsBehindMax;
      for (const one of state.statements.values())
        if (at >= view && one.kind === 'propose') named.add(byteName(one.block));
      if (state.notarized !== undefined) named.add(byteName(state.notarized.block));
      return [at, isNear ? state : { ...state, statements: new Map() }] as const;
    }),
  );
  const used = new Map([...drafts].filter(([name, { hash }]) => named.has(name) || rows.has(draftKey(toHex(hash)))));
  setRound(turn, { view, deadlineMs: undefined, views: kept, drafts: used });
}

/** Keeps, then tells, what this member states. */
function say(turn: Turn, kind: StatementKind, block: Uint8Array, parent = 0, draft?: Draft): void {
  const { place, round } = turn.state;
  const { group, epoch } = place;
  const height = heightOf(turn.state);
  const statement = { kind, group, epoch: epoch.number, height, view: round.view, parent, block };
  const signed = signStatement(turn.parts.identity, statement);
  const bytes = encodeStatement(signed);
  keepRow(turn, statementKey(round.view, kind), bytes);
  broadcast(
    turn,
    kind === 'propose'
      ? encodeMessage({ proposal: bytes, draft: draft && encodeDraft(draft), certificates: proofFor(turn, parent) })
      : encodeMessage({ votes: [bytes] }),
  );
  learnStatement(turn, signed, true);
}

/** The certificates that make a proposal on `parent` good in this view, the newest of them. */
export function proofFor({ state }: Turn, parent: number): readonly Certificate[] {
  const { view, views } = state.round;
  const found: Certificate[] = [];
  for (let at = view - 1; at >= Math.max(parent, 1) && found.length < limits.certificatesPerMessageMax; at -= 1) {
    const certificate = at === parent ? views.get(at)?.notarized : views.get(at)?.nullified;
    if (certificate !== undefined) found.push(certificate);
  }
  return found;
}

function propose(turn: Turn): boolean {
  const { state, parts } = turn;
  const { place, round } = state;
  const height = heightOf(state);
  const isTurn = leaderOf(place.epoch, height, round.view) === parts.identity.peer;
  if (!isTurn || ownStatement(turn, 'propose') !== undefined || hasGivenUp(turn)) return false;
  let parent = round.view - 1;
  for (; parent > 0; parent -= 1) {
    const { notarized, nullified } = viewAt(state, parent);
    if (notarized !== undefined) {
      say(turn, 'propose', notarized.block, parent, round.drafts.get(byteName(notarized.block)));
      return true;
    }
    if (nullified === undefined) return false;
  }
  const entries = nextEntries(turn);
  if (entries.length === 0) return false;
  const { group, epoch, hash: previous } = place;
  const timeMs = Math.max(0, Math.trunc(turn.timeMs));
  const draft = draftOf(parts.crypto, { group, height, epoch: epoch.number, previous, timeMs }, entries);
  keepDraft(turn, draft);
  persistDraft(turn, draft);
  say(turn, 'propose', draft.hash, 0, draft);
  return true;
}

const hasGivenUp = (turn: Turn): boolean => ownStatement(turn, 'nullify') !== undefined;
const said = (turn: Turn) => ({ nullify: hasGivenUp(turn), finalize: ownStatement(turn, 'finalize') !== undefined });

function notarize(turn: Turn): boolean {
  const { state, parts } = turn;
  const { round } = state;
  const proposal = proposalOf(turn);
  if (proposal === undefined || ownStatement(turn, 'notarize') !== undefined) return false;
  if (!parts.rules.maySay(said(turn), 'notarize')) return false;
  const { parent, block } = proposal;
  if (!parts.rules.isJustified(round.views, round.view, parent, block)) return false;
  const draft = round.drafts.get(byteName(block));
  if (parent === 0) {
    // A quorum has looked into a block that was notarized before; into a fresh one this member looks itself.
    if (draft === undefined || !draft.entries.every((entry) => isAgreed(turn, entry))) return false;
  }
  if (draft !== undefined) persistDraft(turn, draft);
  say(turn, 'notarize', block);
  return true;
}

/** What the leader of this view proposed. */
export function proposalOf({ state }: Turn) {
  const { place, round } = state;
  const leader = leaderOf(place.epoch, heightOf(state), round.view);
  return viewAt(state, round.view).statements.get(statementName('propose', leader));
}

function finalize(turn: Turn): boolean {
  const { notarized } = viewAt(turn.state, turn.state.round.view);
  if (notarized === undefined || ownStatement(turn, 'finalize') !== undefined) return false;
  if (!turn.parts.rules.maySay(said(turn), 'finalize')) return false;
  say(turn, 'finalize', notarized.block);
  return true;
}

/** One honest member at least has waited long enough. */
function joinNullify(turn: Turn): boolean {
  const { place, round } = turn.state;
  const { statements } = viewAt(turn.state, round.view);
  const count = [...statements.values()].filter(({ kind }) => kind === 'nullify').length;
  return count > faultsOf(place.epoch.members.length) && nullify(turn);
}

function nullify(turn: Turn): boolean {
  if (!turn.parts.rules.maySay(said(turn), 'nullify')) return false;
  say(turn, 'nullify', noBlock);
  return true;
}

/** The view's time is over: it is given up, or, where this member wants its block decided, left to the others. */
export function giveUp(turn: Turn): void {
  const { view, deadlineMs } = turn.state.round;
  if (deadlineMs === undefined || turn.nowMs < deadlineMs || !isMember(turn)) return;
  setRound(turn, { deadlineMs: undefined });
  if (nullify(turn)) return;
  if (viewAt(turn.state, view).notarized !== undefined && view < limits.viewsMax) enter(turn, view + 1);
}

/** A view ends by itself only while there is something to decide: a group without wishes rests. */
function setTimer(turn: Turn): void {
  const { deadlineMs, view } = turn.state.round;
  if (!isBusy(turn)) {
    if (deadlineMs !== undefined) setRound(turn, { deadlineMs: undefined });
    return;
  }
  if (deadlineMs !== undefined) return;
  const { viewTimeoutMs, viewTimeoutMsMax } = turn.parts.times;
  const timeoutMs = Math.min(viewTimeoutMsMax, viewTimeoutMs * 1.5 ** Math.min(view - 1, 64));
  setRound(turn, { deadlineMs: turn.nowMs + timeoutMs });
}

export function isBusy(turn: Turn): boolean {
  if (!isMember(turn)) return false;
  const { views } = turn.state.round;
  const isOpen = [...views.values()].some(({ notarized, finalized }) => (notarized ?? finalized) !== undefined);
  return isOpen || ownStatement(turn, 'notarize') !== undefined || hasEntries(turn);
}

/** Hash of a block that a certificate or the leader of this view names and that is not here. */
export function wantedBlock(turn: Turn): Uint8Array {
  const { round } = turn.state;
  const isHere = (block: Uint8Array): boolean => round.drafts.has(byteName(block));
  for (const { finalized } of round.views.values())
    if (finalized !== undefined && !isHere(finalized.block)) return finalized.block;
  const proposal = proposalOf(turn);
  if (proposal !== undefined && !isHere(proposal.block)) return proposal.block;
  for (const { notarized } of round.views.values())
    if (notarized !== undefined && !isHere(notarized.block)) return notarized.block;
  return noBlock;
}

/** A block that somebody named may come here; any other is not kept. */
export const isWanted = (turn: Turn, { hash }: Draft): boolean => {
  const { views, drafts } = turn.state.round;
  if (drafts.has(byteName(hash))) return false;
  return [...views.values()].some(
    ({ statements, notarized, finalized }) =>
      [notarized, finalized].some((one) => one !== undefined && equalBytes(one.block, hash)) ||
      [...statements.values()].some(({ kind, block }) => kind === 'propose' && equalBytes(block, hash)),
  );
};
