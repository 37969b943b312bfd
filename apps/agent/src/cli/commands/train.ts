import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, TrainingOfferView, TrainingRequest, TrainingRunView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { openFile, sizeText } from '../open-file.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { counted } from '../words.ts';
import { modelWished, numberOf } from './train-model.ts';
import { link, links, unlink } from './train-link.ts';
import { heldBy, stagesArgs, stagesNote, stagesWished } from './train-stages.ts';
import { predict } from './train-predict.ts';
import { budgetText, follow, figures, kindText, shortRun, whatIs } from './train-watch.ts';

const which = {
  run: { type: 'positional', required: true, description: 'Name of the run, or the beginning of its id' },
} as const;
const threads = { type: 'string', valueHint: 'N', description: 'Threads to compute with, 1 unless said' } as const;
const noise = {
  epsilon: {
    type: 'string',
    valueHint: 'E',
    description: 'Noise on your updates, so that this data never costs more than this ε in all runs together',
  },
  delta: { type: 'string', valueHint: 'D', description: 'Chance that ε does not hold, 0.00001 unless said' },
  clip: { type: 'string', valueHint: 'C', description: 'Length to which an update is shortened first, 1 unless said' },
  noise: {
    type: 'string',
    valueHint: 'N',
    description: 'Noise over that length; as much as the rounds need unless said',
  },
} as const;
const isWatched = { type: 'boolean', alias: 'w', description: 'Stay and show how it goes' } as const;

const start = command(
  'start',
  'Start a run over a table with labels, images in a table, or a text, and let devices join it',
  {
    file: {
      type: 'positional',
      required: true,
      description: 'A CSV file with a heading (for images a column a pixel), or a text',
    },
    name: { type: 'string', valueHint: 'N', description: 'Name of the run; the file’s unless said' },
    from: { type: 'string', valueHint: 'RUN', description: 'Go on from the model of a run that is done here' },
    model: {
      type: 'string',
      valueHint: 'mlp|conv|language|adapter',
      description: 'What to train; conv, for images, has to be said',
    },
    label: {
      type: 'string',
      valueHint: 'COLUMN',
      description: 'The column to tell from the others; else it is a text',
    },
    classes: { type: 'string', valueHint: 'A,B', description: 'Labels that may occur with any member' },
    hidden: { type: 'string', valueHint: '32,16', description: 'Widths of the hidden layers' },
    filters: { type: 'string', valueHint: '8,16', description: 'Filters of each stage of a conv model' },
    size: { type: 'string', valueHint: 'small|medium', description: 'Size of a language model' },
    base: {
      type: 'string',
      valueHint: 'MODEL',
      description: 'Train an adapter (LoRA) of this model: a run over text that is done, or nano',
    },
    rank: { type: 'string', valueHint: 'R', description: 'Rank of the adapter, 8 unless said' },
    alpha: { type: 'string', valueHint: 'A', description: 'How strongly the adapter counts; its rank unless said' },
    rounds: { type: 'string', valueHint: 'N', description: 'Rounds, 20 unless said' },
    steps: { type: 'string', valueHint: 'N', description: 'Steps each makes between two rounds, 20 unless said' },
    members: { type: 'string', valueHint: 'N', description: 'Updates a round needs, 2 unless said' },
    compression: { type: 'string', valueHint: 'int8|int4|sparse', description: 'How an update is packed' },
    outer: { type: 'string', valueHint: 'local-sgd|nesterov|diloco', description: 'The step from round to round' },
    aggregation: { type: 'string', valueHint: 'trimmed-mean|multi-krum', description: 'What stands liars' },
    liars: { type: 'string', valueHint: 'F', description: 'How many updates of a round may lie, 0 unless said' },
    sealed: {
      type: 'boolean',
      description:
        'All commit to their updates of a round before any is opened, so that nobody copies or chooses later',
    },
    private: {
      type: 'boolean',
      description: 'Invite devices; updates are seen as a sum, and nothing stands a bad one',
    },
    invite: {
      type: 'string',
      valueHint: 'A,B',
      description: 'Devices of a private run; all that may train unless said',
    },
    ...stagesArgs,
    ...noise,
    'round-time': {
      type: 'string',
      valueHint: 'S',
      description: 'Seconds until a round goes on without who is slow, 60',
    },
    rate: { type: 'string', valueHint: 'R', description: 'Learning rate, 0.01 unless said' },
    schedule: {
      type: 'string',
      valueHint: 'constant|cosine',
      description: 'Whether the rate stays, or falls to a hundredth by the end',
    },
    seed: { type: 'string', valueHint: 'N', description: 'What the first weights follow from' },
    threads,
    watch: isWatched,
  } as const,
  async ({ args, agent, output, signal }) => {
    if (args.invite !== undefined && args.private !== true)
      throw new PeerAiError('USAGE', '--invite goes with --private: any device that may train can join an open run');
    const bytes = await openFile(args.file);
    const { client } = await agent();
    const data = await client.readTrainingData(basename(args.file), bytes, signal);
    const run = await client.startTraining(
      {
        name: args.name ?? basename(args.file).replace(/\.\w+$/u, ''),
        data: data.id,
        model: modelWished(data, args),
        ...numbers({
          rounds: args.rounds,
          localSteps: args.steps,
          membersMin: args.members,
          liars: args.liars,
          learningRate: args.rate,
          seed: args.seed,
          threads: args.threads,
        }),
        ...(args['round-time'] === undefined ? {} : { roundMs: 1_000 * numberOf('round-time', args['round-time']) }),
        ...(args.sealed === true ? { sealed: true as const } : {}),
        ...(args.private === true ? { private: inviting(args.invite) } : {}),
        ...stagesWished(args),
        ...privacyOf(args),
        ...words({
          compression: args.compression,
          outer: args.outer,
          aggregation: args.aggregation,
          schedule: args.schedule,
        }),
      },
      signal,
    );
    output.note(startNote(run));
    if (args.watch === true) return follow(client, run.id, output, signal);
    output.data({ run }, () => begun(run));
  },
);

