import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { agreementLimits, quorumOf } from '@peerai/ledger/agreement';
import {
  governanceLimits,
  type GovernanceState,
  judgeLogHead,
  type LogHead,
  logHeadCodec,
  logHeadNote,
  type LogHeadWord,
  signLogHead,
} from '@peerai/ledger/governance';
import { evidenceOfSize } from '@peerai/ledger/witness';
import { checkpointKind } from '../ledger/checkpoint-statement.ts';
import { decisionKind } from '../ledger/decision-statement.ts';
import type { GovernanceDeps } from './governance.ts';
import { type RunningGroup, turnOf } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import type { LogHeadsView } from './log-heads.schema.ts';

type Group = Pick<RunningGroup, 'id' | 'state' | 'status' | 'log' | 'say'>;
export interface GroupLogHeadsDeps extends Pick<
  GovernanceDeps,
  'identity' | 'clock' | 'crypto' | 'logger' | 'ledger' | 'isOnline' | 'saysLogHead' | 'stopping'
> {
  readonly logs: Pick<GovernanceDeps['logs'], 'saw'>;
  /** A member's word about its own log, if it has one. */
  readonly ask: (peer: PeerId, group: string) => Promise<Uint8Array | undefined>;
}
/**
 * A member's own log feeds its groups' chains: when there is something new in it, and not more often than the group wants, one member asks those that are here for
 * a word about their logs and brings all of them in one entry. By turns, so that who leaves somebody out does not do it for long.
 */
export interface GroupLogHeads {
  /** Looks what there is to do; safe to call at any time. */
  look(group: Group): void;
  /** What this peer says of its own log; nothing where the chain has all that is worth a block. */
  word(group: Group): Promise<LogHeadWord | undefined>;
  problem(group: Pick<Group, 'id' | 'state'>): LogHeadsView['problem'];
}

/** What stands elsewhere already. Said for these alone, each block would make the next. */
const quietKinds: readonly string[] = [decisionKind, checkpointKind];
const minuteMs = 60_000;

