import { callMethod, equalBytes, PeerAiError, type PeerId, streamMethod } from '@peerai/core-protocol';
import { fetchBlob } from '@peerai/core-protocol/blob';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Board, createBoard } from './board.ts';
import { adopt, learnChange, learnLocally, type LocalUpdate, meanLoss, named } from './local.ts';
import {
  type ClosedRound,
  commitMethod,
  type News,
  type OpenRound,
  openReceipt,
  submitMethod,
  type UpdateReceipt,
  watchMethod,
} from './messages.ts';
import { outerStep } from './outer.ts';
import { carriedOver, meanPacking } from './packing.ts';
import type { Participant, RunDeps } from './participant.ts';
import { inputOf } from './private/input.ts';
import { exchangeWith, takeSum } from './private/member.ts';
import { updatesNeeded } from './run-spec.ts';
import { checkSealed, updateCommitment } from './seal.ts';
import { decodeState, stateBytes } from './shared-state.ts';

/** How following one peer ended. `gone`: it does not answer, or stopped to; `silent`, though the link stands. `elsewhere`: it is there and does not lead. */
export type FollowOutcome =
  | { readonly type: 'done' }
  | { readonly type: 'gone'; readonly led: boolean; readonly silent?: boolean }
  | { readonly type: 'elsewhere'; readonly leader: PeerId | undefined; readonly term: number };

/** What a peer says that is asked and does not lead; the details name who does, as far as it knows. */
export const notLeading = (leader: PeerId | undefined, term: number): PeerAiError<NnErrorCode> =>
  new PeerAiError<NnErrorCode>('NOT_LEADING', 'This peer does not coordinate the run.', { leader, term });

interface Work {
  readonly base: Uint8Array;
  readonly term: number;
  readonly abort: AbortController;
  /** Which try of a private or sealed round the coordinator makes. */
  readonly attempt: Board<number>;
  /** Of a sealed round: what the coordinator opened it with, once it did. */
  readonly opened: Board<Uint8Array | undefined>;
  update?: LocalUpdate;
}

/**
 * A member's side: learn what is open, hand it in, take over what closed, until the run is over or the coordinator is gone.
 *
 * Throws ABORTED; HASH_MISMATCH and REFUSED when the coordinator's result does not hold; what the learner throws.
 */
export async function follow(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  signal: AbortSignal,
): Promise<FollowOutcome> {
  const { run, held, onEvent } = part;
  if (part.run.private?.members.includes(leader) === false) return { type: 'gone', led: false };
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  let work: Work | undefined;
  let told: News | undefined;
  try {
    for await (const news of streamMethod(
      deps,
      leader,
      watchMethod,
      { run: run.hash, term: held.term },
      { signal: until },
    )) {
      if (news.term < held.term) return { type: 'gone', led: told !== undefined };
      if (told === undefined) onEvent({ type: 'coordinator', peer: leader, term: news.term });
      told = news;
      held.term = news.term;
      held.termOf = leader;
      await takeOver(deps, part, leader, news, work, until);
      if (news.open === undefined) return { type: 'done' };
      held.members = news.open.members as readonly PeerId[];
      onEvent({ type: 'received', round: news.open.round, received: news.open.received, needed: news.open.needed });
      const { attempt = 0, opened } = news.open;
      if (work !== undefined && work.term === news.term && equalBytes(work.base, held.hash)) {
        if (run.sealed !== true || work.attempt.current === attempt) {
          if (work.attempt.current !== attempt) work.attempt.set(attempt);
          noteOpened(work, opened, leader);
          continue;
        }
      }
      work?.abort.abort();
      onEvent({ type: 'opened', round: news.open.round, members: news.open.present });
      work = {
        base: held.hash,
        term: news.term,
        abort: new AbortController(),
        attempt: createBoard(attempt),
        opened: createBoard(opened),
      };
      contribute(deps, part, leader, work, until).catch((error: unknown) => failed.abort(error));
    }
    return { type: 'gone', led: told !== undefined };
  } catch (error) {
    if (failed.signal.aborted) throw failed.signal.reason;
    if (signal.aborted) throw error;
    if (PeerAiError.is(error, 'NOT_LEADING')) return elsewhere(error);
    if (isLoss(error)) return { type: 'gone', led: told !== undefined, silent: PeerAiError.is(error, 'TIMEOUT') };
    throw error;
  } finally {
    work?.abort.abort();
  }
}

/** A round is opened once, with the commitments of then. Throws REFUSED. */
function noteOpened({ opened: board }: Work, opened: Uint8Array | undefined, peer: PeerId): void {
  if (opened === undefined) return;
  if (board.current === undefined) board.set(opened);
  else if (!equalBytes(board.current, opened))
    throw new PeerAiError('REFUSED', 'The coordinator opened a round twice, with other commitments.', { peer });
}

