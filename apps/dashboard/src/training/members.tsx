import type { TrainingRoundView, TrainingRunView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { useNode } from '../app/queries.ts';
import { plural, sentence } from '../shared/format.ts';
import { Card } from '../ui/page.tsx';
import { ui } from '../ui/strings.ts';
import { type Participant, shownRound } from './curve.ts';
import { members as words, refused } from './strings.ts';

export function Members({
  run,
  rounds,
  people,
}: {
  readonly run: TrainingRunView;
  readonly rounds: readonly TrainingRoundView[];
  readonly people: readonly Participant[];
}): ReactNode {
  const self = useNode().data?.peerId;
  const shown = rounds.slice(-limits.trainingRoundsShown).map(shownRound);
  const subOf = ({ peerId, refused: no }: Participant): string =>
    [
      ...(peerId === self ? [ui.member.self] : []),
      ...(peerId === run.coordinator?.peerId ? [words.coordinator] : []),
      ...(no.size > 0 ? [words.refusedTimes(`${no.size}`)] : []),
    ].join(' · ');
  return (
    <Card title={words.title}>
      <div className="scroll" tabIndex={0} role="group" aria-label={words.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.device}</th>
              <th scope="col" className="num">
                {words.rounds}
              </th>
              <th scope="col" className="wide">
                {words.strip}
              </th>
            </tr>
          </thead>
          <tbody>
            {people.map((one) => (
              <tr key={one.peerId}>
                <th scope="row">
                  <span className="anywhere">{one.name}</span>
                  <div className="small muted">{subOf(one)}</div>
                </th>
                <td className="num nowrap">{words.of(one.counted.size, rounds.length)}</td>
                <td className="wide heat-cell">
                  <Strip one={one} rounds={shown} whole={run.terms.rounds} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer className="wide">{words.legend(limits.trainingRoundsShown)}</footer>
    </Card>
  );
}

/** One box a round; the numbers beside it say the same. */
function Strip({
  one,
  rounds,
  whole,
}: {
  readonly one: Participant;
  readonly rounds: readonly number[];
  readonly whole: number;
}): ReactNode {
  const width = 12;
  return (
    <svg
      className="heat"
      viewBox={`0 0 ${Math.max(20, Math.min(whole, limits.trainingRoundsShown)) * width} 16`}
      aria-hidden="true"
    >
      {rounds.map((round, i) => {
        const x = i * width + 1;
        if (one.refused.has(round)) return <path key={round} className="no" d={`M${x + 1} 4l8 8m0 -8l-8 8`} />;
        return (
          <rect key={round} className={one.counted.has(round) ? 'in' : ''} x={x} y="1" width="10" height="14" rx="2" />
        );
      })}
    </svg>
  );
}

/** Updates that did not count, the newest first, with why. */
export function Refused({ rounds }: { readonly rounds: readonly TrainingRoundView[] }): ReactNode {
  const all = rounds.flatMap((round) => round.refused.map((one) => ({ ...one, round: shownRound(round) })));
  if (all.length === 0) return null;
  return (
    <Card title={refused.title} aside={plural(all.length, 'update')}>
      <ul className="rows">
        {all
          .slice(-limits.trainingRefusedShown)
          .toReversed()
          .map(({ peerId, name, round, reason }) => (
            <li key={`${round} ${peerId}`} className="pad">
              <b className="anywhere">{refused.one(name, round)}</b>
              <p className="small muted anywhere">{sentence(reason)}</p>
            </li>
          ))}
      </ul>
    </Card>
  );
}