const join = command(
  'join',
  'Take part in a run of a device with data of your own, which stays here',
  {
    ...which,
    file: { type: 'positional', required: true, description: 'A CSV file with the same columns, or a text' },
    ...noise,
    threads,
    watch: isWatched,
  } as const,
  async ({ args, agent, output, signal }) => {
    const bytes = await openFile(args.file);
    const { client } = await agent();
    const offer = await offered(client, args.run, signal);
    const used = numberOf('threads', args.threads ?? '1');
    output.note(consent(offer, used, bytes.size));
    if (args.yes !== true) await askYes(output, signal);
    const data = await client.readTrainingData(basename(args.file), bytes, signal);
    const run = await client.joinTraining(
      offer.id,
      { data: data.id, accept: true, threads: used, ...privacyOf(args) },
      signal,
    );
    if (args.watch === true) return follow(client, run.id, output, signal);
    output.data({ run }, () => begun(run));
  },
);

const ls = command('ls', 'Runs here, and those that devices offer', {}, async ({ agent, output, signal }) => {
  const { client } = await agent();
  const [runs, { offers, unanswered }] = await Promise.all([
    client.trainingRuns(signal),
    client.trainingOffers(signal),
  ]);
  const open = offers.filter(({ id }) => !runs.some((run) => run.id === id && run.endedMs === null));
  output.data({ runs, offers: open, unanswered }, () => {
    const here = runs.map((run) => [
      shortRun(run),
      run.name,
      kindText(run.terms),
      run.state,
      figures(run),
      whatIs(run.plan),
      run.by.name,
    ]);
    const there = open.map((offer) => [
      shortRun(offer),
      offer.name,
      kindText(offer.terms),
      'offered',
      `round ${offer.round} of ${offer.terms.rounds}`,
      whatIs(offer.plan),
      offer.from.name,
    ]);
    const rows = [...here, ...there];
    const list = rows.length === 0 ? 'None yet. Start one: peerai train start data.csv --label <column>' : '';
    const silent = unanswered.map(({ name, code, message }) => `${name} offers nothing here: ${message} (${code})`);
    return [list || table([['ID', 'NAME', 'KIND', 'STATE', 'HOW FAR', 'MODEL', 'FROM'], ...rows]), ...silent].join(
      '\n',
    );
  });
});

