import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { append, isWanted } from './advance.ts';
import { decodeDraft } from './block.ts';
import { carry } from './carry.ts';
import { askUnknown, isAnswer } from './catch-up.ts';
import { keepDraft, learnCertificate, learnStatement } from './learn.ts';
import { agreementLimits as limits } from './limits.ts';
import { type AgreementMessage, decodeMessage } from './message.ts';
import { openNextBlock } from './next-block.ts';
import { checkDraft } from './place.ts';
import { learnEntry } from './pool.ts';
import { hears } from './reach.ts';
import { decodeStatement } from './statement.ts';
import { heightOf, type Turn, withEntry } from './state.ts';
import { answer, ask } from './talk.ts';
import type { SignedStatement } from './types.ts';

/**
 * Reads what a present or past member sent, and of who may be one further on its blocks. What is malformed or wrong is left out, and all else in the
 * message still counts.
 */
export function receive(turn: Turn, from: PeerId, bytes: Uint8Array): void {
  const message = attempt(() => decodeMessage(bytes));
  if (message === undefined) return;
  if (!turn.state.place.numbers.has(from)) return receiveUnknown(turn, from, message);
  takeHello(turn, from);
  if (takeBlocks(turn, message)) ask(turn, from, true);
  const entries = message.entries.flatMap((entry) => attempt(() => learnEntry(turn, entry)) ?? []);
  for (const certificate of message.certificates) attempt(() => learnCertificate(turn, certificate));
  const statements = takeStatements(turn, from, message, bytes);
  if (message.draft !== undefined) takeDraft(turn, message.draft);
  carry(turn, from, { statements, entries: turn.parts.rules.mayCarry('new') ? entries : [] });
  if (message.where !== undefined) answer(turn, from, message.where, message.reach);
}

/** Who is heard anew is told soon that it is: what others say is handed on to it from its own word on. */
function takeHello(turn: Turn, from: PeerId): void {
  const { state, parts, nowMs } = turn;
  const talkMs = hears(turn, from) ? state.talkMs : Math.min(state.talkMs, nowMs + parts.times.resendMs);
  turn.state = { ...state, talkMs, heard: withEntry(state.heard, from, nowMs) };
}

function receiveUnknown(turn: Turn, from: PeerId, message: AgreementMessage): void {
  const { where } = message;
  const isMore = isAnswer(turn, from, message) && takeBlocks(turn, message);
  const { numbers, height } = turn.state.place;
  if (isMore && numbers.has(from)) {
    takeHello(turn, from);
    ask(turn, from, true);
  } else if (isMore || (where !== undefined && where.height > height)) askUnknown(turn, from);
}

/** Decided blocks in their order; those that are here already are passed over. @returns whether any was new. */
function takeBlocks(turn: Turn, { blocks }: AgreementMessage): boolean {
  const before = turn.state.place.height;
  for (const bytes of blocks) {
    attempt(() => {
      const { place } = turn.state;
      const { crypto, rules } = turn.parts;
      const { block } = openNextBlock(crypto, rules, place, bytes);
      append(turn, block, block.certificate);
    });
  }
  return turn.state.place.height > before;
}

/** @returns what may be handed on. */
function takeStatements(
  turn: Turn,
  from: PeerId,
  { proposal, votes }: AgreementMessage,
  bytes: Uint8Array,
): readonly SignedStatement[] {
  const all = [...(proposal === undefined ? [] : [proposal]), ...votes];
  const read = all.flatMap((one) => attempt(() => decodeStatement(one)) ?? []);
  const here = heightOf(turn.state);
  const news = read.filter(
    (statement) => statement.height === here && turn.parts.rules.mayCarry(learnStatement(turn, statement)),
  );
  const ahead = Math.max(...read.map(({ height }) => height), 0);
  if (ahead === here + 1) keepEarly(turn, from, bytes);
  if (ahead > here) ask(turn, from);
  return news;
}

/** For the height after this one, which ends a hop later here than there. */
function keepEarly(turn: Turn, from: PeerId, bytes: Uint8Array): void {
  const { early } = turn.state;
  const waiting = early.get(from) ?? [];
  if (waiting.length < limits.earlyMessagesMax)
    turn.state = { ...turn.state, early: withEntry(early, from, [...waiting, bytes]) };
}

/** Reads once more what came too early for the height before. */
export function receiveEarly(turn: Turn): void {
  const { early } = turn.state;
  turn.state = { ...turn.state, early: new Map() };
  for (const [from, messages] of early) for (const bytes of messages) receive(turn, from, bytes);
}

function takeDraft(turn: Turn, bytes: Uint8Array): void {
  attempt(() => {
    const draft = decodeDraft(turn.parts.crypto, bytes);
    if (draft.header.height !== heightOf(turn.state) || !isWanted(turn, draft)) return;
    checkDraft(turn.parts.crypto, turn.state.place, draft);
    keepDraft(turn, draft);
  });
}

/** The work's result; undefined when what another sent is wrong. Our own defects are thrown. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (PeerAiError.is(error)) return undefined;
    throw error;
  }
}