/** Whom a peer holds for the coordinator, and of itself in which round it is; undefined when it cannot be asked. */
export async function leaderKnownTo(
  deps: RunDeps,
  { run }: Participant,
  peer: PeerId,
  signal: AbortSignal,
): Promise<{ readonly leader: PeerId | undefined; readonly term: number; readonly round?: number } | undefined> {
  try {
    // Asked with no term, so that nobody is deposed by the question.
    for await (const news of streamMethod(deps, peer, watchMethod, { run: run.hash, term: 0 }, { signal }))
      return { leader: peer, term: news.term, round: roundOf(news.open, news.closed) };
  } catch (error) {
    if (PeerAiError.is(error, 'NOT_LEADING')) {
      const { leader, term } = elsewhere(error);
      return leader === undefined ? undefined : { leader, term };
    }
  }
  return undefined;
}

/** Local steps and what comes of them, as the kind of run has it. */
async function contribute(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  work: Work,
  signal: AbortSignal,
): Promise<void> {
  const { round } = part.held.state;
  const isOpen = part.run.private === undefined;
  const until = AbortSignal.any([signal, work.abort.signal]);
  try {
    await (isOpen ? handIn : addToSum)(deps, part, leader, work, round, until);
  } catch (error) {
    // The round went on without this update, or the coordinator is gone: whoever watches hears of both.
    if (until.aborted || isLoss(error) || PeerAiError.is(error, 'NOT_LEADING')) return;
    if (!isOpen || !isRefusal(error)) throw error;
    part.onEvent({ type: 'refused', round, reason: error.message });
  }
}

/** Local steps, then the receipt; the update's bytes lie ready for as long as the coordinator fetches them. */
async function handIn(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  work: Work,
  round: number,
  signal: AbortSignal,
): Promise<void> {
  const update = await learnLocally(deps, part, signal);
  if (signal.aborted) return;
  work.update = update;
  const { salt } = update;
  if (part.run.sealed === true && salt !== undefined && !(await isOpened(deps, part, leader, work, salt, signal))) {
    part.onEvent({ type: 'submitted', round, bytes: 0, late: true });
    return;
  }
  const sha256 = deps.blobs.put(update.packed);
  try {
    const handed = { run: part.run.hash, receipt: update.receipt, salt: part.run.sealed === true ? salt : undefined };
    const ask = async () => callMethod(deps, leader, submitMethod, handed, { signal });
    const { late } = await untilAsked(deps, ask, signal);
    part.onEvent({ type: 'submitted', round, bytes: update.packed.length, late });
  } finally {
    deps.blobs.delete(sha256);
  }
}

/** Tries until the round is over: the link on which it was asked may break while another one still tells the news. */
async function untilAsked<T>(deps: RunDeps, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !isLoss(error)) throw error;
    }
    await deps.clock.sleep(limits.leaderRetryMs, signal);
  }
}

/** Commits to the update, and waits until the coordinator has all commitments: nothing of the update leaves before. False when it came too late. */
async function isOpened(
  deps: RunDeps,
  { run }: Participant,
  leader: PeerId,
  { term, base, attempt, opened, update }: Work,
  salt: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  if (update === undefined) return false;
  const commitment = updateCommitment(deps.crypto, salt, update.receipt);
  const said = { run: run.hash, term, base, attempt: attempt.current, commitment };
  const { late } = await untilAsked(deps, async () => callMethod(deps, leader, commitMethod, said, { signal }), signal);
  if (late) return false;
  while (opened.current === undefined) await opened.changed(deps.clock, limits.coordinatorSilentMs, signal);
  return true;
}

/** Local steps, then each try of the round's masked sum, until the round is over. */
async function addToSum(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  work: Work,
  round: number,
  signal: AbortSignal,
): Promise<void> {
  const { run, onEvent } = part;
  const input = inputOf(run, await learnChange(deps, part, signal));
  for (let tried = 0; !signal.aborted;) {
    const attempt = work.attempt.current;
    if (attempt > tried) {
      tried = attempt;
      const name = { term: work.term, base: work.base, attempt };
      try {
        const bytes = await takeSum(deps, part, name, input, exchangeWith(deps, run.hash, leader, name, signal));
        onEvent({ type: 'submitted', round, bytes: bytes ?? 0, late: bytes === undefined });
      } catch (error) {
        // Who could not be reached in one try may take part in the next; when the coordinator is gone whoever watches hears of it.
        if (isRefusal(error)) onEvent({ type: 'refused', round, reason: error.message });
        else if (signal.aborted || !isLoss(error)) throw error;
      }
    } else await work.attempt.changed(deps.clock, limits.coordinatorSilentMs, signal);
  }
}