const watch = command(
  'watch',
  'Show how a run goes, round by round',
  which,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    await follow(client, (await client.trainingRun(args.run, signal)).id, output, signal);
  },
);

const stop = command('stop', 'Leave a run; the others go on', which, async ({ args, agent, output }) => {
  const run = await (await agent()).client.stopTraining(args.run);
  output.data({ run }, () => `Left after ${counted(run.round, 'round', 'rounds')}. The copy of the data is removed.`);
});

const rm = command('rm', 'Forget a run that is over, with its model', which, async ({ args, agent, output }) => {
  await (await agent()).client.removeTraining(args.run);
  output.data({ removed: args.run }, () => 'Forgotten.');
});

export const train: Verb = { run: ls, subs: { start, join, ls, watch, predict, link, links, unlink, stop, rm } };

const begun = (run: TrainingRunView): string =>
  run.terms.kind === 'stages'
    ? `Started ${run.name} (${shortRun(run)}) in ${counted(run.stages.length, 'stage', 'stages')}: ${heldBy(run)}.\nSee it: peerai train watch ${run.name}`
    : begunByMembers(run);

const begunByMembers = (run: TrainingRunView): string =>
  run.role === 'started'
    ? `Started ${run.name} (${shortRun(run)}), ${kindText(run.terms)}; it waits for ${counted(run.needed - 1, 'more member', 'more members')}.${spentText(run)}\nOn another device: peerai train join ${run.name} <file>\nSee it: peerai train watch ${run.name}`
    : `Joined ${run.name} (${shortRun(run)}), ${kindText(run.terms)}.${spentText(run)}\nSee it: peerai train watch ${run.name}`;

/** What it takes and shows, before a yes. */
function consent(
  { name, from, parameters, terms, asks, plan, invited }: TrainingOfferView,
  used: number,
  bytes: number,
): string {
  const facts = [
    ['run', `${name}, of ${from.name}`],
    [
      'kind',
      terms.kind === 'open'
        ? `${kindText(terms)}: whoever coordinates sees each update`
        : `private: ${invited.map((one) => one.name).join(', ')}`,
    ],
    ['model', `${whatIs(plan)}, ${parameters.toLocaleString('en')} weights`],
    ['your data', `${sizeText(bytes)}, read on this machine`],
    ['work', `up to ${asks.stepsLeft.toLocaleString('en')} steps on ${counted(used, 'thread', 'threads')}`],
    [
      'traffic',
      `${sizeText(asks.firstBytes)} once, then ${sizeText(asks.roundBytesSent)} out and ${sizeText(asks.roundBytesReceived)} in a round`,
    ],
    ['against liars', liarsText(terms)],
  ];
  return `${table(facts)}\n${asks.visible.map((line) => `- ${line}`).join('\n')}`;
}

const liarsText = ({ kind, aggregation, liars }: TrainingOfferView['terms']): string => {
  if (kind !== 'open') return 'nothing';
  return liars === 0 ? 'none are reckoned with' : `${aggregation}, up to ${liars} of a round`;
};

