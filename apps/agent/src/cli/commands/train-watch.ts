import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, HeldOut, TrainingPlan, TrainingRoundView, TrainingRunView } from '@peerai/peer/control';
import { exitCodeOf } from '../exit-codes.ts';
import { sizeText } from '../open-file.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { bar } from '../progress-bar.ts';
import { counted } from '../words.ts';
import { heldBy, stageRows } from './train-stages.ts';

export const shortRun = ({ id }: { readonly id: string }): string => id.slice(0, 8);

export const whatIs = (plan: TrainingPlan): string =>
  plan.start === undefined ? whatIsNew(plan) : `${whatIsNew(plan)}, goes on from ${plan.start.name}`;

function whatIsNew(plan: TrainingPlan): string {
  if (plan.model === 'mlp') return `mlp, tells ${plan.label} from ${plan.features.length} columns`;
  if (plan.model === 'adapter') return `adapter of rank ${plan.rank} of ${plan.base.name}`;
  if (plan.model === 'conv') return `conv, tells ${plan.label} from ${plan.side} × ${plan.side} images`;
  return `language of bytes, ${plan.size}`;
}

export const figures = ({ round, terms, now }: TrainingRunView): string =>
  `round ${round} of ${terms.rounds}${now === null ? '' : `, ${judged(now)}`}`;

/** Follows a run to its end: a line for each round, and on a terminal a bar for the one that is open. */
export async function follow(client: ControlClient, id: string, output: Output, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const told = new Set<number>();
  const trouble = new Set<string>();
  let stages = 0;
  const tell = (round: TrainingRoundView): void => {
    // A round is told again once it is measured; the last one is measured as all others.
    if (round.after === null || told.has(round.round)) return;
    told.add(round.round);
    output.progress('');
    output.note(roundLine(round, stages));
  };
  /** Its last message: who was lost, what it waits for. */
  const tellTrouble = ({ name, message }: TrainingRunView): void => {
    if (message === null || trouble.has(message)) return;
    trouble.add(message);
    output.progress('');
    output.note(`${name}: ${message}`);
  };
  try {
    for await (const event of withFirst(client, AbortSignal.any([signal, stop.signal]))) {
      if (event?.type === 'training-round' && event.runId === id) tell(event.round);
      if (event !== undefined && (event.type !== 'training-changed' || event.run.id !== id)) continue;
      const before = event === undefined ? await client.trainingRun(id, signal) : undefined;
      const run = before ?? event?.run;
      if (run === undefined) continue;
      stages = run.stages.length;
      // What was before comes first, not at the end.
      before?.rounds.forEach(tell);
      if (run.endedMs !== null) return await end(client, id, output, tell);
      tellTrouble(run);
      if (before?.state === 'waiting' && before.message === null) output.note(`${run.name}: ${waitingFor(run)}`);
      output.progress(progressLine(run));
    }
  } finally {
    stop.abort();
    output.progress('');
  }
  throw new PeerAiError(
    'CHANNEL_CLOSED',
    'the agent ended while the run was watched; it goes on when the agent is there',
  );
}

async function end(
  client: ControlClient,
  id: string,
  output: Output,
  tell: (round: TrainingRoundView) => void,
): Promise<void> {
  const run = await client.trainingRun(id);
  run.rounds.forEach(tell);
  output.data({ run }, () => ending(run));
  if (run.state !== 'done') process.exitCode = exitCodeOf(run.code ?? 'INTERNAL');
}

/** Listens first, then looks: nothing falls in between. */
async function* withFirst(client: ControlClient, signal: AbortSignal) {
  const events = client.events(signal)[Symbol.asyncIterator]();
  const first = events.next();
  first.catch(() => undefined);
  yield undefined;
  for (let { done, value } = await first; done !== true; { done, value } = await events.next()) yield value;
}

const waitingFor = (run: TrainingRunView): string => {
  const { message, received, needed, terms } = run;
  if (message !== null) return message;
  if (terms.kind === 'stages') return `its stages are handed out: ${heldBy(run)}`;
  return `waiting for members: ${received} of ${needed} updates`;
};

function progressLine(run: TrainingRunView): string {
  const { terms, round, received, state, message } = run;
  const goes = terms.kind === 'stages' ? (message ?? `held by ${heldBy(run)}`) : `${received} updates in`;
  return `${run.name}: ${bar(round, terms.rounds)} round ${round} of ${terms.rounds}  ${state === 'waiting' ? waitingFor(run) : goes}`;
}

/** @param stages - where the layers are with several devices; then the one member is who has the data. */
function roundLine({ round, loss, after, members, refused }: TrainingRoundView, stages: number): string {
  const out = refused.map(({ name, reason }) => `, without ${name} (${reason})`).join('');
  const own = after === null ? '' : `  held out ${judged(after)}`;
  const said = loss === null ? '' : `  training loss ${loss.toFixed(3)}`;
  const by = stages > 0 ? counted(stages, 'stage', 'stages') : counted(members.length, 'member', 'members');
  return `round ${`${round + 1}`.padStart(3)}${said}${own}  ${by}${out}`;
}

/** How its updates are seen. */
export const kindText = ({ kind, sealed }: TrainingRunView['terms']): string =>
  sealed === true ? 'open, sealed' : kind;

const judged = ({ loss, accuracy }: HeldOut): string =>
  accuracy === null ? `loss ${loss.toFixed(3)}` : `loss ${loss.toFixed(3)}, ${(100 * accuracy).toFixed(1)} % right`;

function ending(run: TrainingRunView): string {
  const { first, now, file, state } = run;
  const why = run.message === null ? '' : `: ${run.message} (${run.code ?? 'unknown'})`;
  return table([
    ['run', `${run.name}, ${kindText(run.terms)}, ${state}${why}`],
    ['rounds', `${run.round} of ${run.terms.rounds}`],
    ...(first === null || now === null ? [] : [['held out', `${judged(first)} before, ${judged(now)} now`]]),
    ...(run.privacy === null ? [] : [['privacy', budgetText(run.privacy)]]),
    ...stageRows(run),
    ['traffic', `${sizeText(run.bytesSent)} out, ${sizeText(run.bytesReceived)} in`],
    ...(file === null
      ? []
      : [
          ['model', file.path],
          ['sha256', file.sha256],
        ]),
  ]);
}

/** What the updates of this data cost so far, over all runs. */
export const budgetText = ({
  epsilon,
  epsilonMax,
  delta,
  steps,
  noise,
}: NonNullable<TrainingRunView['privacy']>): string =>
  `noise ${noise}; ε ${epsilon.toFixed(2)} of ${epsilonMax} is spent on this data in ${steps} updates, δ ${delta}`;