export function createGroupLogHeads(deps: GroupLogHeadsDeps): GroupLogHeads {
  const { identity, clock, crypto, ledger, logger, stopping } = deps;
  const busy = new Set<string>();
  /** By group: up to where the log was read, and whether there is something to say. */
  const scans = new Map<string, { readonly from: bigint; readonly to: bigint; readonly isNews: boolean }>();
  /** By our own clock: since when something waits, since when it is due, when it was tried last. */
  const times = new Map<string, { readonly sinceMs: number; dueMs?: number; triedMs?: number }>();
  /** Groups whose chain has another history of our log than is here. */
  const strange = new Set<string>();

  const ownHead = (group: Pick<Group, 'state'>): LogHead | undefined => group.state().logHeads.heads.get(identity.peer);
  const problem: GroupLogHeads['problem'] = (group) => {
    if (!deps.saysLogHead) return 'off';
    if (group.state().policy['log-heads.every_minutes'] === 0) return 'group-off';
    const { refusal } = ledger;
    if (refusal !== undefined) return refusal.code === 'LEDGER_BEHIND' ? 'behind' : 'log-closed';
    if ((ownHead(group)?.size ?? 0n) > ledger.size) return 'behind';
    return strange.has(group.id) ? 'other-history' : null;
  };
  /** A log of another history may be repaired: that is looked at each time. */
  const maySay = (group: Group): boolean => [null, 'other-history'].includes(problem(group));
  const hasNews = async (group: Group): Promise<boolean> => {
    const from = ownHead(group)?.size ?? 0n;
    const { size } = ledger;
    const before = scans.get(group.id);
    const isSame = before?.from === from;
    if (isSame && (before.isNews || before.to === size)) return before.isNews;
    let isNews = size - from >= BigInt(limits.quietEntriesMax);
    if (!isNews)
      for await (const { entry } of ledger.entries(isSame ? before.to : from, size))
        if (!quietKinds.includes(entry.kind)) {
          isNews = true;
          break;
        }
    scans.set(group.id, { from, to: size, isNews });
    return isNews;
  };
  const word = async (group: Group): Promise<LogHeadWord | undefined> => {
    const { members } = group.state();
    if (!maySay(group) || !members.includes(identity.peer) || !(await hasNews(group))) return undefined;
    const held = ownHead(group);
    const { note, size } = await ledger.checkpoint();
    const from = held?.size ?? 0n;
    const path = from === 0n || from >= size ? [] : await ledger.proveConsistency(from, size);
    const said = signLogHead({ crypto, identity }, group.id, { note, from, path });
    const verdict = judgeLogHead(crypto, group.state(), said);
    // Our own word against us: the owner went on from another copy of the log, and the chain can't follow.
    if (verdict === 'forked' || verdict === 'inconsistent') {
      logger.error('log-head-contradicts', { group: group.id, held: Number(from), size: Number(size) });
      strange.add(group.id);
    } else {
      strange.delete(group.id);
    }
    return verdict === 'taken' ? said : undefined;
  };

  /** When heads were said last, by a proposer's clock; before that, when the chain began. Nobody's future counts. */
  const lastMs = (group: Group): number | undefined => {
    const lines = group.log();
    const line =
      lines.findLast(({ said, refused }) => said?.type === 'log-heads' && refused === undefined) ?? lines.at(0);
    return line === undefined ? undefined : Math.min(clock.nowMs(), line.blockMs);
  };
  /** Who is left out of what others bring says it alone after twice the time. */
  const isDue = (group: Group, sinceMs: number): boolean => {
    const everyMs = group.state().policy['log-heads.every_minutes'] * minuteMs;
    const last = lastMs(group);
    return clock.elapsedMs() - sinceMs >= 2 * everyMs || (last !== undefined && clock.nowMs() - last >= everyMs);
  };
  const ask = async (group: Group, peer: PeerId): Promise<LogHeadWord | undefined> => {
    const bytes = await deps.ask(peer, group.id).catch((error: unknown) => {
      if (!PeerAiError.is(error)) throw error;
      return undefined;
    });
    if (bytes === undefined) return undefined;
    const said = logHeadCodec.decode(bytes);
    return said.origin === peer && isWorth(group, said) ? said : undefined;
  };
  /** A lie as well, once: the group then knows who said it. */
  const isWorth = (group: Group, said: LogHeadWord): boolean => {
    const verdict = judgeLogHead(crypto, group.state(), said);
    if (verdict === 'taken') return true;
    const { faults } = group.state().logHeads;
    const isLie = verdict === 'forked' || verdict === 'rollback' || verdict === 'inconsistent';
    return isLie && !faults.some(({ origin, kind }) => origin === said.origin && kind === verdict);
  };
  const bring = async (group: Group, members: readonly PeerId[]): Promise<void> => {
    const others = members.filter((peer) => peer !== identity.peer && deps.isOnline(peer));
    const asked = others.map((peer) => ask(group, peer).catch(() => undefined));
    const words = (await Promise.all([word(group), ...asked])).filter((one) => one !== undefined);
    stopping.throwIfAborted();
    await Promise.all(inEntries(words).map((heads) => group.say({ type: 'log-heads', heads }, stopping)));
  };
  /** An older copy of this log was put back: to go on from it would be a second history, and the chain shows it. */
  const showOwn = async (group: Group): Promise<void> => {
    const held = ownHead(group);
    if (held === undefined || held.size <= ledger.size || ledger.refusal !== undefined) return;
    const line = group.log().findLast(({ said }) => said?.type === 'log-heads');
    await deps.logs.saw(logHeadNote(crypto, identity.peer, held), line?.author ?? identity.peer);
  };
  const step = async (group: Group): Promise<void> => {
    const { id } = group;
    const { members, logHeads } = group.state();
    await showOwn(group);
    if (!maySay(group) || !(await hasNews(group))) return void times.delete(id);
    const time = times.get(id) ?? { sinceMs: clock.elapsedMs() };
    times.set(id, time);
    const everyMs = group.state().policy['log-heads.every_minutes'] * minuteMs;
    const isTriedNow = time.triedMs !== undefined && clock.elapsedMs() - time.triedMs < everyMs;
    if (isTriedNow || !isDue(group, time.sinceMs)) return void delete time.dueMs;
    time.dueMs ??= clock.elapsedMs();
    const [newest = 0] = [...logHeads.heads.values()].map(({ height }) => height).toSorted((a, b) => b - a);
    const turn = turnOf(group.state(), identity.peer, newest.toString(16).padStart(6, '0').slice(-6));
    if (clock.elapsedMs() - time.dueMs < turn * limits.turnMs) return;
    // Without a quorum it would only wait, and be old when it is decided.
    const { ways } = group.status();
    const isReached = (peer: PeerId): boolean => deps.isOnline(peer) || ways.get(peer)?.via !== undefined;
    const here = members.filter((peer) => peer === identity.peer || isReached(peer));
    if (here.length < quorumOf(members.length)) return;
    time.triedMs = clock.elapsedMs();
    await bring(group, members);
  };

  return {
    word,
    problem,
    look(group) {
      if (!deps.saysLogHead || stopping.aborted || busy.has(group.id)) return;
      if (!group.status().isMember || !group.state().members.includes(identity.peer)) return;
      busy.add(group.id);
      void step(group)
        .catch((error: unknown) => {
          const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
          if (!stopping.aborted) logger.debug('log-head-not-said', { group: group.id, code });
        })
        .finally(() => busy.delete(group.id));
    },
  };
}

/** As many in each as its count and its bytes allow. */
function inEntries(words: readonly LogHeadWord[]): readonly (readonly LogHeadWord[])[] {
  const room = agreementLimits.entryBodyBytesMax - limits.logHeadsRoomBytes;
  const entries: LogHeadWord[][] = [];
  let bytes = 0;
  for (const word of words) {
    // Each stands behind its field's number and its length.
    const length = logHeadCodec.encode(word).length + 4;
    const last = entries.at(-1);
    if (last === undefined || bytes + length > room || last.length >= governanceLimits.logHeadsTogether) {
      entries.push([word]);
      bytes = length;
    } else {
      last.push(word);
      bytes += length;
    }
  }
  return entries;
}

/** A block made forks known that the two heads alone prove: whoever looks at logs is told, and tells others. */
export function accuseForks(
  { crypto, logger, logs }: Pick<GovernanceDeps, 'crypto' | 'logger' | 'logs'>,
  before: Pick<GovernanceState, 'logHeads'>,
  after: Pick<GovernanceState, 'logHeads'>,
): void {
  for (const fault of after.logHeads.faults) {
    if (fault.kind !== 'forked' || before.logHeads.faults.includes(fault)) continue;
    const { origin, held, said } = fault;
    const evidence = evidenceOfSize(crypto, logHeadNote(crypto, origin, held), logHeadNote(crypto, origin, said));
    if (evidence === undefined) continue;
    void logs.accuse(evidence).catch((error: unknown) => {
      logger.warn('log-fork-not-told', { origin, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    });
  }
}
