import type { Machine } from '@peerai/core-protocol';
import { advance, giveUp } from './advance.ts';
import { submit } from './pool.ts';
import { receive, receiveEarly } from './receive.ts';
import type { AgreementState, Parts, Turn } from './state.ts';
import { talk } from './talk.ts';
import type { AgreementEffect, AgreementEvent } from './types.ts';

/**
 * One member as a function of what happens to it. Simplex (Chan and Pass, TCC 2023, https://eprint.iacr.org/2023/463), one height after the other:
 * a leader proposes, a quorum notarizes, then finalizes; who waits too long nullifies the view, and a quorum of those begins the next. No clock, no
 * randomness, no timer: `nowMs` comes with each event, signatures and `judge` are functions.
 */
export function createMachine(parts: Parts): Machine<AgreementState, AgreementEvent, AgreementEffect> {
  return {
    step(state, event, nowMs) {
      const turn: Turn = { parts, nowMs, timeMs: event.timeMs, effects: [], state };
      if (event.type === 'submitted') submit(turn, event.wishes);
      if (event.type === 'received') receive(turn, event.from, event.bytes);
      giveUp(turn);
      for (let height = -1; height !== turn.state.place.height;) {
        height = turn.state.place.height;
        advance(turn);
        if (turn.state.early.size > 0 && turn.state.place.height > state.place.height) receiveEarly(turn);
      }
      talkAfter(turn, state);
      const { round, talkMs, wakeMs } = turn.state;
      const nextMs = Math.min(round.deadlineMs ?? talkMs, talkMs);
      if (nextMs !== wakeMs || event.type === 'ticked') {
        turn.state = { ...turn.state, wakeMs: nextMs };
        turn.effects.push({ type: 'wake', atMs: nextMs });
      }
      return [turn.state, turn.effects];
    },
  };
}

/** A member at rest speaks up seldom; once there is something to decide it does so again soon. */
function talkAfter(turn: Turn, before: AgreementState): void {
  const { state, nowMs, parts } = turn;
  const isNew = before.round.views.size === 0 && before.own.length === 0;
  const isOpen = state.round.views.size > 0 || state.own.length > 0;
  if (isOpen !== (state.busyMs !== undefined) || isNew) turn.state = { ...state, busyMs: isOpen ? nowMs : undefined };
  // New members hear of it at once: until then they know of no block.
  if (state.place.epoch.number !== before.place.epoch.number) turn.state = { ...turn.state, talkMs: nowMs };
  else if (isNew && isOpen)
    turn.state = { ...turn.state, talkMs: Math.min(state.talkMs, nowMs + parts.times.resendMs) };
  talk(turn);
}
