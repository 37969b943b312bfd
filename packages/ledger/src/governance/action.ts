import { PeerAiError, type PeerId, peerIdFromPublicKey, publicKeyFromPeerId, wire } from '@peerai/core-protocol';
import { governanceLimits as limits } from './limits.ts';
import { isPolicyName, isPolicyValue, policyKeys, type PolicyName } from './policy.ts';

/** What a group can decide. */
export type Action =
  /** `consent`: what the peer itself signed (`signConsent`). */
  | { readonly type: 'member-add'; readonly peer: PeerId; readonly consent: Uint8Array }
  | { readonly type: 'member-remove'; readonly peer: PeerId }
  | { readonly type: 'policy'; readonly name: PolicyName; readonly value: number }
  | { readonly type: 'blacklist-add'; readonly peer: PeerId; readonly reason: string }
  | { readonly type: 'blacklist-remove'; readonly peer: PeerId }
  /** The whole list. */
  | { readonly type: 'relays'; readonly addresses: readonly string[] }
  | { readonly type: 'points'; readonly to: PeerId; readonly amountMicro: bigint; readonly reason: string }
  /** A hash that all know by a name: a model's weights, a log's head. */
  | { readonly type: 'checkpoint'; readonly name: string; readonly hash: Uint8Array }
  /** Words alone: the proposal's title and text. */
  | { readonly type: 'text' };
export type ActionType = Action['type'];
export const actionTypes = [
  'member-add',
  'member-remove',
  'policy',
  'blacklist-add',
  'blacklist-remove',
  'relays',
  'points',
  'checkpoint',
  'text',
] as const satisfies readonly ActionType[];

const { bytes, message, oneOf, optional, repeated, string, uint53, uint64 } = wire;
const codec = message({
  type: oneOf(1, actionTypes),
  peer: optional(bytes(2)),
  consent: optional(bytes(3)),
  name: optional(string(4)),
  value: optional(uint53(5)),
  reason: optional(string(6)),
  addresses: repeated(string(7), limits.relaysMax),
  amountMicro: optional(uint64(8)),
  hash: optional(bytes(9)),
});
const nothing = {
  peer: undefined,
  consent: undefined,
  name: undefined,
  value: undefined,
  reason: undefined,
  addresses: [] as readonly string[],
  amountMicro: undefined,
  hash: undefined,
};

/** Throws INVALID_FORMAT for a peer id that is none, LIMIT_EXCEEDED. */
export function encodeAction(action: Action): Uint8Array {
  checkAction(action);
  if ('peer' in action) return codec.encode({ ...nothing, ...action, peer: publicKeyFromPeerId(action.peer) });
  if (action.type !== 'points') return codec.encode({ ...nothing, ...action });
  const { to, ...rest } = action;
  return codec.encode({ ...nothing, ...rest, peer: publicKeyFromPeerId(to) });
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeAction(encoded: Uint8Array): Action {
  const action = actionOf(codec.decode(encoded));
  checkAction(action);
  return action;
}

function actionOf(read: ReturnType<typeof codec.decode>): Action {
  const { type, addresses } = read;
  const peer = (): PeerId => peerIdFromPublicKey(need(read.peer));
  if (type === 'text') return { type };
  if (type === 'relays') return { type, addresses };
  if (type === 'member-add') return { type, peer: peer(), consent: need(read.consent) };
  if (type === 'member-remove' || type === 'blacklist-remove') return { type, peer: peer() };
  if (type === 'blacklist-add') return { type, peer: peer(), reason: need(read.reason) };
  if (type === 'points') return { type, to: peer(), amountMicro: need(read.amountMicro), reason: need(read.reason) };
  const name = need(read.name);
  if (type === 'checkpoint') return { type, name, hash: need(read.hash) };
  if (!isPolicyName(name)) throw new PeerAiError('INVALID_FORMAT', 'a policy has no such name');
  return { type, name, value: need(read.value) };
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new PeerAiError('INVALID_FORMAT', 'a field of this proposal is missing');
  return value;
}

function checkAction(action: Action): void {
  const bound = (length: number, max: number, what: string): void => {
    if (length > max) throw new PeerAiError('LIMIT_EXCEEDED', `${what} is over its limit of ${max}`);
  };
  if ('reason' in action) bound(action.reason.length, limits.reasonCharsMax, 'the reason');
  if (action.type === 'member-add' && action.consent.length !== 64)
    throw new PeerAiError('INVALID_FORMAT', 'a consent has 64 bytes');
  if (action.type === 'policy' && !isPolicyValue(action.name, action.value)) {
    const { min, max, unit } = policyKeys[action.name];
    throw new PeerAiError('LIMIT_EXCEEDED', `${action.name} is a whole number of ${unit} from ${min} to ${max}`);
  }
  if (action.type === 'relays') {
    bound(action.addresses.length, limits.relaysMax, 'the list of relays');
    for (const address of action.addresses) bound(address.length, limits.addressCharsMax, 'an address');
    if (action.addresses.some((address) => !/^[\w./:%-]+$/u.test(address)))
      throw new PeerAiError(
        'INVALID_FORMAT',
        'an address has letters, digits and . / : % - _ alone: it is shown inside a command',
      );
  }
  if (action.type === 'points') {
    if (action.amountMicro === 0n) throw new PeerAiError('INVALID_FORMAT', 'no points are no decision');
    if (action.amountMicro > limits.pointsMicroMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `at most ${limits.pointsMicroMax} micro-points at once`);
  }
  if (action.type === 'checkpoint') {
    bound(action.name.length, limits.nameCharsMax, 'the name');
    if (action.name === '' || action.hash.length !== 32)
      throw new PeerAiError('INVALID_FORMAT', 'a checkpoint has a name and a hash of 32 bytes');
  }
}

/** Members and the rules of voting take the larger majority. */
export const isRuleAction = (action: Action): boolean =>
  action.type === 'member-add' ||
  action.type === 'member-remove' ||
  (action.type === 'policy' && policyKeys[action.name].isRule);
