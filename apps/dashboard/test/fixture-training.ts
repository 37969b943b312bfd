import type {
  TrainingLinkView,
  TrainingOffersView,
  TrainingRequest,
  TrainingRoundView,
  TrainingRunView,
} from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const minuteMs = 60_000;
const [laptop, study, nuc, pixel] = ['Laptop', 'Study', 'Nuc', 'Pixel'].map((name, i) => ({
  peerId: `12D3KooW${name}`,
  name: ['laptop', 'study-pc', 'lab-nuc', 'pixel'][i] ?? name,
})) as [Who, Who, Who, Who];
type Who = TrainingRunView['by'];

const plan: TrainingRunView['plan'] = {
  v: 1,
  model: 'mlp',
  features: ['length', 'width', 'weight'],
  label: 'species',
  classes: ['perch', 'pike', 'roach'],
  hidden: [32],
  means: [21.4, 7.1, 310],
  deviations: [6.2, 1.9, 140],
  learningRate: 0.01,
  seed: 1,
};
const sizes = { vocabulary: 1_127, width: 192, layers: 3, heads: 6, hidden: 512, context: 256 };
export const adapterOf = ({
  base,
  rank,
}: {
  readonly base: string;
  readonly rank: number;
}): TrainingRunView['plan'] => ({
  v: 1,
  model: 'adapter',
  base: { name: base, sha256: '7d'.repeat(32), sizes },
  rank,
  alpha: rank,
  learningRate: 0.01,
  seed: 1,
});
function planOf(model: TrainingRequest['model']): TrainingRunView['plan'] {
  const { v, learningRate, seed } = plan;
  if (model.kind === 'adapter') return adapterOf({ base: model.base, rank: model.rank ?? 8 });
  if (model.kind !== 'conv') return plan;
  const { label, filters = [8, 16] } = model;
  return { v, model: 'conv', label, classes: ['0', '1'], side: 28, channels: 1, filters, learningRate, seed };
}
const terms: TrainingRunView['terms'] = {
  kind: 'open',
  rounds: 20,
  localSteps: 20,
  compression: 'int8',
  outer: 'local-sgd',
  aggregation: 'trimmed-mean',
  liars: 0,
  membersMin: 2,
  roundMs: 60_000,
  elementMax: null,
};

const hiddenTerms = { kind: 'private', aggregation: 'masked-sum', compression: 'none', elementMax: 0.4 } as const;

const stagesTerms = { kind: 'stages', aggregation: 'none', compression: 'none' } as const;

/** The last one is with its spare already. */
const stagesOver = (over: readonly string[]): TrainingRunView['stages'] =>
  over.map((peerId, index) => {
    const meant = [laptop, study, nuc, pixel].find((one) => one.peerId === peerId) ?? laptop;
    const isLost = index > 0 && index === over.length - 1;
    return {
      from: index,
      to: index + 1,
      parameters: 100,
      places: [meant, laptop],
      holder: isLost ? laptop : meant,
      lost: isLost ? { ...meant, code: 'CHANNEL_CLOSED' } : null,
    };
  });

const begun = { round: 0, state: 'waiting', coordinator: null, now: null, hash: null } as const;

export interface TrainingState {
  runs: TrainingRunView[];
  rounds: TrainingRoundView[];
  offers: TrainingOffersView;
  links: TrainingLinkView[];
}

export function fixtureRun(patch: Partial<TrainingRunView>, nowMs: number): TrainingRunView {
  return {
    id: 'a1'.repeat(32),
    name: 'Fish of the lake',
    role: 'started',
    by: laptop,
    state: 'training',
    plan,
    terms,
    parameters: 227,
    round: 14,
    coordinator: study,
    invited: [],
    members: [laptop, study, nuc, pixel],
    stages: [],
    received: 2,
    needed: 3,
    data: { name: 'fish.csv', bytes: 18_400, examples: 412, heldOut: 103 },
    threads: 1,
    privacy: null,
    first: { loss: 1.31, accuracy: 0.311 },
    now: { loss: 0.402, accuracy: 0.874 },
    startedMs: nowMs - 3 * minuteMs,
    endedMs: null,
    bytesSent: 41_200,
    bytesReceived: 66_000,
    hash: '5e'.repeat(32),
    file: null,
    code: null,
    message: null,
    ...patch,
  };
}

/** The tenth round refused the phone, which was away in the two after it. */
export function fixtureRound(round: number, nowMs: number): TrainingRoundView {
  const loss = 0.35 + 1.1 * Math.exp(-round / 4);
  const isOut = round >= 9 && round < 12;
  const lossOf = (i: number): number => loss * (1 + 0.06 * (i - 1.5) + 0.02 * Math.sin(round * (i + 1)));
  return {
    round,
    atMs: nowMs - (14 - round) * 10_000,
    loss,
    before: null,
    after: { loss: loss + 0.03, accuracy: 0.9 - loss / 3 },
    members: [laptop, study, nuc, ...(isOut ? [] : [pixel])].map((one, i) => ({ ...one, loss: lossOf(i) })),
    refused: round === 9 ? [{ ...pixel, reason: 'the norm of the update is 8.1, the limit is 5' }] : [],
    hash: '5e'.repeat(32),
  };
}

