import { PeerAiError, type PeerId, serveMethod, toHex } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { follow, type FollowOutcome, leaderKnownTo, notLeading } from './follow.ts';
import type { LeadOutcome, RunLeader } from './lead.ts';
import { commitMethod, submitMethod, watchMethod } from './messages.ts';
import type { SharedState } from './outer.ts';
import {
  type CommitUpdate,
  type Learner,
  type Participant,
  randomOf,
  type RunDeps,
  type RunEvent,
  type UnmaskedStates,
  type UpdatePrivacy,
} from './participant.ts';
import { sumMethod } from './private/messages.ts';
import { checkRun, type Run, type RunSpec } from './run-spec.ts';
import { encodeState } from './shared-state.ts';

export interface PartOptions {
  readonly spec: RunSpec;
  /** Where this peer begins: the run's first weights, or what a checkpoint kept. A member that is behind fetches the rest. */
  readonly from: SharedState;
  /** Who may know who coordinates. Empty for the peer that opens the run. */
  readonly ask: readonly PeerId[];
  readonly learner: Learner;
  readonly onEvent?: (event: RunEvent) => void;
  /** False: asks nobody but those of `ask`, and never coordinates, as somebody whom the other members cannot ask. True unless said. */
  readonly leads?: boolean;
  /** Noise on this peer's own updates; needs `deps.random`. */
  readonly privacy?: UpdatePrivacy;
  /** For a private run that this peer may come back to. */
  readonly unmasked?: UnmaskedStates;
  /** Where each update is committed to before it leaves. */
  readonly commit?: CommitUpdate;
  readonly signal: AbortSignal;
}

/** The runs of one peer. Disposing stops answering; what takes part goes on until its signal fires. */
export interface Runs extends Disposable {
  /**
   * Takes part until the last round closed, and leads while no other does. Resolves with the state all members hold.
   *
   * Throws INVALID_OPTION, SHAPE_MISMATCH, ABORTED; PEER_UNREACHABLE when nobody of `ask` is there; HASH_MISMATCH and REFUSED when a
   * coordinator's result does not hold; REFUSED when this peer is not invited to a private run; PRIVACY_SPENT; TOO_FEW_UPDATES when a private round
   * broke after updates were unmasked; and what the learner throws.
   */
  takePart(options: PartOptions): Promise<SharedState>;
}

interface Seat {
  readonly part: Participant;
  /** The last round closed: members who were cut off meanwhile are told so and fetch the state. */
  isOver: boolean;
  leader: RunLeader | undefined;
  following: PeerId | undefined;
}

/** What a search for the coordinator came to. `lost`: it led and is gone; `mine`: nobody before this peer is there. */
type Found = { readonly type: 'done' | 'mine' | 'nobody' } | { readonly type: 'lost'; readonly leader: PeerId };

/** Makes the coordinator's side of a run. */
export type MakeLeader = (...about: ConstructorParameters<typeof RunLeader>) => RunLeader;

/** Answers for all runs this peer takes part in. `deps.blobs` must be served to their members. Without `makeLeader` it never coordinates. */
export function runsOf(deps: RunDeps, makeLeader: MakeLeader | undefined): Runs {
  const seats = new Map<string, Seat>();
  const seatOf = (run: Uint8Array, peer: PeerId): Seat => {
    const seat = deps.mayJoin?.(peer, run) === false ? undefined : seats.get(toHex(run));
    if (seat === undefined) throw new PeerAiError('NOT_FOUND', 'This peer takes no part in such a run.');
    return seat;
  };
  const leaderOf = ({ leader, following, part }: Seat, peer: PeerId, term: number): RunLeader => {
    if (leader === undefined) throw notLeading(following, part.held.term);
    if (term <= part.held.term) return leader;
    leader.depose(peer);
    throw notLeading(undefined, part.held.term);
  };
  const answers = [
    serveMethod(deps.network, sumMethod, async ({ run, ...ask }, { peer, signal }) => {
      const seat = seatOf(run, peer);
      return seat.isOver ? { is: 'late', parts: [] } : leaderOf(seat, peer, 0).sum(peer, ask, signal);
    }),
    serveMethod(deps.network, watchMethod, async function* ({ run, term }, { peer, signal }) {
      const seat = seatOf(run, peer);
      const { held } = seat.part;
      if (seat.isOver) yield { term: held.term, open: undefined, closed: held.closed };
      else yield* leaderOf(seat, peer, term).watch(peer, signal);
    }),
    serveMethod(deps.network, submitMethod, async ({ run, ...handed }, { peer, signal }) => {
      const seat = seatOf(run, peer);
      return { late: seat.isOver || (await leaderOf(seat, peer, 0).submit(peer, handed, signal)) };
    }),
    serveMethod(deps.network, commitMethod, async ({ run, ...ask }, { peer }) => {
      const seat = seatOf(run, peer);
      return { late: seat.isOver || leaderOf(seat, peer, 0).commit(peer, ask) };
    }),
  ];
  return {
    async takePart(options) {
      const run = checkRun(deps.crypto, options.spec);
      if (run.private?.members.includes(deps.identity.peer) === false)
        throw new PeerAiError('REFUSED', 'This peer is not invited to that private run.');
      if (run.private !== undefined || options.privacy !== undefined || (run.sealed && options.commit === undefined))
        randomOf(deps);
      const name = toHex(run.hash);
      if (seats.get(name)?.isOver === false)
        throw new PeerAiError('REFUSED', 'This peer takes part in that run already.');
      const seat = seatFor(deps, run, options);
      seats.set(name, seat);
      try {
        const state = await drive(deps, seat, options, makeLeader);
        seat.isOver = true;
        forgetOldest(seats);
        return state;
      } finally {
        if (!seat.isOver) seats.delete(name);
      }
    },
    [Symbol.dispose]() {
      for (const answer of answers) answer[Symbol.dispose]();
    },
  };
}

