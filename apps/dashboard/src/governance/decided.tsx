import type { GovernanceDetail } from '@peerai/peer/control';
import { Fragment, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { ago, count, plural } from '../shared/format.ts';
import { credits } from '../market/credits.ts';
import { Command } from '../ui/copy.tsx';
import { Card } from '../ui/page.tsx';
import { useNow } from '../ui/region.tsx';
import { actionWords, amountIn } from './group.ts';
import { decided as words, votes } from './strings.ts';
import { VoteBar } from './vote-bar.tsx';

const shown = limits.governanceRowsShown;

/** Newest first. */
export function Decided({ view }: { readonly view: GovernanceDetail }): ReactNode {
  const now = useNow(60_000);
  const all = view.decisions.length;
  return (
    <Card title={words.title} aside={all > shown ? words.last(count(shown), count(all)) : undefined}>
      {view.decisions.length === 0 && <p className="pad muted">{words.none}</p>}
      <ul className="rows">
        {view.decisions.slice(0, shown).map((one) => (
          <li key={one.id} className="pad stack">
            <div className="row">
              <b className="anywhere">{one.title}</b>
              <span className="small push">{words.results[one.result]}</span>
            </div>
            <p className="small anywhere">{actionWords(one.action, view)}</p>
            <VoteBar tally={one} />
            <p className="small muted">
              {votes.count(one.yes, one.no, one.abstain, one.electors)}, {words.block(count(one.height))},{' '}
              {ago(one.timeMs, now)}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** A name that breaks between its parts, where there is no room for it. */
const breakable = (name: string): ReactNode =>
  name.split(/(?<=[._-])/u).map((part) => (
    <Fragment key={part}>
      {part}
      <wbr />
    </Fragment>
  ));

/** What all decisions together came to. */
export function Holds({
  view: { policy, blacklist, points, pointsIssuedMicro, checkpoints, relays, logHeads },
}: {
  readonly view: GovernanceDetail;
}): ReactNode {
  if (policy.length === 0) return null;
  return (
    <Card title={words.holds}>
      <table>
        <thead>
          <tr>
            {words.head.map((one) => (
              <th key={one} scope="col">
                {one}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {policy.map(({ name, value, unit, about }) => (
            <tr key={name}>
              <td>{breakable(name)}</td>
              <td>{amountIn(value, unit)}</td>
              <td className="small muted">{about}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="pad stack">
        <Named title={words.refused} lines={blacklist.map((one) => [one.name, one.reason])} />
        <Named
          title={words.points}
          lines={[
            ...points.map((one): [string, string] => [one.name, credits(one.amountMicro)]),
            ...(points.length === 0 ? [] : [[words.pointsIssued, credits(pointsIssuedMicro)] as [string, string]]),
          ]}
        />
        <Named
          title={words.logs}
          lines={logHeads.heads.map((one) => [
            one.name,
            words.logProven(plural(one.size, 'entry', 'entries'), count(one.height)),
          ])}
        />
        <Named
          title={words.logLied}
          lines={logHeads.faults.map((one) => [`${one.name} (${one.kind})`, words.logLies[one.kind]])}
        />
        <Named title={words.checkpoints} lines={checkpoints.map(({ name, sha256 }) => [name, sha256])} />
        <Named
          title={words.relayList}
          lines={relays.addresses.map((one) => [
            one,
            words.relay(
              relays.used.includes(one),
              relays.reasons.find(({ address }) => address === one),
            ),
          ])}
        />
        {relays.command !== null && (
          <>
            <p className="small">{words.relays}</p>
            <Command text={relays.command} />
          </>
        )}
      </div>
    </Card>
  );
}

function Named({
  title,
  lines,
}: {
  readonly title: string;
  readonly lines: readonly (readonly [string, string])[];
}): ReactNode {
  if (lines.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul className="plain small">
        {lines.slice(0, shown).map(([name, text]) => (
          <li key={name} className="anywhere">
            {name} <span className="muted">{text}</span>
          </li>
        ))}
        {lines.length > shown && <li className="muted">{words.more(count(lines.length - shown))}</li>}
      </ul>
    </div>
  );
}
