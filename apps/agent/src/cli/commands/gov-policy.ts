import { PeerAiError } from '@peerai/core-protocol';
import { type PolicyName, policyKeys, policyNames } from '@peerai/ledger/governance';
import type { ControlClient, GovernancePropose } from '@peerai/peer/control';
import { policyNumber } from '../policy-number.ts';

/** A value that a file of a policy has and a group has not. */
export interface PolicyChange {
  readonly name: PolicyName;
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  /** The proposal for it; one that was open before, too. */
  readonly proposal: string;
  readonly isNew: boolean;
}

/**
 * Names and values from JSON: a map, or what `peerai market policy --json` prints. Whole numbers in the value's unit; money also in points with a
 * point, as number or text.
 *
 * Throws USAGE, INVALID_FORMAT for a name no policy has, LIMIT_EXCEEDED.
 */
export function policyOf(text: string): ReadonlyMap<PolicyName, number> {
  const all = mapOf(parsed(text));
  const named = Object.hasOwn(all, 'values') ? mapOf(all['values']) : all;
  return new Map(Object.entries(named).map(([name, value]) => valueOf(name, value)));
}

/**
 * Opens a proposal for each value that differs from what the group has; one that is open for just that stays the only one, so that a call that
 * failed half-way can be made again.
 *
 * Throws what `proposeTo` throws.
 */
export async function proposePolicy(
  client: Pick<ControlClient, 'governanceGroup' | 'proposeTo'>,
  group: string,
  wanted: ReadonlyMap<PolicyName, number>,
  more: Omit<GovernancePropose, 'action' | 'title'> & { readonly title: string | undefined },
  opened: (change: PolicyChange) => void,
  signal: AbortSignal,
): Promise<readonly PolicyChange[]> {
  const { policy, proposals } = await client.governanceGroup(group, signal);
  const changes: PolicyChange[] = [];
  for (const [name, to] of wanted) {
    const now = policy.find((one) => one.name === name);
    if (now === undefined) throw new PeerAiError('INVALID_FORMAT', `this agent’s groups have no ${name}`);
    const { value: from, unit } = now;
    if (from === to) continue;
    const open = proposals.find(
      ({ action }) => action.type === 'policy' && action.name === name && action.value === to,
    );
    const action = { type: 'policy', name, value: to } as const;
    const title = more.title ?? `set ${name} to ${to}`;
    const proposal = open?.id ?? (await client.proposeTo(group, { ...more, title, action }, signal)).proposal;
    const change = { name, from, to, unit, proposal, isNew: open === undefined };
    changes.push(change);
    opened(change);
  }
  return changes;
}

/** A number as the file has it: to JSON `1.0` is `1`, and here the one is points and the other is not. */
function parsed(text: string): unknown {
  const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? (context?.source ?? `${value}`) : value;
  try {
    return JSON.parse(text, asWritten);
  } catch (cause) {
    throw new PeerAiError('USAGE', `this policy is not JSON: ${(cause as Error).message}`, {}, { cause });
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PeerAiError('USAGE', 'a policy is a map of names to values');
}

function valueOf(named: string, written: unknown): readonly [PolicyName, number] {
  const name = policyNames.find((one) => one === named);
  if (name === undefined)
    throw new PeerAiError('INVALID_FORMAT', `a policy is one of ${policyNames.join(', ')}, not ${named}`);
  const { unit, min, max } = policyKeys[name];
  const isAmount = unit === 'micro-points';
  if (typeof written !== 'string' || (!isAmount && !/^\d{1,15}$/u.test(written)))
    throw new PeerAiError('USAGE', `${name} is a whole number of ${unit}${isAmount ? ', or points such as 0.25' : ''}`);
  const value = policyNumber(written, name);
  if (value < min || value > max)
    throw new PeerAiError('LIMIT_EXCEEDED', `${name} is from ${min} to ${max} ${unit}, not ${value}`);
  return [name, value];
}
