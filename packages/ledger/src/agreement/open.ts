import { type EntryBody, orAborted, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { createBell } from '../receipt/locks.ts';
import { decodeBlock } from './block.ts';
import { signEntry } from './entry.ts';
import { epochKind, leaderOf, quorumOf, readMembersPayload } from './epoch.ts';
import { agreementLimits as limits } from './limits.ts';
import { loadEvidence, loadState } from './load.ts';
import { entriesBytes, firstPlace } from './place.ts';
import { waysOf } from './reach.ts';
import { blockKey } from './rows.ts';
import { runMember } from './run.ts';
import { type AgreementState, statementName, type Times, viewAt } from './state.ts';
import type { AgreementOptions, Block, CreateAgreement, Decision, Evidence, StatementKind } from './types.ts';

const bell = 'height';

/** One peer's part in one group. `start` makes it take part; see `Agreement`. */
export const createAgreement: CreateAgreement = async (deps, options) => {
  const { store, crypto, identity } = deps;
  const place = firstPlace(crypto, options.genesis);
  const decided = createBell();
  const waiting = new Map<number, PromiseWithResolvers<Decision>>();
  let tickets = 0;
  const rejectAll = (error: unknown): void => {
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
  };
  const member = runMember(deps, timesOf(options), await loadState(store, { crypto }, place), {
    decided: () => decided.ring(bell),
    settled(ticket, block, index) {
      waiting.get(ticket)?.resolve({ block, index });
      waiting.delete(ticket);
    },
    dropped(ticket) {
      waiting.get(ticket)?.reject(refused('this peer is no member any more'));
      waiting.delete(ticket);
    },
    failed: rejectAll,
  });
  const here = () => member.state().place;
  const isMember = (): boolean => here().epoch.members.includes(identity.peer);

  const check = (payloads: readonly EntryBody[]): void => {
    const { numbers, epoch, height } = here();
    const first = (numbers.get(identity.peer) ?? 0) + 1;
    const entries = payloads.map((payload, at) => signEntry(identity, place.group, first + at, payload));
    for (const { kind, body } of entries) if (kind === epochKind) readMembersPayload(body);
    if (entries.length > limits.pendingPerAuthorMax || entriesBytes(entries) > limits.blockEntriesBytesMax)
      throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'more than one block of these entries');
    if (!member.isRunning()) throw notRunning();
    if (!isMember()) throw refused('this peer is no member of the group');
    if (!entries.every((entry) => deps.judge(entry, { height: height + 1, epoch })))
      throw refused('this peer’s own rule is against it');
    const before = Math.max(waiting.size, member.state().own.length);
    if (before + entries.length > limits.pendingPerAuthorMax)
      throw new PeerAiError<LedgerErrorCode>('LIMIT_REACHED', `${before} entries of this peer wait for a block`);
  };
  const proposeAll = async (payloads: readonly EntryBody[], signal: AbortSignal): Promise<readonly Decision[]> => {
    signal.throwIfAborted();
    check(payloads);
    const wishes = payloads.map((payload) => ({ ticket: (tickets += 1), payload }));
    const settled = wishes.map(({ ticket }) => {
      const one = Promise.withResolvers<Decision>();
      waiting.set(ticket, one);
      return one.promise;
    });
    member.submit(wishes);
    try {
      return await orAborted(Promise.all(settled), signal);
    } finally {
      for (const { ticket } of wishes) waiting.delete(ticket);
    }
  };
  const stored = async (height: number): Promise<Uint8Array> => {
    const bytes = await store.get(blockKey(height));
    if (bytes !== undefined) return bytes;
    throw new PeerAiError<LedgerErrorCode>('LEDGER_DAMAGED', `block ${height} is missing`, { height });
  };

  return {
    group: place.group,
    start: () => member.start(),
    async stop() {
      await member.stop();
      rejectAll(notRunning());
    },
    async propose(payload, signal) {
      const [decision] = await proposeAll([payload], signal);
      return decision as Decision;
    },
    proposeAll,
    async *decisions(fromHeight, signal) {
      for (let height = Math.max(1, fromHeight); !signal.aborted;) {
        const seen = decided.rings;
        if (height <= member.height()) {
          const block: Block = decodeBlock(crypto, await stored(height));
          height += 1;
          yield block;
        } else {
          await decided.next(bell, seen, signal).catch(() => undefined);
        }
      }
    },
    async *blocks(fromHeight, toHeight) {
      const end = Math.min(toHeight, member.height() + 1);
      for (let height = Math.max(1, fromHeight); height < end; height += 1) yield await stored(height);
    },
    evidence: () => loadEvidence(store, crypto),
    status() {
      const state = member.state();
      const { place: at, round, pool, own, heard } = state;
      const times = timesOf(options);
      const lies = liesOf(state);
      const leader = leaderOf(at.epoch, at.height + 1, round.view);
      return {
        group: at.group,
        epoch: at.epoch,
        height: at.height,
        head: at.hash,
        view: round.view,
        leader,
        phase: phaseOf(state, identity.peer, leader),
        isMember: isMember(),
        quorum: quorumOf(at.epoch.members.length),
        pending: [...pool.values()].reduce((sum, entries) => sum + entries.size, own.length),
        heard,
        ways: waysOf({ state, parts: { identity, times }, nowMs: deps.clock.elapsedMs() }),
        liars: [...lies.keys()],
        lies,
      };
    },
  };
};

const timesOf = (options: AgreementOptions): Times => ({
  viewTimeoutMs: options.viewTimeoutMs ?? limits.viewTimeoutMs,
  viewTimeoutMsMax: options.viewTimeoutMsMax ?? limits.viewTimeoutMsMax,
  resendMs: options.resendMs ?? limits.resendMs,
  idleMs: options.idleMs ?? limits.idleMs,
});
/** Of the first two a member says one; who gives no vote has the proposal all the same. */
const votes = ['finalize', 'nullify', 'notarize'] as const satisfies readonly StatementKind[];
function phaseOf(state: AgreementState, self: PeerId, leader: PeerId): StatementKind | undefined {
  const { statements } = viewAt(state, state.round.view);
  const said = votes.find((kind) => statements.has(statementName(kind, self)));
  return said ?? (statements.has(statementName('propose', leader)) ? 'propose' : undefined);
}

function liesOf({ lies }: AgreementState): ReadonlyMap<PeerId, readonly Evidence['kind'][]> {
  const found = new Map<PeerId, Evidence['kind'][]>();
  for (const name of lies) {
    const [member, kind] = name.split('/', 2) as [PeerId, Evidence['kind']];
    found.set(member, [...(found.get(member) ?? []), kind]);
  }
  return found;
}
const refused = (text: string): PeerAiError => new PeerAiError('REFUSED', text);
const notRunning = (): PeerAiError => new PeerAiError('ABORTED', 'this group does not run here');