/** Brings the held state to where the coordinator is: by the delta of the round that closed last, or by the whole state. */
async function takeOver(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  { open, closed }: News,
  work: Work | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { held, run } = part;
  if (closed !== undefined && equalBytes(closed.base, held.hash) && closed.round === held.state.round)
    try {
      await applyClosed(deps, part, leader, closed, work, signal);
    } catch (error) {
      // A member that ended the run has the state and no more the delta.
      if (!PeerAiError.is(error, 'NOT_FOUND')) throw error;
    }
  held.closed = closed;
  const goal = open?.base ?? closed?.next;
  if (goal === undefined || equalBytes(goal, held.hash)) return;
  const bytes = await fetchBlob(deps, leader, goal, { signal, bytesMax: stateBytes(run.size) });
  const state = decodeState(bytes, run.size);
  if (state.round > run.rounds || state.round !== roundOf(open, closed))
    throw new PeerAiError('REFUSED', 'The coordinator’s state is of another round than it says.', { peer: leader });
  adopt(deps, part, { state, bytes, hash: goal });
}

const roundOf = (open: OpenRound | undefined, closed: ClosedRound | undefined): number =>
  open?.round ?? (closed?.round ?? -1) + 1;

async function applyClosed(
  deps: RunDeps,
  part: Participant,
  leader: PeerId,
  closed: ClosedRound,
  work: Work | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { run, held, onEvent } = part;
  const own = work?.update;
  const receipts = checkReceipts(deps, part, closed);
  if (run.sealed === true)
    checkSealed(deps.crypto, closed, work && { attempt: work.attempt.current, opened: work.opened.current });
  const packing = meanPacking(run);
  const bytes = await fetchBlob(deps, leader, closed.delta, { signal, bytesMax: packing.bytesMax });
  const mean = packing.unpack(bytes);
  const next = named(deps.crypto, outerStep(held.state, mean, run.outer));
  if (!equalBytes(next.hash, closed.next))
    throw new PeerAiError('HASH_MISMATCH', 'The round’s result does not lead to the state it names.', { peer: leader });
  if (own !== undefined && closed.receipts.some((receipt) => equalBytes(receipt, own.receipt)))
    held.residual = carriedOver(run, own, mean);
  adopt(deps, part, next);
  const refused = closed.refused.map(({ peer, reason }) => ({ peer, reason: reason as never }));
  onEvent({
    type: 'closed',
    round: closed.round,
    base: closed.base,
    hash: closed.next,
    loss: run.private === undefined ? meanLoss([...receipts.values()]) : (closed.loss ?? Number.NaN),
    peers: [...receipts.keys()].toSorted().filter((peer) => !closed.refused.some((entry) => entry.peer === peer)),
    refused,
    receipts: closed.receipts,
  });
}

/** The receipts by member: enough different ones signed an update of this very round. Throws REFUSED, INVALID_SIGNATURE, INVALID_FORMAT. */
function checkReceipts(
  deps: RunDeps,
  { run, held }: Participant,
  closed: ClosedRound,
): ReadonlyMap<PeerId, UpdateReceipt> {
  const receipts = new Map<PeerId, UpdateReceipt>();
  for (const sealed of closed.receipts) {
    const receipt = openReceipt(deps.crypto, sealed);
    const fits =
      receipt.round === held.state.round && equalBytes(receipt.run, run.hash) && equalBytes(receipt.base, held.hash);
    if (!fits || receipts.has(receipt.peer) || run.private?.members.includes(receipt.peer) === false)
      throw new PeerAiError('REFUSED', 'A receipt of the round is of another one, of a stranger, or came twice.', {
        peer: receipt.peer,
      });
    receipts.set(receipt.peer, receipt);
  }
  if (receipts.size < updatesNeeded(run))
    throw new PeerAiError('REFUSED', 'The round closed with fewer updates than the run needs.', {
      needed: updatesNeeded(run),
      received: receipts.size,
    });
  return receipts;
}

function elsewhere(error: PeerAiError): FollowOutcome & { readonly type: 'elsewhere' } {
  const { leader, term } = error.details;
  return {
    type: 'elsewhere',
    leader: typeof leader === 'string' ? (leader as PeerId) : undefined,
    term: typeof term === 'number' && Number.isSafeInteger(term) ? term : 0,
  };
}

/** This peer's own part was not taken, or cannot be made from what came. */
const isRefusal = (error: unknown): error is PeerAiError =>
  PeerAiError.is(error, 'REFUSED', 'SHAPE_MISMATCH', 'INVALID_FORMAT', 'INVALID_SIGNATURE', 'DECRYPTION_FAILED');

/** The other side is not there, or went while it was asked. */
const isLoss = (error: unknown): boolean =>
  PeerAiError.is(error, 'PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT', 'NOT_FOUND', 'ABORTED', 'LIMIT_REACHED');
