import type { RewardsView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useRewards } from '../app/queries.ts';
import { ago, count } from '../shared/format.ts';
import { Command } from '../ui/copy.tsx';
import { Card } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { credits } from './credits.ts';
import { rewards as words } from './strings.ts';

/** What this agent gives by itself by the policies of its groups, and what waits. */
export function Rewards(): ReactNode {
  const found = useRewards();
  return (
    <Card title={words.title}>
      <Region query={found} what={words.what}>
        {(view) => <Given view={view} />}
      </Region>
    </Card>
  );
}

function Given({ view }: { readonly view: RewardsView }): ReactNode {
  const { mode, today, todayMicro, perDayMax, dayMicroMax, given, waiting } = view;
  const now = useNow(60_000);
  return (
    <div className="pad stack">
      {mode === 'off' ? (
        <>
          <p>{words.off}</p>
          <Command text={words.turnOn} />
        </>
      ) : (
        <p>{words.today(count(today), count(perDayMax), credits(todayMicro), credits(dayMicroMax))}</p>
      )}
      {given.length + waiting.length > 0 && (
        <ul className="plain small">
          {waiting.map((one) => (
            <li key={`${one.reason}-${one.subject}`} className="anywhere">
              {what(one)} <span className="muted">{words.waits[one.why]}</span>
            </li>
          ))}
          {given.map((one) => (
            <li key={`${one.reason}-${one.subject}`} className="anywhere">
              {what(one)}{' '}
              <span className="muted">
                {words.states[one.state]}
                {one.why === null ? '' : ` (${one.why})`}, {ago(one.atMs, now)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const what = ({
  reason,
  amountMicro,
  to,
  groupName,
  group,
}: RewardsView['waiting'][number] | RewardsView['given'][number]): string =>
  words.row(words.reasons[reason], credits(amountMicro), to.name, groupName ?? group.slice(0, 12));
