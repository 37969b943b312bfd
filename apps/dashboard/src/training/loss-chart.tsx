import type { TrainingRoundView } from '@peerai/peer/control';
import { useId, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { plural } from '../shared/format.ts';
import { Card } from '../ui/page.tsx';
import { box, curveOf, type Participant, pointsOf, shownRound } from './curve.ts';
import { lossText } from './run-state.ts';
import { chart as words } from './strings.ts';

type Rounds = readonly TrainingRoundView[];
type Points = ReturnType<typeof pointsOf>;

/** How the loss falls: the mean of the members, each of them, and what was measured here. */
export function LossChart({
  rounds,
  whole,
  people,
  stages = 0,
}: {
  readonly rounds: Rounds;
  /** Of a run in stages: one update a round, made by so many. */
  readonly stages?: number;
  /** Rounds of the whole run. */
  readonly whole: number;
  readonly people: readonly Participant[];
}): ReactNode {
  const mean = pointsOf(rounds, ({ loss }) => loss);
  const held = pointsOf(rounds, ({ after }) => after?.loss);
  const lines = people.slice(0, limits.trainingLinesMax).map(({ peerId, name }) => ({
    peerId,
    name,
    points: pointsOf(rounds, ({ members }) => members.find((one) => one.peerId === peerId)?.loss),
  }));
  if (mean.length + held.length === 0) {
    return (
      <Card title={words.title}>
        <p className="pad muted">{words.none}</p>
      </Card>
    );
  }
  return (
    <Card title={words.title}>
      <Drawing mean={mean} held={held} lines={lines} rounds={rounds} whole={whole} />
      <div className="pad legend">
        {mean.length > 0 && <Key line="mean" name={words.mean} />}
        {held.length > 0 && <Key line="held" name={words.held} />}
        {lines.map(({ peerId, name }, i) => (
          <Key key={peerId} line={`peer peer-${i + 1}`} name={name} />
        ))}
        {people.length > lines.length && <span>{words.others(plural(people.length - lines.length, 'member'))}</span>}
      </div>
      <details className="over">
        <summary>{words.table}</summary>
        <RoundTable rounds={rounds} stages={stages} />
      </details>
    </Card>
  );
}

function Key({ line, name }: { readonly line: string; readonly name: string }): ReactNode {
  return (
    <span className="path">
      <svg className="chart chart-key" viewBox="0 0 28 8" aria-hidden="true">
        <path className={line} d="M0 4h28" />
      </svg>
      {name}
    </span>
  );
}

function Drawing({
  mean,
  held,
  lines,
  rounds,
  whole,
}: {
  readonly mean: Points;
  readonly held: Points;
  readonly lines: readonly { readonly peerId: string; readonly points: Points }[];
  readonly rounds: Rounds;
  readonly whole: number;
}): ReactNode {
  const title = useId();
  const all = [...mean, ...held, ...lines.flatMap(({ points }) => points)].map(({ loss }) => loss);
  const { x, y, ticks, path } = curveOf(all, whole);
  const shown = mean.length > 0 ? mean : held;
  const last = shown.at(-1);
  const marks = rounds.filter(({ refused }) => refused.length > 0).map(shownRound);
  return (
    <svg className="chart" viewBox={`0 0 ${box.width} ${box.height}`} role="img" aria-labelledby={title}>
      <title id={title}>{[said(words.mean, mean), said(words.held, held)].filter(Boolean).join('. ')}</title>
      {ticks.map((loss) => (
        <g key={loss}>
          <path className="axis" d={`M${box.left} ${y(loss)}H${box.width - box.right}`} />
          <text x={box.left - 8} y={y(loss) + 4} textAnchor="end">
            {loss}
          </text>
        </g>
      ))}
      {[...new Set([1, Math.ceil(whole / 2), whole])].map((round) => (
        <text key={round} x={x(round)} y={box.height - 8} textAnchor={round === whole && whole > 1 ? 'end' : 'middle'}>
          {round}
        </text>
      ))}
      {lines.map(({ peerId, points }, i) => (
        <path key={peerId} className={`peer peer-${i + 1}`} d={path(points)} />
      ))}
      <path className="held" d={path(held)} />
      <path className="mean" d={path(mean)} />
      {marks.map((round) => (
        <path key={round} className="no" d={`M${x(round) - 4} ${box.top}l8 8m0 -8l-8 8`} />
      ))}
      {last !== undefined && <circle className="last" cx={x(last.round)} cy={y(last.loss)} r="4" />}
    </svg>
  );
}

function said(name: string, points: Points): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  return words.said(name, lossText(first.loss), lossText(last.loss), plural(points.length, 'round'));
}

function RoundTable({ rounds, stages }: { readonly rounds: Rounds; readonly stages: number }): ReactNode {
  const names = stages > 0 ? [words.stages] : [words.counted, words.refused];
  const shown = rounds.slice(-limits.trainingRoundsShown).toReversed();
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={words.table}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.round}</th>
            {[words.meanShort, words.heldShort, ...names].map((name) => (
              <th key={name} scope="col" className="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((round) => (
            <tr key={round.round}>
              <th scope="row">{shownRound(round)}</th>
              <td className="num">{round.loss === null ? '–' : lossText(round.loss)}</td>
              <td className="num">{round.after === null ? '–' : lossText(round.after.loss)}</td>
              <td className="num">{stages > 0 ? stages : round.members.length}</td>
              {stages === 0 && <td className="num">{round.refused.length}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rounds.length && <p className="pad small muted">{words.last(shown.length)}</p>}
    </div>
  );
}
