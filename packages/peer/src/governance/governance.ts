import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  type Store,
  type Topics,
} from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { Policy } from '@peerai/ledger/governance';
import type { EventHub } from '../events/hub.ts';
import type { Devices } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import { agreementProtocol, governanceMethod, headsProtocol } from './governance-protocol.ts';
import type {
  GovernanceChainView,
  GovernanceChoice,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceGroupsView,
  GovernanceHeadView,
  GovernanceLogView,
  GovernancePaidView,
  GovernanceReward,
  GovernanceSaidView,
  GovernanceTransfer,
  GovernanceVerifyView,
  GovernanceWish,
  RewardsView,
} from './governance.schema.ts';
import type { LedgerProof } from '../ledger/ledger.schema.ts';
import type { GovernanceProofView } from './log-heads.schema.ts';
import type { RewardedRooms } from './reward-sources.ts';
import type { GroupRelays } from './group-relays.ts';
import type { GovernanceRoom } from './room.ts';

export interface GovernanceDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  /** This peer's log, which says what was decided while it was a member, and whose head its groups are told. */
  readonly ledger: Pick<OwnLedger, 'append' | 'size' | 'refusal' | 'checkpoint' | 'entries' | 'proveConsistency'>;
  readonly logs: GovernanceLogs;
  readonly network: Network;
  /** Where members without a channel to each other are heard too; undefined: nowhere. */
  readonly topics: Topics | undefined;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly isOnline: (peer: PeerId) => boolean;
  /** A member is proven to have said two things in one place of a group's agreement. */
  readonly lied?: (peer: PeerId, proof: string) => void;
  readonly relays: GroupRelays;
  /** What this peer had from others; given for by itself where `settings` says so. */
  readonly rewards: RewardedRooms & { readonly isOn: boolean };
  /** Whether groups are told the head of this peer's log. */
  readonly saysLogHead: boolean;
  readonly stopping: AbortSignal;
}
/** What is known of logs beside the groups. */
export interface GovernanceLogs {
  /** Throws NOT_IN_LOG, NOT_FOUND, PROOF_WRONG. */
  proveUnder(note: string, index: number): Promise<LedgerProof>;
  /** Somebody forked. */
  accuse(evidence: Uint8Array): Promise<unknown>;
  /** A head of our own log that somebody shows. */
  saw(note: string, shownBy: PeerId): Promise<unknown>;
}
/** Groups of paired devices that decide together, each by a chain of its own. Groups and proposals go by id, a beginning of it (8 or more), or a group's name. */
export interface Governance {
  list(): Promise<GovernanceGroupsView>;
  /** Throws GROUP_UNKNOWN; so do all below. */
  show(group: string): Promise<GovernanceDetail>;
  /** A group of this peer and devices, which are invited. Throws DEVICE_UNKNOWN, LIMIT_REACHED, LIMIT_EXCEEDED. */
  create(name: string, members: readonly string[]): Promise<GovernanceDetail>;
  /** Asks a device whether it wants to be a member; when it says yes this peer proposes it. Throws DEVICE_UNKNOWN, ALREADY_MEMBER. */
  invite(group: string, peer: string): Promise<GovernanceDetail>;
  /** Says yes to an invitation. */
  join(group: string): Promise<GovernanceDetail>;
  /** Follows this group no more and forgets it; who is still a member and should not count as one is removed by a vote first. */
  leave(group: string): Promise<void>;
  /** Throws VOTE_REFUSED (details name why), NO_DECISION, REFUSED, INVALID_FORMAT, LIMIT_EXCEEDED. */
  propose(group: string, wish: GovernanceWish, signal: AbortSignal): Promise<GovernanceSaidView>;
  /** Throws PROPOSAL_UNKNOWN, VOTE_REFUSED, NO_DECISION, REFUSED. */
  vote(group: string, proposal: string, choice: GovernanceChoice, signal: AbortSignal): Promise<GovernanceSaidView>;
  /** Gives points of this peer's own. Throws VOTE_REFUSED (NO_POINTS where it has not got as many), NO_DECISION, REFUSED. */
  transfer(group: string, wish: GovernanceTransfer, signal: AbortSignal): Promise<GovernancePaidView>;
  /** Pays for something what the group's policy says. Throws as `transfer`, with REWARDED for what was paid for before. */
  reward(group: string, wish: GovernanceReward, signal: AbortSignal): Promise<GovernancePaidView>;
  /** What is given by itself. */
  rewards(): Promise<RewardsView>;
  log(group: string): Promise<GovernanceLogView>;
  /** Checks every signature of the chain as it is stored, and does all of it again. */
  verify(group: string): Promise<GovernanceVerifyView>;
  /** Lies of its members that this peer has proof of. */
  evidence(group: string): Promise<GovernanceEvidenceView>;
  /** The newest head that the group has signed, a signed note. Throws NOT_FOUND when there is none. */
  head(group: string): Promise<GovernanceHeadView>;
  /** An entry of a member's log, this peer's unless said, under the newest head of it that the chain has. Throws DEVICE_UNKNOWN, NOT_FOUND, NOT_IN_LOG, PROOF_WRONG. */
  prove(group: string, index: number, origin?: string): Promise<GovernanceProofView>;
  /** Blocks as they are stored, from a height on. */
  chain(group: string, from: number): Promise<GovernanceChainView>;
  /** What the group decided that this peer has been a member of the longest; undefined where it is in none. */
  policy(): Policy | undefined;
  /** On the blacklist of a group this peer is a member of. */
  isRefused(peer: PeerId): boolean;
  met(peer: PeerId): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What governs is loaded when somebody does. */
export function createGovernance(deps: GovernanceDeps): Governance {
  const held = onDemand(async (): Promise<GovernanceRoom> => {
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openGovernanceRoom } = await import('./room.ts');
    return openGovernanceRoom(deps);
  });
  const room = held.get;
  const serving: Disposable[] = [];
  return {
    list: async () => (await room()).list(),
    show: async (group) => (await room()).show(group),
    create: async (name, members) => (await room()).create(name, members),
    invite: async (group, peer) => (await room()).invite(group, peer),
    join: async (group) => (await room()).join(group),
    leave: async (group) => (await room()).leave(group),
    propose: async (group, wish, signal) => (await room()).propose(group, wish, signal),
    vote: async (group, proposal, choice, signal) => (await room()).vote(group, proposal, choice, signal),
    transfer: async (group, wish, signal) => (await room()).transfer(group, wish, signal),
    reward: async (group, wish, signal) => (await room()).reward(group, wish, signal),
    rewards: async () => (await room()).rewards(),
    log: async (group) => (await room()).log(group),
    verify: async (group) => (await room()).verify(group),
    evidence: async (group) => (await room()).evidence(group),
    head: async (group) => (await room()).head(group),
    prove: async (group, index, origin) => (await room()).prove(group, index, origin),
    chain: async (group, from) => (await room()).chain(group, from),
    policy: () => held.now()?.policy(),
    isRefused: (peer) => held.now()?.isRefused(peer) ?? false,
    met: (peer) => held.now()?.met(peer),
    async start() {
      const { network, clock } = deps;
      serving.push(
        serveMethod(
          network,
          governanceMethod,
          async (question, { peer, signal }) => (await room()).answer(peer, question, signal),
          {
            clock,
          },
        ),
        network.answer(agreementProtocol, async (channel) => (await room()).hear(channel)),
        network.answer(headsProtocol, async (channel) => (await room()).hearHeads(channel)),
      );
      if (await isUsed(deps.store)) await room();
    },
    async stop() {
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await (await held.settled())?.closed();
    },
  };
}

async function isUsed(store: Store): Promise<boolean> {
  for await (const _ of store.room('governance').range('group/', 'group0', { limit: 1 })) return true;
  return false;
}
