import { createIdentity, fromBase64Url, PeerAiError, type PeerId, toBase64Url } from '@peerai/core-protocol';
import { membersPayload } from '@peerai/ledger/agreement';
import {
  castFromMs,
  encodeStatement,
  mayClose,
  type OpenProposal,
  sealBallot,
  tokenMessage,
} from '@peerai/ledger/governance';
import { ballotStore, tokenIdOf } from './ballot-rows.ts';
import { type GroupDeps, type RunningGroup, turnOf } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';

export interface DutiesDeps extends Pick<
  GroupDeps,
  'identity' | 'clock' | 'crypto' | 'random' | 'store' | 'booth' | 'logger'
> {
  /** Hands a ballot to some member, which brings it to the chain or hands it on. */
  readonly post: (group: RunningGroup, entryBody: Uint8Array, signal: AbortSignal) => Promise<void>;
}
/** What a member does by itself: it closes votes, begins decided memberships, gives ballots and casts its own. */
export interface Duties {
  /** Looks at one group now; safe to call at any time, one look a group at once. */
  look(group: RunningGroup): void;
}

export function createDuties(deps: DutiesDeps, stopping: AbortSignal): Duties {
  const { identity, clock, crypto, store, booth, logger } = deps;
  const rows = ballotStore(store);
  const busy = new Set<string>();
  /** When a matter was first seen to be due, by group and matter: turns count from then. */
  const due = new Map<string, number>();

  /** True when it is this member's turn: at once for the first `together` of the order, later for each after. */
  const isTurn = (group: RunningGroup, matter: string, seed: string, together = 1): boolean => {
    const key = `${group.id}/${matter}`;
    const sinceMs = due.get(key) ?? clock.elapsedMs();
    due.set(key, sinceMs);
    const turn = turnOf(group.state(), identity.peer, seed);
    return clock.elapsedMs() - sinceMs >= Math.max(0, turn + 1 - together) * limits.turnMs;
  };
  /** One thing at a time: what was said once is not said again while it waits. A refusal is somebody who was faster. */
  const once = (group: RunningGroup, matter: string, work: (signal: AbortSignal) => Promise<unknown>): void => {
    const key = `${group.id}/${matter}`;
    if (busy.has(key) || stopping.aborted) return;
    busy.add(key);
    void work(stopping)
      .catch((error: unknown) => {
        if (!PeerAiError.is(error)) throw error;
        logger.debug('governance-duty-failed', { matter: matter.split('/', 1)[0], code: error.code });
      })
      .finally(() => busy.delete(key))
      .catch((error: unknown) => {
        logger.error('governance-duty-failed', { error: error instanceof Error ? error.message : 'unknown' });
      });
  };

  const endOrMove = (group: RunningGroup, proposal: OpenProposal): void => {
    const state = group.state();
    const nowMs = clock.nowMs();
    const { id, secret, closesMs } = proposal;
    const say = (matter: string) => once(group, matter, (signal) => group.say({ type: 'close', on: id }, signal));
    if (mayClose(proposal, state.timeMs)) {
      if (isTurn(group, `close/${id}`, id)) say(`close/${id}`);
      return;
    }
    // The group's clock moves by what more members say than may lie.
    const marks = secret === undefined ? [closesMs] : [castFromMs(proposal), closesMs];
    const mark = marks.find((one) => state.timeMs < one);
    if (mark === undefined || nowMs < mark || (state.clocks.get(identity.peer) ?? 0) >= mark) return;
    const liars = Math.floor((state.members.length - 1) / 3);
    if (isTurn(group, `mark/${id}/${mark}`, id, liars + 1)) say(`mark/${id}/${mark}`);
  };
  /** What is under way of the next epoch; nobody agrees to it any more once it has begun, and it would hold up what this member says after it. */
  const beginning = new Map<string, { readonly matter: string; readonly over: AbortController }>();
  const begin = (group: RunningGroup): void => {
    const { nextMembers, epoch } = group.state();
    const matter = nextMembers === undefined ? undefined : `epoch/${epoch + 1}/${nextMembers.join()}`;
    const under = beginning.get(group.id);
    if (under !== undefined && under.matter !== matter) {
      under.over.abort();
      beginning.delete(group.id);
    }
    if (nextMembers === undefined || matter === undefined || !isTurn(group, matter, group.id)) return;
    const over = beginning.get(group.id)?.over ?? new AbortController();
    beginning.set(group.id, { matter, over });
    once(group, matter, (signal) => group.submit(membersPayload(nextMembers), AbortSignal.any([signal, over.signal])));
  };
  const issue = async (
    group: RunningGroup,
    { id, secret }: OpenProposal,
    member: PeerId,
    blinded: Uint8Array,
    signal: AbortSignal,
  ) => {
    const key = secret && (await rows.privateKey(group.id, secret.key));
    if (key === undefined) return;
    const signature = await booth.sign(key, blinded);
    await group.say({ type: 'issue', on: id, member, signature }, signal);
  };
  const ask = async (group: RunningGroup, { id, secret }: OpenProposal, signal: AbortSignal): Promise<void> => {
    const own = rows.own(group.id);
    const row = await own.get(id);
    if (row === undefined || secret === undefined) return;
    let made = row;
    if (row.blinded === undefined) {
      const token = createIdentity(crypto, fromBase64Url(row.seed));
      const { prefix, blinded, inverse } = await booth.blind(
        secret.key,
        tokenMessage({ on: id, token: token.publicKey }),
      );
      const [a, b, c] = [prefix, blinded, inverse].map(toBase64Url) as [string, string, string];
      made = { ...row, prefix: a, blinded: b, inverse: c };
      // On disk before it is asked: the answer is of use only with it.
      await store.commit([own.put(id, made)]);
    }
    await group.say({ type: 'ask', on: id, blinded: fromBase64Url(made.blinded ?? '') }, signal);
  };
  const cast = async (group: RunningGroup, proposal: OpenProposal, answer: Uint8Array, signal: AbortSignal) => {
    const { id, secret } = proposal;
    const row = await rows.own(group.id).get(id);
    if (row?.prefix === undefined || row.blinded === undefined || row.inverse === undefined || secret === undefined)
      return;
    const token = createIdentity(crypto, fromBase64Url(row.seed));
    if (secret.cast.has(tokenIdOf(crypto, row))) return;
    const [prefix, blinded, inverse] = [row.prefix, row.blinded, row.inverse].map(fromBase64Url) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const message = tokenMessage({ on: id, token: token.publicKey });
    const signature = await booth.finish(secret.key, message, { prefix, blinded, inverse }, answer);
    const ballot = sealBallot(token, { on: id, choice: row.choice, prefix, signature });
    // No time of this member's in it: who brings the ballot says its own.
    const { body } = encodeStatement({ timeMs: 0, said: { type: 'ballot', on: id, ballot } });
    await deps.post(group, body, signal);
    // Looked for in the chain before it is sent again.
    await clock.sleep(limits.turnMs, signal);
  };
  const ballots = (group: RunningGroup, proposal: OpenProposal): void => {
    const { id, secret, author } = proposal;
    if (secret === undefined) return;
    const { timeMs } = group.state();
    if (author === identity.peer)
      for (const [member, { blinded, signature }] of secret.asked)
        if (signature === undefined)
          once(group, `issue/${id}/${member}`, (signal) => issue(group, proposal, member, blinded, signal));
    const own = secret.asked.get(identity.peer);
    if (own === undefined && timeMs < castFromMs(proposal) && clock.nowMs() < castFromMs(proposal))
      once(group, `ask/${id}`, (signal) => ask(group, proposal, signal));
    const answer = own?.signature;
    if (answer !== undefined && timeMs >= castFromMs(proposal) && timeMs < proposal.closesMs)
      once(group, `cast/${id}`, (signal) => cast(group, proposal, answer, signal));
  };
  return {
    look(group) {
      const state = group.state();
      if (!group.status().isMember || !state.members.includes(identity.peer)) return;
      begin(group);
      for (const proposal of state.proposals.values()) {
        endOrMove(group, proposal);
        ballots(group, proposal);
      }
      for (const key of due.keys()) if (isPast(group, key)) due.delete(key);
    },
  };

  function isPast(group: RunningGroup, key: string): boolean {
    const [id, matter = '', on = ''] = key.split('/');
    if (id !== group.id) return false;
    return matter === 'epoch' ? on !== `${group.state().epoch + 1}` : !group.state().proposals.has(on);
  }
}