/** What others learn of whoever starts. */
function startNote({ plan, terms, invited }: TrainingRunView): string {
  if (terms.kind === 'stages') return stagesNote;
  const columns = `${notes[plan.model]}The data itself stays here.`;
  const sealed = terms.sealed === true ? ', once all have committed to theirs' : '';
  if (terms.kind === 'open') return `${columns} It is open: whoever coordinates sees each update by itself${sealed}.`;
  return `${columns} It is private, for ${invited.map(({ name }) => name).join(', ')}: updates are seen as a sum, and nothing stands a bad one.`;
}

const notes: Readonly<Record<TrainingRunView['plan']['model'], string>> = {
  mlp: 'Who joins learns the names of columns and labels and each column’s mean and deviation. ',
  language: '',
  conv: 'Who joins learns the size of the images and the names of labels. ',
  adapter: 'Who joins has to hold the base already; the adapter alone travels. ',
};

const inviting = (named: string | undefined): NonNullable<TrainingRequest['private']> =>
  named === undefined ? {} : { invite: named.split(',').map((one) => one.trim()) };

type Noise = Readonly<Record<keyof typeof noise, string | undefined>>;
function privacyOf({ epsilon, delta, clip, noise: deviation }: Noise): Pick<TrainingRequest, 'privacy'> {
  if (epsilon === undefined) {
    if (delta === undefined && clip === undefined && deviation === undefined) return {};
    throw new PeerAiError('USAGE', '--delta, --clip and --noise go with --epsilon');
  }
  const more = Object.entries({ delta, clip, noise: deviation }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, numberOf(name, text)]],
  );
  return { privacy: { epsilon: numberOf('epsilon', epsilon), ...Object.fromEntries(more) } };
}

const spentText = ({ privacy }: TrainingRunView): string => (privacy === null ? '' : `\n${budgetText(privacy)}`);

async function askYes(output: Output, signal: AbortSignal): Promise<void> {
  if (!output.interactive) throw new PeerAiError('USAGE', 'joining needs your yes: say -y');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question('Join? [y/N] ', { signal });
    if (!/^y(es)?$/iu.test(answer.trim())) throw new PeerAiError('REFUSED', 'not joined');
  } finally {
    lines.close();
  }
}

async function offered(client: ControlClient, text: string, signal: AbortSignal): Promise<TrainingOfferView> {
  const { offers, unanswered } = await client.trainingOffers(signal);
  const found = offers.find(({ id, name }) => name === text || (text.length >= 8 && id.startsWith(text)));
  if (found !== undefined) return found;
  const silent = unanswered.map(({ name, code }) => `${name} (${code})`).join(', ');
  throw new PeerAiError(
    'OFFER_UNKNOWN',
    `no device offers a run "${text}" now${silent === '' ? '' : `; no answer: ${silent}`}`,
  );
}

type Numbers = Pick<
  TrainingRequest,
  'rounds' | 'localSteps' | 'membersMin' | 'liars' | 'learningRate' | 'seed' | 'threads'
>;
/** Those that were said; the agent checks their bounds. */
function numbers(said: Readonly<Record<keyof Numbers, string | undefined>>): Numbers {
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, text]) => (text === undefined ? [] : [[name, numberOf(name, text)]])),
  );
}

type Words = Pick<TrainingRequest, 'compression' | 'outer' | 'aggregation' | 'schedule'>;
const choices = {
  compression: ['int8', 'int4', 'sparse'],
  outer: ['local-sgd', 'nesterov', 'diloco'],
  aggregation: ['trimmed-mean', 'multi-krum'],
  schedule: ['constant', 'cosine'],
} as const;
function words(said: Readonly<Record<keyof Words, string | undefined>>): Words {
  return Object.fromEntries(
    Object.entries(choices).flatMap(([name, allowed]) => {
      const text = said[name as keyof Words];
      if (text === undefined) return [];
      if ((allowed as readonly string[]).includes(text)) return [[name, text]];
      throw new PeerAiError('USAGE', `--${name} is ${allowed.join(' or ')}, not "${text}"`);
    }),
  );
}