export function fixtureTraining(nowMs: number): TrainingState {
  const file = { sha256: '9c'.repeat(32), bytes: 2_310, path: '/home/me/.local/share/peerai/training/b2.onnx' };
  const ended = { id: 'b2'.repeat(32), state: 'done', round: 20, endedMs: nowMs - minuteMs, file } as const;
  return {
    runs: [fixtureRun({}, nowMs), fixtureRun({ ...ended, name: 'Leaves', role: 'joined', by: nuc }, nowMs)],
    rounds: Array.from({ length: 14 }, (_, round) => fixtureRound(round, nowMs)),
    links: [],
    offers: {
      v: 1,
      offers: [
        {
          id: 'c3'.repeat(32),
          name: 'Notes of the house',
          from: study,
          plan: { v: 1, model: 'language', size: 'small', learningRate: 0.01, seed: 1 },
          terms,
          parameters: 210_432,
          round: 3,
          members: 2,
          invited: [],
          asks: {
            firstBytes: 1_683_464,
            roundBytesReceived: 212_000,
            roundBytesSent: 212_000,
            stepsLeft: 340,
            visible: [
              'Your data stays on this machine.',
              'study-pc, or whoever coordinates after it, sees each of your updates by itself.',
            ],
          },
        },
      ],
      unanswered: [{ ...nuc, code: 'PEER_UNREACHABLE', message: 'no path to it now' }],
    },
  };
}

/** The training of the local API; `sent` is the body of data that is read in. */
export function answerTraining(
  state: { training: TrainingState },
  { method, path, query }: { readonly method: string; readonly path: string; readonly query: URLSearchParams },
  sent: Uint8Array,
): unknown {
  const { training } = state;
  const [, , what, id, verb] = path.split('/');
  const body = (): unknown => JSON.parse(new TextDecoder().decode(sent));
  const keep = (run: TrainingRunView): unknown => {
    training.runs = [run, ...training.runs.filter((one) => one.id !== run.id)];
    return schemas.trainingRunSchema.parse(run);
  };
  const run = training.runs.find((one) => one.id === id);
  const waiting = { ...begun, members: [laptop] };
  switch (`${method} ${what} ${verb ?? ''}`.trim()) {
    case 'GET runs':
      return id === undefined
        ? schemas.trainingRunsSchema.parse({ v: 1, runs: training.runs })
        : run && schemas.trainingDetailSchema.parse({ v: 1, ...run, rounds: run.round > 0 ? training.rounds : [] });
    case 'GET runs links':
      return schemas.trainingLinksSchema.parse({ v: 1, links: training.links.filter((link) => link.run.id === id) });
    case 'POST runs links':
      return run && makeLink(training, run, body());
    case 'DELETE links':
      training.links = training.links.map((link) => (link.id === id ? { ...link, state: 'stopped' as const } : link));
      return schemas.trainingLinkSchema.parse(training.links.find((link) => link.id === id));
    case 'GET offers':
      return schemas.trainingOffersSchema.parse(training.offers);
    case 'POST data': {
      const columns = ['length', 'width', 'weight'].map((name) => ({ name, numeric: true, values: null }));
      const table = {
        rows: 515,
        columns: [...columns, { name: 'species', numeric: false, values: ['perch', 'pike'] }],
      };
      const isTable = query.get('name')?.endsWith('.csv') === true;
      // A table of pixels tells the first and the last column alone.
      const isImages = query.get('name')?.startsWith('digits') === true;
      const pixels = { rows: 800, columns: [{ name: 'label', numeric: true, values: ['0', '1'] }] };
      const shown = isImages ? pixels : isTable ? table : null;
      const images = isImages ? { side: 28, channels: 1 } : null;
      const data = { id: 'd4', name: query.get('name'), bytes: sent.length, table: shown, images };
      return { v: 1, data: schemas.trainingDataSchema.parse(data) };
    }
    case 'POST runs': {
      const { name, rounds, localSteps, model, private: hidden, stages } = schemas.trainingRequestSchema.parse(body());
      const invited = hidden === undefined ? [] : [laptop, study, nuc];
      const ofKind = stages !== undefined ? stagesTerms : hidden !== undefined ? hiddenTerms : {};
      const asked = { ...terms, rounds, localSteps, ...ofKind };
      const about = {
        terms: asked,
        invited,
        plan: planOf(model),
        stages: stages === undefined ? [] : stagesOver(stages.over),
      };
      return keep(fixtureRun({ ...waiting, id: 'e5'.repeat(32), name, ...about }, Date.now()));
    }
    case 'POST offers join': {
      schemas.trainingJoinSchema.parse(body());
      const offer = training.offers.offers.find((one) => one.id === id);
      const joined = { role: 'joined', by: study, id: offer?.id ?? '', name: offer?.name ?? '' } as const;
      return keep(fixtureRun({ ...waiting, ...joined }, Date.now()));
    }
    case 'POST runs stop':
      return run && keep({ ...run, state: 'stopped', endedMs: Date.now() });
    case 'DELETE runs':
      training.runs = training.runs.filter((one) => one.id !== id);
      return {};
    default:
      return undefined;
  }
}

function makeLink(training: TrainingState, { id, name }: TrainingRunView, body: unknown): unknown {
  const { forMs, visitors } = schemas.trainingLinkRequestSchema.parse(body);
  const link: TrainingLinkView = {
    id: `f${training.links.length + 1}`,
    run: { id, name },
    link: `https://relay.example/t#${'v1abcdefgh'.repeat(40)}`,
    reach: 'relay',
    createdMs: Date.now(),
    expiresMs: Date.now() + forMs,
    visitorsMax: visitors,
    visitors: [],
    handed: null,
    state: 'active',
  };
  training.links = [...training.links, link];
  return schemas.trainingLinkSchema.parse(link);
}
