import { compareUtf8, type PeerId, toHex } from '@peerai/core-protocol';
import { agreementLimits } from '../agreement/index.ts';
import type { Action } from './action.ts';
import { governanceLimits as limits } from './limits.ts';
import type { GovernanceState } from './state.ts';

/** The state with a decision carried out; undefined where it has no effect: a member that is one already, a list that is full. */
export function execute(state: GovernanceState, action: Action): GovernanceState | undefined {
  if (action.type === 'member-add') return withMember(state, action.peer);
  if (action.type === 'member-remove') return withoutMember(state, action.peer);
  if (action.type === 'policy')
    return state.policy[action.name] === action.value
      ? undefined
      : { ...state, policy: { ...state.policy, [action.name]: action.value } };
  if (action.type === 'blacklist-add') return blacklisted(state, action.peer, action.reason);
  if (action.type === 'blacklist-remove') {
    const blacklist = new Map(state.blacklist);
    return blacklist.delete(action.peer) ? { ...state, blacklist } : undefined;
  }
  if (action.type === 'relays') return { ...state, relays: action.addresses };
  if (action.type === 'points') return withPoints(state, action.to, action.amountMicro);
  if (action.type === 'checkpoint') {
    const checkpoint = { name: action.name, hash: toHex(action.hash), height: state.height };
    return { ...state, checkpoints: [...state.checkpoints, checkpoint].slice(-limits.checkpointsKept) };
  }
  return state;
}

const membersToBe = ({ members, nextMembers }: GovernanceState): readonly PeerId[] => nextMembers ?? members;

function withMember(state: GovernanceState, peer: PeerId): GovernanceState | undefined {
  const members = membersToBe(state);
  if (members.includes(peer) || members.length >= agreementLimits.membersMax || state.blacklist.has(peer))
    return undefined;
  return { ...state, nextMembers: [...members, peer].toSorted(compareUtf8) };
}

/** The last one stays: a group of nobody decides nothing. */
function withoutMember(state: GovernanceState, peer: PeerId): GovernanceState | undefined {
  const members = membersToBe(state);
  if (!members.includes(peer) || members.length === 1) return undefined;
  return { ...state, nextMembers: members.filter((one) => one !== peer) };
}

/** A member has to be removed first, so that who votes and who is refused stay apart. */
function blacklisted(state: GovernanceState, peer: PeerId, reason: string): GovernanceState | undefined {
  const isFull = state.blacklist.size >= limits.blacklistMax;
  if (isFull || state.blacklist.has(peer) || membersToBe(state).includes(peer)) return undefined;
  return { ...state, blacklist: new Map(state.blacklist).set(peer, { reason, height: state.height }) };
}

function withPoints(state: GovernanceState, to: PeerId, amount: bigint): GovernanceState | undefined {
  const pointsIssued = state.pointsIssued + amount;
  const isFull = state.points.size >= limits.holdersMax && !state.points.has(to);
  if (isFull || pointsIssued > limits.pointsTotalMicroMax) return undefined;
  return { ...state, pointsIssued, points: new Map(state.points).set(to, (state.points.get(to) ?? 0n) + amount) };
}
