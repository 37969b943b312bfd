import { type PeerId, type Shelf, utf8 } from '@peerai/core-protocol';
import type { RunSpec } from '@peerai/nn-engine/rounds';
import { decodePlan } from './plan.ts';
import { places, type RoundRow, type RunHead } from './run-book.ts';
import type { TrainingOfferView, TrainingPlan, TrainingRoundView, TrainingRunView } from './training.schema.ts';

type NameOf = (peer: PeerId) => string;
export const memberOf = (peer: PeerId, nameOf: NameOf) => ({ peerId: peer, name: nameOf(peer) });

export function runView(head: RunHead, nameOf: NameOf, shelf: Shelf | undefined): TrainingRunView {
  const { file } = head;
  return {
    id: head.id,
    name: head.name,
    role: head.role,
    by: memberOf(head.by, nameOf),
    state: head.state,
    plan: decodePlan(utf8(head.plan)),
    terms: { ...head.terms, ...formerly(head) },
    parameters: head.parameters,
    round: head.round,
    coordinator: head.coordinator === undefined ? null : memberOf(head.coordinator, nameOf),
    invited: (head.invited ?? []).map((peer) => memberOf(peer, nameOf)),
    members: head.members.map((peer) => memberOf(peer, nameOf)),
    stages: (head.stages ?? []).map(({ places: of, holder, lost, ...stage }) => ({
      ...stage,
      places: of.map((peer) => memberOf(peer, nameOf)),
      holder: holder === undefined ? null : memberOf(holder, nameOf),
      lost: lost === undefined ? null : { ...memberOf(lost.peer, nameOf), code: lost.code },
    })),
    received: head.received,
    needed: head.needed,
    data: head.data,
    threads: head.threads,
    privacy: head.privacy ?? null,
    first: head.first ?? null,
    now: head.now ?? null,
    startedMs: head.startedMs,
    endedMs: head.endedMs ?? null,
    bytesSent: head.sent,
    bytesReceived: head.receivedBytes,
    hash: head.hash === '' ? null : head.hash,
    file: file === undefined ? null : { ...file, path: shelf?.path(places.model(head.id)) ?? '' },
    code: head.code ?? null,
    message: head.message ?? null,
  };
}

export const roundView = (row: RoundRow, nameOf: NameOf): TrainingRoundView => ({
  round: row.round,
  atMs: row.atMs,
  loss: row.loss,
  before: row.before ?? null,
  after: row.after ?? null,
  members: row.members.map(({ peer, loss }) => ({ ...memberOf(peer, nameOf), loss })),
  refused: row.refused.map(({ peer, reason }) => ({ ...memberOf(peer, nameOf), reason })),
  hash: row.hash,
});

/** Runs that were kept before there were private ones are open. */
const formerly = ({ terms }: RunHead): Pick<RunHead['terms'], 'kind' | 'elementMax'> =>
  'kind' in terms ? { kind: terms.kind, elementMax: terms.elementMax } : { kind: 'open', elementMax: null };

/** What joining shows to whom, in plain sentences: said before, and needing a yes. */
export function visibleOf(run: RunSpec, plan: TrainingPlan, from: string): TrainingOfferView['asks']['visible'] {
  return [
    'Your data stays on this machine. What leaves it is how the model changed by learning from it, once a round.',
    ...(run.private === undefined ? ofOpen(from) : ofPrivate(run.private.members.length, run.membersMin, from)),
    ...(run.sealed === true
      ? ['The run is sealed: every member, the coordinator too, commits to its update of a round before any is opened.']
      : []),
    ...(plan.model === 'mlp'
      ? [`The names of columns and labels, and each column's mean and deviation, come from the data of ${from}.`]
      : []),
    ...(plan.model === 'conv' ? [`The names of the labels come from the data of ${from}.`] : []),
    ...(plan.model === 'adapter'
      ? [
          `It is an adapter of rank ${plan.rank} of "${plan.base.name}", SHA-256 ${plan.base.sha256}. You need that model here; only the adapter is sent.`,
        ]
      : []),
  ];
}

const ofOpen = (from: string): readonly string[] => [
  `${from}, or whoever coordinates after it, sees each of your updates by itself. Parts of your data might be guessed from them.`,
  'All members see that you take part, how many rounds, and the loss you report.',
];

const ofPrivate = (invited: number, needed: number, from: string): readonly string[] => [
  `${invited} devices are invited, nobody else. Your updates are masked: ${from}, or whoever coordinates after it, sees the sum of a round and not yours by itself.`,
  `A round needs ${needed} of them to its end. All members see that you take part, the sum, and the mean loss.`,
  'Nothing stops a bad update: one member that wants to can spoil the model.',
];
