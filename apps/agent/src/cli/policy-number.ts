import { PeerAiError } from '@peerai/core-protocol';

const microPerPoint = 1_000_000n;

/**
 * A value of a group's policy. `250000` is in the unit the policy has; `0.25`, `0.25 points` and `250000 micro-points` say theirs, and come to
 * micro-points.
 *
 * Throws USAGE, which says what it is that takes a number.
 */
export function policyNumber(text: string, what = '--set'): number {
  const [, whole = '', part, unit] = /^(\d{1,15})(?:\.(\d{1,6}))?\s*(points?|micro-points?)?$/u.exec(text) ?? [];
  const isMicro = unit?.startsWith('micro') ?? part === undefined;
  const isWrong = whole === '' || (isMicro && part !== undefined);
  const arePoints = !isMicro || unit?.startsWith('point') === true;
  const value = arePoints
    ? BigInt(whole || 0) * microPerPoint + BigInt((part ?? '').padEnd(6, '0'))
    : BigInt(whole || 0);
  if (isWrong || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new PeerAiError('USAGE', `${what} takes a whole number, or points such as 0.25, not "${text}"`);
  return Number(value);
}
