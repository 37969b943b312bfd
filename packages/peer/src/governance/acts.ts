import { callMethod, fromHex, parsePeerId, PeerAiError, type PeerId, toBase64Url } from '@peerai/core-protocol';
import {
  type Action,
  castFromMs,
  type Choice,
  decodeStatement,
  type OpenProposal,
  type Outcome,
  type PointsSaid,
  policyNames,
  type Refusal,
} from '@peerai/ledger/governance';
import type { PeerErrorCode } from '../errors.ts';
import { ballotStore, tokenIdOf } from './ballot-rows.ts';
import type { GovernanceDeps } from './governance.ts';
import type { GovernanceSaidView, GovernanceWish } from './governance.schema.ts';
import { governanceMethod, plainQuestion } from './governance-protocol.ts';
import type { GroupDeps, RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { refusalText } from './refusal-words.ts';

type ActsDeps = Pick<
  GovernanceDeps,
  'identity' | 'clock' | 'crypto' | 'random' | 'network' | 'devices' | 'isOnline'
> & {
  readonly store: GovernanceDeps['store'];
  readonly booth: GroupDeps['booth'];
};
/** What an owner does in a group, and what becomes of a ballot. */
export interface Acts {
  propose(group: RunningGroup, wish: GovernanceWish, signal: AbortSignal): Promise<GovernanceSaidView>;
  proposeMember(
    group: RunningGroup,
    peer: PeerId,
    name: string,
    consent: Uint8Array,
    signal: AbortSignal,
  ): Promise<void>;
  /** Points of this peer's own. @returns the height of the group. */
  pay(group: RunningGroup, said: PointsSaid, signal: AbortSignal): Promise<number>;
  vote(group: RunningGroup, proposal: OpenProposal, choice: Choice, signal: AbortSignal): Promise<GovernanceSaidView>;
  /** Brings a ballot to the chain or hands it on. */
  post(group: RunningGroup, body: Uint8Array, hops: number, signal: AbortSignal): Promise<void>;
  /** The same for another member, who does not wait: the time it takes would tell how far it went. Throws LIMIT_REACHED with too many of that member under way. */
  bring(group: RunningGroup, from: PeerId, body: Uint8Array, hops: number, signal: AbortSignal): void;
}

export function createActs(deps: ActsDeps): Acts {
  const { identity, clock, crypto, random, network, devices, store, booth } = deps;
  const ballots = ballotStore(store);
  const said = (group: RunningGroup, proposal: string, height: number | null): GovernanceSaidView => ({
    v: 1,
    group: group.id,
    proposal,
    height,
  });
  const chance = (outOf: number): number => (random.bytes(1)[0] ?? 0) % outOf;
  const inTurn = (peers: readonly PeerId[]): readonly PeerId[] => {
    const start = peers.length === 0 ? 0 : chance(peers.length);
    return [...peers.slice(start), ...peers.slice(0, start)];
  };
  const brought = new Map<PeerId, number>();
  const acts: Acts = {
    async propose(group, wish, signal) {
      const action = actionOf(devices, identity.peer, wish.action);
      const keys = wish.secret ? await booth.makeKeys() : undefined;
      const { title, text, openMs } = wish;
      const proposal = { title, text, action, openMs, ballotKey: keys?.publicKey };
      // On disk before anybody may ask.
      if (keys !== undefined) await store.commit([ballots.keyOf(group.id, keys)]);
      const on = taken(await group.say({ type: 'proposal', proposal }, signal));
      return said(group, on, group.state().proposals.get(on)?.height ?? null);
    },
    async proposeMember(group, peer, name, consent, signal) {
      const action: Action = { type: 'member-add', peer, consent };
      const proposal = { title: `${name} joins`, text: '', action, openMs: limits.memberOpenMs };
      taken(await group.say({ type: 'proposal', proposal }, signal));
    },
    async pay(group, said, signal) {
      const { refused: why } = await group.say(said, signal);
      if (why !== undefined) throw refused(why);
      return group.state().height;
    },
    async vote(group, proposal, choice, signal) {
      const { id, secret, electors } = proposal;
      if (!electors.includes(identity.peer)) throw refused('NOT_ELECTOR');
      if (secret === undefined) {
        taken(await group.say({ type: 'vote', on: id, choice }, signal));
        return said(group, id, group.state().height);
      }
      const rows = ballots.own(group.id);
      const before = await rows.get(id);
      if (before !== undefined && secret.cast.has(tokenIdOf(crypto, before))) throw refused('VOTED');
      const isPast = group.state().timeMs >= castFromMs(proposal);
      if (isPast && !secret.asked.has(identity.peer)) throw refused('TOO_LATE');
      // The choice can change until the ballot is cast: only then it is sealed.
      const row = before ?? { seed: toBase64Url(random.bytes(32)) };
      await store.commit([rows.put(id, { ...row, choice })]);
      return said(group, id, null);
    },
    async post(group, body, hops, signal) {
      const { members } = group.state();
      const others = members.filter((peer) => peer !== identity.peer);
      // The voter itself always hands it to another first, or its place in the chain would name it.
      const isMine = hops === 0;
      const handsOn = isMine || (hops < limits.ballotHopsMax && chance(4) < limits.handOnOf4);
      if (handsOn && others.length > 0) {
        // Who is linked first: dialling a member that this one is not paired with takes its time and fails.
        const [linked, away] = [others.filter(deps.isOnline), others.filter((peer) => !deps.isOnline(peer))];
        for (const peer of [...inTurn(linked), ...inTurn(away)]) {
          const question = {
            ...plainQuestion,
            kind: 'ballot' as const,
            group: fromHex(group.id),
            ballot: body,
            hops: hops + 1,
          };
          try {
            await callMethod({ network, clock }, peer, governanceMethod, question, { signal });
            return;
          } catch (error) {
            if (!PeerAiError.is(error) || signal.aborted) throw error;
          }
        }
        if (isMine) throw new PeerAiError('PEER_UNREACHABLE', 'no other member is here to bring this ballot');
      }
      const statement = decodeStatement(body);
      if (statement.said.type !== 'ballot') throw new PeerAiError('INVALID_FORMAT', 'this is no ballot');
      await group.say(statement.said, signal);
    },
    bring(group, from, body, hops, signal) {
      const underWay = brought.get(from) ?? 0;
      if (underWay >= limits.ballotsUnderWayMax)
        throw new PeerAiError('LIMIT_REACHED', `${underWay} ballots of yours are on their way here already`);
      brought.set(from, underWay + 1);
      const over = (): void => {
        const left = (brought.get(from) ?? 1) - 1;
        if (left > 0) brought.set(from, left);
        else brought.delete(from);
      };
      acts.post(group, body, Math.max(1, hops), signal).then(over, over);
    },
  };
  return acts;
}

const refused = (why: Refusal): PeerAiError<PeerErrorCode> =>
  new PeerAiError<PeerErrorCode>('VOTE_REFUSED', `the group does not take this: ${refusalText(why)}`, { why });

/** Throws VOTE_REFUSED with the fold's own reason. */
function taken({ on, refused: why }: Outcome): string {
  if (why !== undefined || on === undefined) throw refused(why ?? 'INVALID_FORMAT');
  return on;
}

function actionOf(devices: GovernanceDeps['devices'], self: PeerId, wish: GovernanceWish['action']): Action {
  if (wish.type === 'text' || wish.type === 'relays') return wish;
  if (wish.type === 'checkpoint') return { type: wish.type, name: wish.name, hash: fromHex(wish.sha256) };
  if (wish.type === 'policy') {
    const name = policyNames.find((one) => one === wish.name);
    if (name === undefined)
      throw new PeerAiError('INVALID_FORMAT', `a policy is one of ${policyNames.join(', ')}`, { name: wish.name });
    return { type: wish.type, name, value: wish.value };
  }
  const peer = peerOf(devices, self, wish.peer);
  if (wish.type === 'points')
    return { type: wish.type, to: peer, amountMicro: BigInt(wish.amountMicro), reason: wish.reason };
  if (wish.type === 'blacklist-add') return { type: wish.type, peer, reason: wish.reason };
  return { type: wish.type, peer };
}

/** A device by its name, this peer as `self`, or anybody by a whole peer id: who is refused need not be known here. */
export function peerOf(devices: GovernanceDeps['devices'], self: PeerId, text: string): PeerId {
  if (text === 'self') return self;
  try {
    return devices.find(text).peer;
  } catch (error) {
    try {
      return parsePeerId(text);
    } catch {
      throw error;
    }
  }
}