function seatFor(deps: RunDeps, run: Run, options: PartOptions): Seat {
  const { from, learner, privacy, unmasked, commit, onEvent = () => undefined } = options;
  if (from.weights.length !== run.size || from.momentum.length !== run.size)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The state to begin with has another length than the run.', {
      expected: run.size,
      received: from.weights.length,
    });
  const hash = deps.blobs.put(encodeState(from));
  const held = {
    state: from,
    hash,
    residual: undefined,
    term: 0,
    termOf: undefined,
    members: [],
    unmasked: new Set(unmasked?.known),
    closed: undefined,
  };
  const noteUnmasked = unmasked === undefined ? undefined : (base: string) => unmasked.note(base);
  const part = { run, learner, onEvent, privacy, noteUnmasked, commit, held };
  return { part, isOver: false, leader: undefined, following: undefined };
}

/** Runs that are over are remembered up to a limit, the oldest forgotten first. */
function forgetOldest(seats: Map<string, Seat>): void {
  const over = [...seats].filter(([, { isOver }]) => isOver);
  for (const [name] of over.slice(0, Math.max(0, over.length - limits.runsOverMax))) seats.delete(name);
}

/** Follows whoever leads, and leads when this peer's turn comes. */
async function drive(
  deps: RunDeps,
  seat: Seat,
  { ask, signal, leads = true }: PartOptions,
  makeLeader: MakeLeader | undefined,
): Promise<SharedState> {
  const mayLead = leads && makeLeader !== undefined;
  const { held } = seat.part;
  const self = deps.identity.peer;
  let order = ask.length === 0 && mayLead ? [self] : ask;
  for (;;) {
    const found = await seek(deps, seat, order, signal);
    if (found.type === 'done') return held.state;
    if (found.type === 'nobody' || !mayLead)
      throw new PeerAiError('PEER_UNREACHABLE', 'Nobody who takes part in this run is there.', { asked: order });
    // All members know the same order: the first of them that is there leads on from the state it holds.
    if (found.type === 'lost') order = held.members.filter((peer) => peer !== found.leader);
    else {
      const outcome = await leadOn(deps, seat, makeLeader, signal);
      if (outcome.type === 'done') return held.state;
      order = [outcome.by, ...held.members];
    }
  }
}

async function seek(deps: RunDeps, seat: Seat, order: readonly PeerId[], signal: AbortSignal): Promise<Found> {
  const self = deps.identity.peer;
  for (const peer of order) {
    if (peer === self) return { type: 'mine' };
    for (let tries = 0; tries < limits.leaderTriesMax; tries += 1) {
      const outcome = await followThrough(deps, seat, peer, signal);
      if (outcome.type === 'done') return { type: 'done' };
      if (outcome.type === 'gone' && outcome.led) return { type: 'lost', leader: peer };
      if (outcome.type === 'gone') break;
      // It follows somebody; that one may be gone, and then this peer is asked again until it knows.
      const { leader } = outcome;
      if (leader !== undefined && leader !== self && leader !== peer) {
        const there = await followThrough(deps, seat, leader, signal);
        if (there.type === 'done') return { type: 'done' };
        if (there.type === 'gone' && there.led) return { type: 'lost', leader };
      }
      await deps.clock.sleep(limits.leaderRetryMs, signal);
    }
  }
  return { type: 'nobody' };
}

/** Follows a coordinator through breaks of the link: a member that led on after each would divide the run. */
async function followThrough(deps: RunDeps, seat: Seat, peer: PeerId, signal: AbortSignal): Promise<FollowOutcome> {
  const { held } = seat.part;
  let [led, round, breaks] = [false, held.state.round, 0];
  for (;;) {
    const outcome = await followSeated(deps, seat, peer, signal);
    // Whoever claimed the term this peer holds may take the claim back.
    if (outcome.type === 'elsewhere' && held.termOf === peer) held.term = Math.min(held.term, outcome.term);
    if (outcome.type !== 'gone') return outcome;
    led ||= outcome.led;
    breaks = held.state.round > round ? 1 : breaks + 1;
    round = held.state.round;
    if (!outcome.led || outcome.silent === true || breaks >= limits.leaderTriesMax) return { type: 'gone', led };
    await deps.clock.sleep(limits.leaderRetryMs, signal);
  }
}

async function followSeated(deps: RunDeps, seat: Seat, peer: PeerId, signal: AbortSignal): Promise<FollowOutcome> {
  seat.following = peer;
  try {
    return await follow(deps, seat.part, peer, signal);
  } finally {
    seat.following = undefined;
  }
}

async function leadOn(deps: RunDeps, seat: Seat, makeLeader: MakeLeader, signal: AbortSignal): Promise<LeadOutcome> {
  const { held, onEvent } = seat.part;
  const self = deps.identity.peer;
  held.term += 1;
  held.termOf = self;
  const leader = makeLeader(deps, seat.part, signal);
  seat.leader = leader;
  onEvent({ type: 'coordinator', peer: self, term: held.term });
  const lookAround = async (): Promise<void> => {
    for (const peer of held.members.filter((other) => other !== self)) {
      const known = await leaderKnownTo(deps, seat.part, peer, signal);
      if (known === undefined || known.leader === self) continue;
      // One of an earlier term that went on has enough members, and this peer has not: its own claim is taken back.
      if (known.round !== undefined && known.round > held.state.round) held.term = Math.min(held.term, known.term);
      if (known.term >= held.term) return leader.depose(peer);
    }
  };
  try {
    return await leader.lead(() => void lookAround().catch(() => undefined));
  } finally {
    seat.leader = undefined;
  }
}
