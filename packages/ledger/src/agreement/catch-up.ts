import type { PeerId } from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import { type AgreementMessage, encodeMessage } from './message.ts';
import type { Turn } from './state.ts';
import { noBlock } from './statement.ts';

/**
 * Who is no member as far as this peer's chain goes may be one further on: the members that this peer knows may all be gone, or none of them linked
 * with it. Such a peer is heard in one thing. Where it says that it is ahead it is asked for blocks, and each block stands for itself: a quorum of the
 * members that the blocks before name signed it. Its votes, entries and certificates count from the block on that names it.
 */
export function askUnknown(turn: Turn, from: PeerId): void {
  const { unknown } = turn.state;
  const open = [...unknown].filter(([, atMs]) => turn.nowMs < atMs + limits.answerMs);
  if (open.length >= limits.unknownAskedMax || open.some(([peer]) => peer === from)) return;
  // Those that were asked last, so that one whose answer is on its way is forgotten last.
  const kept = [...unknown].filter(([peer]) => peer !== from).slice(-(limits.unknownAskedMax - 1));
  turn.state = { ...turn.state, unknown: new Map([...kept, [from, turn.nowMs]]) };
  const { height } = turn.state.place;
  // This peer's height and no more of it.
  const said = encodeMessage({ where: { height, view: 1, missing: 1, wants: noBlock } });
  turn.effects.push({ type: 'send', to: from, bytes: said });
}

/** Whether a peer was asked, and has not answered yet: one question, one answer, so nobody makes this one check more than it wants. */
export function isAnswer(turn: Turn, from: PeerId, { blocks }: AgreementMessage): boolean {
  const { unknown } = turn.state;
  if (blocks.length === 0 || !unknown.has(from)) return false;
  turn.state = { ...turn.state, unknown: new Map([...unknown].filter(([peer]) => peer !== from)) };
  return true;
}
