import { byteName, type PeerId } from '@peerai/core-protocol';
import { isBusy, proposalOf, proofFor, wantedBlock } from './advance.ts';
import { encodeDraft } from './block.ts';
import { giveLacking, inPieces } from './carry.ts';
import { agreementLimits as limits } from './limits.ts';
import { encodeMessage, type Where } from './message.ts';
import { learnReach, type Reach, reachAt } from './reach.ts';
import { encodeStatement } from './statement.ts';
import { broadcast, isMember, ownStatement, type Turn, viewAt, withEntry } from './state.ts';
import type { Certificate } from './types.ts';

/** Says again what this member said in its view and what it lacks: links lose messages, and a late member learns so that it is late. */
export function talk(turn: Turn): void {
  const { state, parts, nowMs } = turn;
  if (nowMs < state.talkMs) return;
  const isOpen = isBusy(turn) || state.own.length > 0 || state.round.views.size > 0;
  turn.state = { ...state, talkMs: nowMs + (isOpen ? parts.times.resendMs : parts.times.idleMs) };
  if (!isMember(turn)) return broadcast(turn, encodeMessage({ where: whereAt(turn) }));
  const proposal = ownStatement(turn, 'propose');
  const votes = (['notarize', 'nullify', 'finalize'] as const).flatMap((kind) => ownStatement(turn, kind) ?? []);
  broadcast(
    turn,
    encodeMessage({
      proposal: proposal && encodeStatement(proposal),
      votes: votes.map(encodeStatement),
      certificates:
        proposal === undefined
          ? newest(turn)
          : [...newest(turn), ...proofFor(turn, proposal.parent)].slice(0, limits.certificatesPerMessageMax),
      where: whereAt(turn),
      // Who has heard nobody yet would be told by all what it is about to hear.
      reach: turn.state.heard.size === 0 ? undefined : reachAt(turn),
    }),
  );
  for (const bytes of waiting(turn)) broadcast(turn, encodeMessage({ entries: bytes }));
}

/** Certificates of this view and the one before. */
function newest({ state }: Turn): readonly Certificate[] {
  const { view } = state.round;
  return [view, view - 1].flatMap((at) => certificatesAt(viewAt(state, at)));
}
const certificatesAt = ({ finalized, notarized, nullified }: ReturnType<typeof viewAt>): Certificate[] =>
  [finalized, notarized, nullified].filter((one) => one !== undefined);

/** Own entries, and once a view failed those of others too: their author may have told only some. In pieces that fit a message. */
function waiting({ state }: Turn): readonly (readonly Uint8Array[])[] {
  const { own, pool, round } = state;
  const others = round.view > 1 ? [...pool.values()].flatMap((entries) => [...entries.values()]) : [];
  return inPieces([...own.map(({ entry }) => entry), ...others]);
}

function whereAt(turn: Turn): Where {
  const { place, round } = turn.state;
  const parent = proposalOf(turn)?.parent;
  const lacks = (at: number): boolean => {
    const { notarized, nullified } = viewAt(turn.state, at);
    if (parent === undefined || at < parent) return notarized === undefined && nullified === undefined;
    return at === parent ? notarized === undefined : nullified === undefined;
  };
  let missing = 1;
  while (missing < round.view && !lacks(missing)) missing += 1;
  return { height: place.height, view: round.view, missing, wants: wantedBlock(turn) };
}

/** Another member says where it is: it gets what it lacks, or is asked for what this one lacks. */
export function answer(turn: Turn, from: PeerId, where: Where, reach?: Reach): void {
  const { place, round } = turn.state;
  if (where.height > place.height) return ask(turn, from);
  const isLevel = reach !== undefined && where.height === place.height && isMember(turn, from);
  if (isLevel) learnReach(turn, from, reach);
  if (!mayAnswer(turn, from, where.height)) return;
  if (where.height < place.height) {
    turn.effects.push({ type: 'send-blocks', to: from, fromHeight: where.height + 1 });
    return;
  }
  if (isLevel && isMember(turn)) giveLacking(turn, from, where, reach);
  const certificates: Certificate[] = [];
  for (let at = where.missing; at <= round.view && certificates.length < limits.certificatesPerMessageMax; at += 1)
    if (at < where.view || round.view > where.view) certificates.push(...certificatesAt(viewAt(turn.state, at)));
  const draft = round.drafts.get(byteName(where.wants.length === 32 ? where.wants : new Uint8Array()));
  if (certificates.length === 0 && draft === undefined) return;
  const bytes = encodeMessage({
    certificates: certificates.slice(0, limits.certificatesPerMessageMax),
    draft: draft && encodeDraft(draft),
  });
  turn.effects.push({ type: 'send', to: from, bytes });
}

/** One that moved on is answered at once; one that asks the same again, not more often than a link could bring it. */
function mayAnswer(turn: Turn, from: PeerId, height: number): boolean {
  const { answered } = turn.state;
  const last = answered.get(from);
  if (last !== undefined && height <= last.height && turn.nowMs < last.atMs + limits.answerMs) return false;
  turn.state = { ...turn.state, answered: withEntry(answered, from, { atMs: turn.nowMs, height }) };
  return true;
}

/** Asks one member for what it has and this one lacks. `again`: it gave a full answer, so more is to come. */
export function ask(turn: Turn, from: PeerId, again = false): void {
  const { asked } = turn.state;
  const last = asked.get(from);
  if (!again && last !== undefined && turn.nowMs < last + limits.answerMs) return;
  turn.state = { ...turn.state, asked: withEntry(asked, from, turn.nowMs) };
  turn.effects.push({ type: 'send', to: from, bytes: encodeMessage({ where: whereAt(turn) }) });
}
