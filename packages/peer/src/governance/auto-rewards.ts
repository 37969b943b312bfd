import { type Clock, type Logger, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { type PointsSaid, type RewardFacts, rewardOf } from '@peerai/ledger/governance';
import type { LeaseView } from '../lending/lending.schema.ts';
import type { KeptCapsuleView } from '../memory/memory.schema.ts';
import { records } from '../store/records.ts';
import type { GovernanceReward, RewardsView } from './governance.schema.ts';
import type { RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { rewardFacts } from './rewards.ts';
import { type NameOf, whoOf } from './views.ts';

/** What this peer had from others: it is who pays. */
export interface RewardSources {
  leases(): Promise<readonly LeaseView[]>;
  capsules(): Promise<readonly KeptCapsuleView[]>;
}
export interface AutoRewardsDeps {
  readonly self: PeerId;
  /** The room of governance. */
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nameOf: NameOf;
  readonly isOn: boolean;
  readonly sources: RewardSources;
  /** Groups that this peer is a member of, the one it has known longest first. */
  readonly groups: () => readonly Pick<RunningGroup, 'id' | 'genesis' | 'state'>[];
  /** Throws VOTE_REFUSED (details name why), NO_DECISION. */
  readonly pay: (group: string, said: PointsSaid, signal: AbortSignal) => Promise<void>;
}
/** Gives what a group's policy says, once for each thing this peer had since it was switched on. */
export interface AutoRewards {
  view(): Promise<RewardsView>;
  /** Gives what is due now. Rejects with what the store throws. */
  look(signal: AbortSignal): Promise<void>;
}

/** `sent`: whether the group has decided it is not known; it is said again, and the chain takes it once. */
interface RewardRow {
  readonly group: string;
  readonly to: PeerId;
  readonly amountMicro: string;
  readonly atMs: number;
  readonly state: 'sent' | 'paid' | 'refused';
  readonly why?: string;
  readonly wish: GovernanceReward;
}
type Due = Pick<RewardRow, 'group' | 'to' | 'amountMicro' | 'wish'> & { readonly facts: RewardFacts };
type Waiting = RewardsView['waiting'][number]['why'];

const dayMs = 86_400_000;

/** Throws what the store throws. */
export async function openAutoRewards(deps: AutoRewardsDeps): Promise<AutoRewards> {
  const { self, store, clock, nameOf, isOn } = deps;
  const rows = records<RewardRow>(store, 'reward');
  const since = records<{ readonly sinceMs: number }>(store, 'rewards-since');
  const given = new Map<string, RewardRow>();
  for await (const [key, row] of rows.all()) given.set(key, row);
  let sinceMs = (await since.get('auto'))?.sinceMs;
  // What was had while it was off is paid for by hand, or not at all.
  if (isOn && sinceMs === undefined) {
    sinceMs = clock.nowMs();
    await store.commit([since.put('auto', { sinceMs })]);
  } else if (!isOn && sinceMs !== undefined) {
    sinceMs = undefined;
    await store.commit([since.remove('auto')]);
  }

  const keep = async (key: string, row: RewardRow): Promise<void> => {
    await store.commit([rows.put(key, row)]);
    given.set(key, row);
  };
  const drop = async (keys: readonly string[]): Promise<void> => {
    await store.commit(keys.map((key) => rows.remove(key)));
    for (const key of keys) given.delete(key);
  };
  const today = (): { readonly count: number; readonly micro: bigint } => {
    const day = Math.floor(clock.nowMs() / dayMs);
    const of = [...given.values()].filter(({ atMs }) => Math.floor(atMs / dayMs) === day);
    return { count: of.length, micro: of.reduce((sum, { amountMicro }) => sum + BigInt(amountMicro), 0n) };
  };
  /** By its key: all that was had since it was switched on, whether or not it is paid for. */
  const had = async (fromMs: number): Promise<Map<string, readonly [wish: GovernanceReward, to: PeerId]>> => {
    const leases = (await deps.sources.leases())
      .filter(({ role, endedMs, heldMs }) => role === 'borrower' && (endedMs ?? 0) >= fromMs && heldMs > 0)
      .map(({ id, peerId, nodes, heldMs }) =>
        wishFor({ reason: 'borrowing', peer: peerId, subject: id, nodes, heldMs }),
      );
    // A capsule that nobody ever found here was pushed, not taken over.
    const capsules = (await deps.sources.capsules())
      .filter(({ mine, uses, keptSinceMs }) => !mine && uses > 0 && keptSinceMs >= fromMs)
      .map(({ id, author, quality, novelty }) =>
        wishFor({ reason: 'capsule', peer: author, subject: id, quality, novelty }),
      );
    return new Map([...leases, ...capsules]);
  };
  /** In the first group that both are members of; nothing where its policy pays nothing for it. */
  const dueIn = (wish: GovernanceReward, to: PeerId): Due | undefined => {
    const group = deps.groups().find((one) => one.state().members.includes(to));
    if (group === undefined || to === self) return undefined;
    const facts = rewardFacts(wish, to);
    const amount = rewardOf(group.state().policy, self, facts);
    return amount === 0n ? undefined : { group: group.id, to, amountMicro: `${amount}`, wish, facts };
  };
  const whyNot = ({ group, amountMicro }: Due): Waiting | undefined => {
    const { count, micro } = today();
    if (count >= limits.rewardsPerDayMax || micro + BigInt(amountMicro) > limits.rewardsDayMicroMax) return 'DAY_LIMIT';
    const state = deps
      .groups()
      .find(({ id }) => id === group)
      ?.state();
    return (state?.points.get(self) ?? 0n) < BigInt(amountMicro) ? 'NO_POINTS' : undefined;
  };
  const due = async (): Promise<Map<string, Due>> => {
    if (sinceMs === undefined) return new Map();
    const found = [...(await had(sinceMs))].flatMap(([key, [wish, to]]): [string, Due][] => {
      const one = given.has(key) ? undefined : dueIn(wish, to);
      return one === undefined ? [] : [[key, one]];
    });
    return new Map(found);
  };
  const send = async (key: string, row: RewardRow, signal: AbortSignal): Promise<void> => {
    const reward = rewardFacts(row.wish, row.to);
    try {
      await deps.pay(row.group, { type: 'reward', reward }, signal);
      await keep(key, { ...row, state: 'paid' });
    } catch (error) {
      const why = whyRefused(error);
      // No answer in time is no answer: the next look says it again.
      if (why === undefined) deps.logger.debug('reward-not-decided', { code: codeOf(error) });
      else if (why === 'REWARDED') await keep(key, { ...row, state: 'paid' });
      else if (why === 'NO_POINTS') await drop([key]);
      else await keep(key, { ...row, state: 'refused', why });
    }
  };
  /** Of what is not here any more, the newest are kept for people to read. */
  const tidy = async (): Promise<void> => {
    if (given.size <= limits.rewardRowsKept || sinceMs === undefined) return;
    const here = await had(sinceMs);
    const gone = [...given].filter(([key, { state }]) => !here.has(key) && state !== 'sent');
    const oldest = gone.toSorted(([, a], [, b]) => a.atMs - b.atMs).slice(0, given.size - limits.rewardRowsKept);
    await drop(oldest.map(([key]) => key));
  };

  return {
    async look(signal) {
      if (sinceMs === undefined) return;
      for (const [key, row] of given) if (row.state === 'sent' && !signal.aborted) await send(key, row, signal);
      for (const [key, one] of await due()) {
        if (signal.aborted) return;
        if (whyNot(one) !== undefined) continue;
        const { facts: _, ...facts } = one;
        const row: RewardRow = { ...facts, atMs: clock.nowMs(), state: 'sent' };
        // On disk before it is said: who dies in between says it again, and does not count it twice.
        await keep(key, row);
        await send(key, row, signal);
      }
      await tidy();
    },
    async view() {
      const { count, micro } = today();
      const names = new Map(deps.groups().map(({ id, genesis }) => [id, genesis.name]));
      const what = ({ group, to, amountMicro, wish }: Pick<RewardRow, 'group' | 'to' | 'amountMicro' | 'wish'>) => ({
        group,
        groupName: names.get(group) ?? null,
        to: whoOf(to, nameOf),
        reason: wish.reason,
        subject: wish.subject,
        amountMicro,
      });
      const newest = [...given.values()].toSorted((a, b) => b.atMs - a.atMs).slice(0, limits.rewardsShown);
      return {
        v: 1,
        mode: isOn ? 'auto' : 'off',
        sinceMs: sinceMs ?? null,
        today: count,
        todayMicro: `${micro}`,
        perDayMax: limits.rewardsPerDayMax,
        dayMicroMax: `${limits.rewardsDayMicroMax}`,
        given: newest.map((row) => ({ ...what(row), atMs: row.atMs, state: row.state, why: row.why ?? null })),
        waiting: [...(await due()).values()]
          .slice(0, limits.rewardsShown)
          .map((one) => ({ ...what(one), why: whyNot(one) ?? 'NEXT_LOOK' })),
      };
    },
  };
}

const wishFor = (wish: GovernanceReward): [string, readonly [GovernanceReward, PeerId]] => [
  `${wish.reason}-${wish.subject}`,
  [wish, wish.peer as PeerId],
];
const codeOf = (error: unknown): string => (PeerAiError.is(error) ? error.code : 'INTERNAL');
function whyRefused(error: unknown): string | undefined {
  if (!PeerAiError.is(error, 'VOTE_REFUSED')) return undefined;
  const { why } = error.details;
  return typeof why === 'string' ? why : 'VOTE_REFUSED';
}
