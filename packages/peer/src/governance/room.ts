import {
  callMethod,
  type Channel,
  fromBase64Url,
  fromHex,
  PeerAiError,
  type PeerId,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import { decodeGenesis, encodeGenesis, type Genesis, groupIdOf } from '@peerai/ledger/agreement';
import {
  createBallotBooth,
  type GovernanceState,
  isConsent,
  logHeadCodec,
  type OpenProposal,
  type Policy,
  rewardOf,
  signConsent,
} from '@peerai/ledger/governance';
import type { PeerErrorCode } from '../errors.ts';
import { findNamed, isIdOf } from '../store/find-named.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { createActs, peerOf } from './acts.ts';
import { openAutoRewards } from './auto-rewards.ts';
import { ballotStore } from './ballot-rows.ts';
import { createDuties } from './duties.ts';
import type { Governance, GovernanceDeps } from './governance.ts';
import {
  agreementProtocol,
  type GovernanceAnswer,
  governanceMethod,
  type GovernanceQuestion,
  headsProtocol,
  plainQuestion,
} from './governance-protocol.ts';
import { relaysDecided } from './group-relays.ts';
import { type GroupLink, groupLink } from './group-link.ts';
import { openGroupTopic } from './group-topic.ts';
import { type RunningGroup, runGroup } from './group.ts';
import { headKeyStore } from './head-key-store.ts';
import { type GroupHeads, openGroupHeads } from './heads.ts';
import { createLiarTeller } from './liars.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { createLines } from './lines.ts';
import { proveByGroup } from './log-head-views.ts';
import { accuseForks, createGroupLogHeads } from './log-heads.ts';
import type { GroupRow } from './rows.ts';
import { createStatedDecisions } from './stated.ts';
import { chainOf, detailOf, headOf, summaryOf, verifyGroup } from './show.ts';
import { rewardSources } from './reward-sources.ts';
import { rewardFacts } from './rewards.ts';
import { evidenceView, logView, whoOf } from './views.ts';

export interface GovernanceRoom extends Omit<Governance, 'start' | 'stop' | 'policy'> {
  policy(): Policy | undefined;
  answer(peer: PeerId, question: GovernanceQuestion, signal: AbortSignal): Promise<GovernanceAnswer>;
  hear(channel: Channel): Promise<void>;
  hearHeads(channel: Channel): Promise<void>;
  closed(): Promise<void>;
}

/** The groups of this peer. Throws LEDGER_DAMAGED for a chain whose rows are damaged, and what the store throws. */
export async function openGovernanceRoom(deps: GovernanceDeps): Promise<GovernanceRoom> {
  const { identity, clock, crypto, random, network, devices, events, stopping } = deps;
  const store = deps.store.room('governance');
  const rows = records<GroupRow>(store, 'group');
  const booth = createBallotBooth();
  const known = new Map<string, GroupRow>();
  const running = new Map<string, RunningGroup>();
  const heads = new Map<string, GroupHeads>();
  const links = new Map<string, GroupLink>();
  const lines = createLines({ network, clock, stopping }, agreementProtocol);
  const headLines = createLines({ network, clock, stopping }, headsProtocol);
  const mutex = createMutex();
  const decided = createStatedDecisions({ ...deps, store });
  const ballots = ballotStore(store);
  const acts = createActs({ ...deps, store, booth });
  const duties = createDuties(
    { ...deps, store, booth, post: (group, body, signal) => acts.post(group, body, 0, signal) },
    stopping,
  );

  const told = (group: string): void => events.emit({ type: 'governance-changed', groupId: group });
  const keep = async (id: string, row: GroupRow): Promise<void> => {
    await store.commit([rows.put(id, row)]);
    known.set(id, row);
    told(id);
  };
  const followRelays = (): void =>
    deps.relays.decided(relaysDecided(byAge(known, [...running.values()]), identity.peer));
  const changed = (id: string, after: GovernanceState, before: GovernanceState): void => {
    followRelays();
    told(id);
    const group = running.get(id);
    if (group !== undefined) duties.look(group);
    heads.get(id)?.look();
    accuseForks(deps, before, after);
    if (!after.members.includes(identity.peer)) return;
    for (const peer of after.blacklist.keys())
      if (!before.blacklist.has(peer)) void network.disconnect(peer).catch(() => undefined);
  };
  const ended = (id: string, before: GovernanceState, after: GovernanceState): Promise<void> =>
    ballots.forgetEnded(id, before, after).catch((error: unknown) => {
      if (!PeerAiError.is(error)) throw error;
      deps.logger.warn('ballots-not-forgotten', { group: id, code: error.code });
    });
  const linkTo = (id: string, genesis: Genesis): GroupLink => {
    const { topics } = deps;
    const members = () => running.get(id)?.state().members ?? genesis.members;
    return groupLink(
      lines,
      id,
      topics && ((options) => openGroupTopic({ ...deps, topics }, { ...options, genesis, members })),
    );
  };
  const run = async (id: string, row: GroupRow): Promise<RunningGroup> => {
    const link = linkTo(id, decodeGenesis(fromBase64Url(row.genesis)));
    const group = await runGroup({ ...deps, booth, link: () => link, decided, ended, changed }, row.genesis);
    links.set(id, link);
    running.set(id, group);
    duties.look(group);
    heads.set(id, await openGroupHeads({ ...deps, store, link: (one) => headLines.link(one), changed: told }, group));
    return group;
  };
  for await (const [id, row] of rows.all()) {
    known.set(id, row);
    if (row.state === 'joined') await run(id, row);
  }
  followRelays();

  /** Tells everybody who is here and was not told yet. */
  const deliver = (id: string): void => {
    for (const peer of known.get(id)?.invite ?? [])
      if (deps.isOnline(peer as PeerId)) void invitation(id, peer as PeerId).catch(() => undefined);
    void consent(id).catch(() => undefined);
  };
  const ask = (peer: PeerId, question: Partial<GovernanceQuestion> & Pick<GovernanceQuestion, 'kind'>) =>
    callMethod({ network, clock }, peer, governanceMethod, { ...plainQuestion, ...question }, { signal: stopping });
  const invitation = async (id: string, peer: PeerId): Promise<void> => {
    const row = known.get(id);
    if (row === undefined) return;
    await ask(peer, { kind: 'invite', genesis: fromBase64Url(row.genesis) });
    await mutex(async () => {
      const now = known.get(id);
      if (now !== undefined) await keep(id, { ...now, invite: now.invite.filter((one) => one !== peer) });
    });
  };
  const consent = async (id: string): Promise<void> => {
    const { from, owesConsent } = known.get(id) ?? {};
    if (owesConsent !== true || from === undefined) return;
    await ask(from as PeerId, { kind: 'consent', group: fromHex(id), consent: signConsent(identity, id) });
    await mutex(async () => {
      const { owesConsent: _, ...now } = known.get(id) ?? {};
      if ('genesis' in now) await keep(id, now);
    });
  };
  const idOf = (text: string): string =>
    findNamed(
      [...known].map(([id, row]) => ({ id, name: nameOf(row) })),
      text,
      { code: 'GROUP_UNKNOWN', what: 'group', hint: '`peerai gov ls` lists them with their ids.' },
    ).id;
  const groupOf = (text: string): RunningGroup => {
    const group = running.get(idOf(text));
    if (group !== undefined) return group;
    throw new PeerAiError<PeerErrorCode>('NOT_JOINED', `say yes first: peerai gov join ${text}`);
  };
  const proposalOf = (group: RunningGroup, text: string): OpenProposal => {
    const found = [...group.state().proposals.values()].filter(({ id }) => isIdOf(id, text));
    if (found.length === 1 && found[0] !== undefined) return found[0];
    const isOver = group.state().decisions.some(({ id }) => isIdOf(id, text));
    const why = isOver ? 'is decided already' : 'is no open proposal of this group';
    throw new PeerAiError<PeerErrorCode>('PROPOSAL_UNKNOWN', `"${text}" ${why}; peerai gov show has them`);
  };
  const logHeads = createGroupLogHeads({
    ...deps,
    ask: async (peer, group) => (await ask(peer, { kind: 'log-head', group: fromHex(group) })).logHead,
  });
  const facts = { ...deps, store, known, running, links, heads, logHeads };
  const show = (id: string) => detailOf(facts, id);

  const members = (): readonly RunningGroup[] =>
    byAge(
      known,
      [...running.values()].filter((group) => group.status().isMember),
    );
  const rewards = await openAutoRewards({
    ...deps,
    store,
    self: identity.peer,
    isOn: deps.rewards.isOn,
    sources: rewardSources(deps.rewards),
    groups: members,
    pay: async (id, said, signal) => void (await acts.pay(groupOf(id), said, signal)),
  });
  const rewarding = (async () => {
    while (deps.rewards.isOn && !stopping.aborted) {
      await clock.sleep(limits.rewardsLookMs, stopping).catch(() => undefined);
      await rewards.look(stopping).catch((error: unknown) => {
        deps.logger.warn('rewards-not-given', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      });
    }
  })();

  // Deadlines come whether or not somebody says something.
  const tellLiars = createLiarTeller((peer, proof) => deps.lied?.(peer, proof));
  const looking = (async () => {
    while (!stopping.aborted) {
      await clock.sleep(limits.lookMs, stopping).catch(() => undefined);
      for (const group of running.values()) {
        duties.look(group);
        tellLiars(group);
        logHeads.look(group);
      }
      for (const one of heads.values()) one.look();
    }
  })();

  return {
    list: async () => ({ v: 1, groups: [...known.keys()].map((id) => summaryOf(facts, id)) }),
    show: async (text) => show(idOf(text)),
    create: (name, wished) =>
      mutex(async () => {
        refuseTooMany(known.size);
        const others = wished.map((text) => devices.find(text).peer);
        const members = [...new Set([identity.peer, ...others])];
        const bytes = encodeGenesis({ version: 1, name, members, nonce: random.bytes(16) });
        const genesis = decodeGenesis(bytes);
        const id = toHex(groupIdOf(crypto, genesis));
        const invite = members.filter((peer) => peer !== identity.peer);
        const row: GroupRow = { genesis: toBase64Url(bytes), state: 'joined', invite, sinceMs: clock.nowMs() };
        await keep(id, row);
        await run(id, row);
        deliver(id);
        return show(id);
      }),
    invite: (text, wished) =>
      mutex(async () => {
        const group = groupOf(text);
        const { peer } = devices.find(wished);
        const row = known.get(group.id);
        const isFirst = group.genesis.members.includes(peer);
        if (group.state().members.includes(peer) && !isFirst)
          throw new PeerAiError('ALREADY_MEMBER', 'this device is a member already');
        if (row !== undefined) await keep(group.id, { ...row, invite: [...new Set([...row.invite, peer])] });
        deliver(group.id);
        return show(group.id);
      }),
    join: (text) =>
      mutex(async () => {
        const id = idOf(text);
        const row = known.get(id);
        if (row === undefined || row.state === 'joined') return show(id);
        const isFirst = decodeGenesis(fromBase64Url(row.genesis)).members.includes(identity.peer);
        const joined: GroupRow = { ...row, state: 'joined', ...(isFirst ? {} : { owesConsent: true }) };
        await keep(id, joined);
        await run(id, joined);
        followRelays();
        void consent(id).catch(() => undefined);
        return show(id);
      }),
    leave: (text) =>
      mutex(async () => {
        const id = idOf(text);
        await heads.get(id)?.stop();
        await running.get(id)?.stop();
        heads.delete(id);
        running.delete(id);
        links.delete(id);
        await store.commit([rows.remove(id)]);
        await headKeyStore({ ...deps, store }, identity, id).forgetAll();
        await ballots.forgetGroup(id);
        known.delete(id);
        followRelays();
        told(id);
      }),
    propose: (text, wish, signal) => acts.propose(groupOf(text), wish, signal),
    async vote(text, proposal, choice, signal) {
      const group = groupOf(text);
      const said = await acts.vote(group, proposalOf(group, proposal), choice, signal);
      duties.look(group);
      return said;
    },
    async transfer(text, { peer, amountMicro, reason }, signal) {
      const group = groupOf(text);
      const to = peerOf(devices, identity.peer, peer);
      const said = { type: 'transfer', to, amountMicro: BigInt(amountMicro), reason } as const;
      const height = await acts.pay(group, said, signal);
      return { v: 1, group: group.id, to: whoOf(to, deps.nameOf), amountMicro, height };
    },
    async reward(text, wish, signal) {
      const group = groupOf(text);
      const reward = rewardFacts(wish, peerOf(devices, identity.peer, wish.peer));
      const amountMicro = `${rewardOf(group.state().policy, identity.peer, reward)}`;
      const height = await acts.pay(group, { type: 'reward', reward }, signal);
      return { v: 1, group: group.id, to: whoOf(reward.to, deps.nameOf), amountMicro, height };
    },
    rewards: () => rewards.view(),
    log: async (text) => logView(groupOf(text).log(), deps.nameOf),
    verify: async (text) => verifyGroup(facts, groupOf(text)),
    evidence: async (text) => evidenceView(groupOf(text), deps.nameOf),
    head: async (text) => headOf(facts, groupOf(text)),
    prove: (text, index, origin = 'self') => proveByGroup(deps, groupOf(text), index, origin),
    chain: async (text, from) => chainOf(groupOf(text), known, from),
    policy: () => members()[0]?.state().policy,
    isRefused: (peer) =>
      [...running.values()].some(
        (group) => group.state().blacklist.has(peer) && group.state().members.includes(identity.peer),
      ),
    met(peer) {
      lines.met(peer);
      headLines.met(peer);
      for (const id of known.keys()) deliver(id);
    },
    async answer(peer, question, signal) {
      const { kind } = question;
      let logHead: Uint8Array | undefined;
      if (kind === 'invite') await mutex(() => invited(peer, question.genesis));
      else logHead = await heard(peer, question, signal);
      return { version: 1, logHead };
    },
    hear: (channel) => lines.hear(channel),
    hearHeads: (channel) => headLines.hear(channel),
    async closed() {
      await Promise.all([...heads.values()].map((one) => one.stop()));
      await Promise.all([looking, rewarding, ...[...running.values()].map((group) => group.stop())]);
    },
  };

  async function invited(from: PeerId, bytes: Uint8Array | undefined): Promise<void> {
    const genesis = decodeGenesis(bytes ?? new Uint8Array());
    const id = toHex(groupIdOf(crypto, genesis));
    if (known.has(id)) return;
    refuseTooMany(known.size);
    const encoded = toBase64Url(encodeGenesis(genesis));
    await keep(id, { genesis: encoded, state: 'invited', from, invite: [], sinceMs: clock.nowMs() });
  }
  async function heard(
    peer: PeerId,
    question: GovernanceQuestion,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const group = running.get(toHex(question.group ?? new Uint8Array()));
    if (group === undefined) throw new PeerAiError('GROUP_UNKNOWN', 'this peer is in no such group');
    if (question.kind === 'ballot') {
      if (!group.state().members.includes(peer)) throw new PeerAiError('REFUSED', 'only members bring ballots');
      acts.bring(group, peer, question.ballot ?? new Uint8Array(), question.hops ?? 1, stopping);
      return undefined;
    }
    if (question.kind === 'log-head') {
      if (!group.state().members.includes(peer)) throw new PeerAiError('REFUSED', 'only members are told');
      const word = await logHeads.word(group);
      return word && logHeadCodec.encode(word);
    }
    const word = question.consent ?? new Uint8Array();
    if (!isConsent(crypto, group.id, peer, word))
      throw new PeerAiError('INVALID_SIGNATURE', 'this is no consent of yours');
    const open = [...group.state().proposals.values()].map(({ action }) => action);
    const isUnderWay = open.some((action) => action.type === 'member-add' && action.peer === peer);
    if (!isUnderWay && !group.state().members.includes(peer))
      await acts.proposeMember(group, peer, deps.nameOf(peer), word, signal);
    return undefined;
  }
}

const nameOf = ({ genesis }: GroupRow): string => decodeGenesis(fromBase64Url(genesis)).name;

function refuseTooMany(count: number): void {
  if (count >= limits.groupsMax)
    throw new PeerAiError('LIMIT_REACHED', `${count} groups are kept here; leave one first`);
}

/** The one this peer has known the longest first. */
const byAge = (known: ReadonlyMap<string, GroupRow>, groups: readonly RunningGroup[]): readonly RunningGroup[] =>
  groups.toSorted((a, b) => (known.get(a.id)?.sinceMs ?? 0) - (known.get(b.id)?.sinceMs ?? 0));
