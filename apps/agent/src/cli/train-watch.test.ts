import type {
  ControlClient,
  ControlEvent,
  TrainingDetail,
  TrainingRoundView,
  TrainingRunView,
} from '@peerai/peer/control';
import { expect, test } from 'vitest';
import { follow } from './commands/train-watch.ts';

const round = (index: number): TrainingRoundView =>
  ({
    round: index,
    loss: 1 / (index + 1),
    after: { loss: 0.5, accuracy: null },
    members: [{ peerId: 'desk', name: 'desk', loss: null }],
    refused: [],
  }) as unknown as TrainingRoundView;

const rounds = [0, 1, 2, 3].map(round);
const lost = 'stage 1 of 2 is not with laptop (CHANNEL_CLOSED); the run goes on from round 3 where another holds it';
const stage = { from: 0, to: 1, places: [], holder: { peerId: 'desk', name: 'desk' }, lost: null };
const run = {
  id: 'r',
  name: 'whole',
  state: 'training',
  terms: { kind: 'stages', rounds: 4 },
  stages: [stage, stage],
  round: 2,
  message: null,
  endedMs: null,
  first: null,
  now: null,
  privacy: null,
  file: null,
  bytesSent: 0,
  bytesReceived: 0,
} as unknown as TrainingRunView;

/** What is noted while these come after a first look at this. */
async function notesOf(first: Partial<TrainingDetail>, events: readonly object[]): Promise<readonly string[]> {
  const looks = [
    { ...run, rounds: [], ...first },
    { ...run, rounds, state: 'done', endedMs: 1 },
  ];
  const client: Partial<ControlClient> = {
    trainingRun: async () => looks.shift() as unknown as TrainingDetail,
    async *events() {
      yield* events as readonly (ControlEvent & { readonly id: string })[];
    },
  };
  const notes: string[] = [];
  const output = { json: false, quiet: false, interactive: false, data() {}, write() {}, progress() {} };
  await follow(
    client as ControlClient,
    'r',
    { ...output, note: (text) => void notes.push(text) },
    new AbortController().signal,
  );
  return notes;
}

test('who looks at a run in stages late is told its rounds in order, and once who was lost', async () => {
  const changed = (change: object) => ({ type: 'training-changed', run: { ...run, ...change } });
  const events = [
    { type: 'training-round', runId: 'r', round: rounds[2] },
    changed({ message: lost }),
    { type: 'training-round', runId: 'other', round: rounds[3] },
    changed({ message: lost }),
    changed({ endedMs: 1, state: 'done' }),
  ];
  expect(await notesOf({ rounds: rounds.slice(0, 2) }, events)).toEqual([
    'round   1  training loss 1.000  held out loss 0.500  2 stages',
    'round   2  training loss 0.500  held out loss 0.500  2 stages',
    'round   3  training loss 0.333  held out loss 0.500  2 stages',
    `whole: ${lost}`,
    'round   4  training loss 0.250  held out loss 0.500  2 stages',
  ]);
});

test('a run that waits when it is looked at says for what, once', async () => {
  const away = { state: 'waiting', message: 'nobody who takes part is there now; it is tried again' } as const;
  const events = [
    { type: 'training-changed', run: { ...run, ...away } },
    { type: 'training-changed', run: { ...run, endedMs: 1 } },
  ];
  expect((await notesOf({ ...away }, events))[0]).toBe(`whole: ${away.message}`);
  expect((await notesOf({ state: 'waiting' }, events)).slice(0, 2)).toEqual([
    'whole: its stages are handed out: desk, desk',
    `whole: ${away.message}`,
  ]);
});
