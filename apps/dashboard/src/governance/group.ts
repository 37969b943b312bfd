import type { GovernanceActionView, GovernanceDetail } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../app/keys.ts';
import { count } from '../shared/format.ts';
import { credits } from '../market/credits.ts';
import { action as words } from './strings.ts';

export const groupKey = (id: string): readonly string[] => [...keys.governance, id];

/** A change that answers with the group as it is then, shown at once. */
export function useChange<T>(change: (input: T) => Promise<GovernanceDetail>, done?: (view: GovernanceDetail) => void) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: change,
    async onSuccess(view) {
      cache.setQueryData<GovernanceDetail>(groupKey(view.group.id), view);
      await cache.invalidateQueries({ queryKey: keys.governance, exact: true });
      done?.(view);
    },
  });
}

/** Whether this unit of a policy is an amount, which is shown and asked for in points of the group. */
export const isAmount = (unit: string | undefined): boolean => unit === 'micro-points';

/** A value of the policy, as people write it: `0.5 points`, `50 percent`. */
export function amountIn(value: number, unit: string): string {
  if (!isAmount(unit)) return `${count(value)} ${unit}`.trimEnd();
  return words.inPoints(credits(`${value}`));
}

/** In one line, what is to be done; a value of the policy in the unit that the group's own has. */
export function actionWords(action: GovernanceActionView, { policy }: Pick<GovernanceDetail, 'policy'>): string {
  switch (action.type) {
    case 'text':
      return words.text;
    case 'policy':
      return words.policy(
        action.name,
        amountIn(action.value, policy.find(({ name }) => name === action.name)?.unit ?? ''),
      );
    case 'relays':
      return words.relays(action.addresses.join(', '));
    case 'points':
      return words.points(credits(action.amountMicro), action.peerName) + because(action.reason);
    case 'checkpoint':
      return words.checkpoint(action.name, action.sha256.slice(0, 12));
    case 'blacklist-add':
      return words[action.type](action.peerName) + because(action.reason);
    default:
      return words[action.type](action.peerName);
  }
}

const because = (reason: string): string => (reason === '' ? '' : words.because(reason));
