import { byteName, equalBytes, toHex } from '@peerai/core-protocol';
import { type Draft, encodeDraft } from './block.ts';
import { certificateOf } from './certificate.ts';
import { leaderOf } from './epoch.ts';
import { evidenceOf } from './evidence.ts';
import { agreementLimits as limits } from './limits.ts';
import { encodeMessage } from './message.ts';
import { certificateKey, draftKey, encodeCertificateRow, lieKey, lieName } from './rows.ts';
import { isSigned } from './statement.ts';
import {
  broadcast,
  certified,
  heightOf,
  isMember,
  keepRow,
  type Learned,
  setRound,
  setView,
  statementName,
  type Turn,
  viewAt,
  withEntry,
} from './state.ts';
import type { Certificate, Evidence, SignedStatement } from './types.ts';

/**
 * Takes a statement of the height that is being decided, from whoever brought it. What is wrong, late or too early changes nothing. Only what this
 * member signed in this very step needs no check: others may bring what they say is its own.
 */
export function learnStatement(turn: Turn, statement: SignedStatement, isJustSigned = false): Learned {
  const { state, parts } = turn;
  const { place, round } = state;
  const { kind, signer, view } = statement;
  const isHere =
    statement.height === heightOf(state) &&
    statement.epoch === place.epoch.number &&
    view <= round.view + limits.viewsAheadMax &&
    view >= round.view - limits.viewsBehindMax;
  if (!isHere) return 'old';
  if (!isMember(turn, signer) || !equalBytes(statement.group, place.group)) return 'wrong';
  if (kind === 'propose' && signer !== leaderOf(place.epoch, statement.height, view)) return 'wrong';
  const { statements } = viewAt(state, view);
  const before = statements.get(statementName(kind, signer));
  if (before !== undefined && equalBytes(before.block, statement.block) && before.parent === statement.parent)
    return 'old';
  if (!isJustSigned && !isSigned(parts.crypto, statement)) return 'wrong';
  const opposite = kind === 'nullify' ? 'finalize' : kind === 'finalize' ? 'nullify' : undefined;
  const other = opposite === undefined ? undefined : statements.get(statementName(opposite, signer));
  for (const one of [before, other]) if (one !== undefined) prove(turn, evidenceOf(one, statement));
  if (before !== undefined) return 'old';
  setView(turn, view, { statements: withEntry(statements, statementName(kind, signer), statement) });
  if (kind !== 'propose') gather(turn, kind, view, statement.block);
  return 'new';
}

/** So many said the same: that is a certificate. */
function gather(turn: Turn, kind: Certificate['kind'], view: number, block: Uint8Array): void {
  const { epoch } = turn.state.place;
  const at = viewAt(turn.state, view);
  if (at[certified[kind]] !== undefined) return;
  const same = [...at.statements.values()].filter((one) => one.kind === kind && equalBytes(one.block, block));
  if (same.length < turn.parts.rules.quorumOf(epoch.members.length)) return;
  keepCertificate(turn, certificateOf(kind, epoch, same));
}

/** Takes a certificate of the height that is being decided. */
export function learnCertificate(turn: Turn, certificate: Certificate): void {
  const { state, parts } = turn;
  const { epoch, group } = state.place;
  const { kind, height, view } = certificate;
  if (height !== heightOf(state) || view === 0 || view > limits.viewsMax) return;
  if (viewAt(state, view)[certified[kind]] !== undefined) return;
  const quorum = parts.rules.quorumOf(epoch.members.length);
  if (parts.rules.isCertified(parts.crypto, group, epoch, quorum, certificate)) keepCertificate(turn, certificate);
}

function keepCertificate(turn: Turn, certificate: Certificate): void {
  const { kind, view } = certificate;
  setView(turn, view, { [certified[kind]]: certificate });
  keepRow(turn, certificateKey(view, kind), encodeCertificateRow(certificate));
  if (isMember(turn)) broadcast(turn, encodeMessage({ certificates: [certificate] }));
}

/** Whoever has seen the block can decide it once a certificate names it. */
export function keepDraft(turn: Turn, draft: Draft): void {
  setRound(turn, { drafts: withEntry(turn.state.round.drafts, byteName(draft.hash), draft) });
}
/** A member that voted for a block can give it to others, also after a crash: the quorum's word is all that they may have of it. */
export function persistDraft(turn: Turn, draft: Draft): void {
  const key = draftKey(toHex(draft.hash));
  if (!turn.state.round.rows.has(key)) keepRow(turn, key, encodeDraft(draft));
}

function prove(turn: Turn, evidence: Evidence | undefined): void {
  if (evidence === undefined) return;
  const { lies } = turn.state;
  const name = lieName(evidence.member, evidence.kind);
  if (lies.has(name) || lies.size >= limits.evidenceKeptMax) return;
  turn.state = { ...turn.state, lies: new Set(lies).add(name) };
  turn.effects.push({ type: 'persist', key: lieKey(name), value: evidence.bytes }, { type: 'lied', evidence });
}
