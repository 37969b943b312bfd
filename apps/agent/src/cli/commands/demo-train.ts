import { PeerAiError } from '@peerai/core-protocol';
import type { HeldOut, TrainingDetail } from '@peerai/peer/control';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { counted } from '../words.ts';
import { type DemoPeer, pair, withDemoPeers } from './demo-peers.ts';
import { curveOf, spirals, sparkOf } from './demo-data.ts';
import { inviteTab, type TabPart, tabParts, tabWatch } from './demo-tab.ts';

const names = ['study-pc', 'laptop', 'phone'];
/** Rows that each peer has, and the longest the whole demo may take, milliseconds: it takes a tenth of it on an idle machine. */
const [rowsEach, demoMsMax] = [300, 600_000];
/** After so long a round goes on without a tab that sleeps, milliseconds. */
const roundMs = 5_000;
/** Learning rate of a run of 100 rounds or fewer; of a longer one it is less, so that the curve bends within it and not at once. */
const [rateMost, rateRounds] = [0.002, 100];

interface Ended {
  readonly name: string;
  readonly first: HeldOut;
  readonly now: HeldOut;
  readonly sha256: string;
  /** Rounds that the peer's own log states, and whether all of that log holds. */
  readonly stated: number;
  readonly verified: boolean;
}

/** Three agents on this machine, and a browser tab if somebody opens the link, teach one model, each with points of its own. */
export const trainDemo = command(
  'train',
  'Three peers on this machine, and a browser tab if you open one, teach one model, each with data of its own',
  {
    rounds: { type: 'string', valueHint: 'N', default: '600', description: 'Rounds' },
    tab: {
      type: 'boolean',
      description: 'No round without a browser tab: the run waits until one has opened the link',
    },
    keep: { type: 'string', valueHint: 'FOLDER', description: 'Keep the three homes there, to look at afterwards' },
  } as const,
  async ({ args, output, signal }) => {
    const rounds = Number(args.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 2_000)
      throw new PeerAiError('USAGE', `--rounds is a whole number from 1 to 2,000, not "${args.rounds}"`);
    const startedMs = performance.now();
    output.note('Starting three peers …');
    const until = AbortSignal.any([signal, AbortSignal.timeout(demoMsMax)]);
    await withDemoPeers(names, { signal: until, keep: args.keep }, async (peers) => {
      const [host, ...others] = peers as readonly [DemoPeer, ...DemoPeer[]];
      await pairAll(peers, output, until);
      const id = await begin(host, { rounds, membersMin: names.length + (args.tab === true ? 1 : 0) }, until);
      output.note(
        `Each has ${rowsEach} points of two spirals that nobody else sees, and keeps a fifth of them apart to measure with.\n`,
      );
      const link = await inviteTab(host, id, output, until);
      if (args.tab === true) output.note('The first round waits for it.');
      await joinAll(others, until);
      const run = await watch(peers, id, output, until);
      const tabs = tabParts(run, peers);
      const ended = await Promise.all(peers.map((peer) => endOf(peer, run.id, until)));
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const losses = lossesOf(run);
      const isSame = new Set(ended.map(({ sha256 }) => sha256)).size === 1;
      output.data(
        { run: run.id, rounds: run.round, seconds, sameModel: isSame, losses, peers: ended, link, tabs },
        () =>
          [
            'Loss on the points that study-pc kept apart, after each round:',
            ...curveOf(losses.slice(1)),
            '',
            table([
              ['PEER', 'LOSS BEFORE', 'NOW', 'RIGHT BEFORE', 'NOW', 'LEDGER'],
              ...ended.map(rowOf),
              ...tabs.map(tabRowOf),
            ]),
            '',
            `${isSame ? '✓ all three hold the same model' : '⊗ the models differ'}: ${ended[0]?.sha256.slice(0, 16) ?? ''}…, ${run.round} rounds in ${seconds} s`,
            whereToLook(args.keep),
          ].join('\n'),
      );
      if (!isSame || ended.some(({ verified }) => !verified)) process.exitCode = 6;
    });
  },
);

async function pairAll(peers: readonly DemoPeer[], output: Output, signal: AbortSignal): Promise<void> {
  for (const [index, host] of peers.entries())
    for (const guest of peers.slice(index + 1)) {
      const emoji = await pair(host, guest, ['chat', 'train'], signal);
      output.note(`${guest.name} joins ${host.name}; both screens show  ${emoji.join(' ')}`);
    }
}

const read = async ({ client }: DemoPeer, seed: number, signal: AbortSignal): Promise<string> =>
  (await client.readTrainingData('spirals.csv', new Blob([spirals(rowsEach, seed)]), signal)).id;

/** The id of the run, which waits for the others. */
async function begin(
  host: DemoPeer,
  { rounds, membersMin }: { readonly rounds: number; readonly membersMin: number },
  signal: AbortSignal,
): Promise<string> {
  const { id } = await host.client.startTraining(
    {
      name: 'spirals',
      data: await read(host, 1, signal),
      model: { kind: 'mlp', label: 'spiral', hidden: [32, 32] },
      rounds,
      localSteps: 20,
      learningRate: rateMost * Math.min(1, rateRounds / rounds),
      membersMin,
      roundMs,
    },
    signal,
  );
  return id;
}

async function joinAll(others: readonly DemoPeer[], signal: AbortSignal): Promise<void> {
  for (const [index, one] of others.entries()) {
    const { offers } = await one.client.trainingOffers(signal);
    const offer = offers.find(({ name }) => name === 'spirals');
    if (offer === undefined) throw new PeerAiError('OFFER_UNKNOWN', `${one.name} was offered nothing`);
    await one.client.joinTraining(
      offer.id,
      { data: await read(one, index + 2, signal), accept: true, threads: 1 },
      signal,
    );
  }
}

/** The loss of the first peer's own held-out points, round by round, until the run is over. */
async function watch(
  peers: readonly DemoPeer[],
  id: string,
  output: Output,
  signal: AbortSignal,
): Promise<TrainingDetail> {
  const [{ client }] = peers as readonly [DemoPeer];
  let told = 0;
  const say = (text: string): void => {
    output.progress('');
    output.note(text);
  };
  const tabsOf = tabWatch(peers, say);
  try {
    for (;;) {
      const run = await client.trainingRun(id, signal);
      const tabs = tabsOf(run);
      const losses = lossesOf(run);
      output.progress(`round ${run.round} of ${run.terms.rounds}  ${sparkOf(losses.slice(1))}  ${figure(run.now)}`);
      if (run.round >= told + run.terms.rounds / 5) {
        told = run.round;
        const among = tabs === 0 ? '' : `, ${counted(tabs, 'browser tab', 'browser tabs')} among them`;
        say(`round ${`${run.round}`.padStart(3)}  held-out ${figure(run.now)}  ${run.members.length} members${among}`);
      }
      if (run.state === 'done') return run;
      if (run.endedMs !== null) throw new PeerAiError(run.code ?? 'INTERNAL', run.message ?? `the run is ${run.state}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      signal.throwIfAborted();
    }
  } finally {
    output.progress('');
  }
}

/** What a peer came to; it is given the time to close its own last round. */
async function endOf({ name, client }: DemoPeer, id: string, signal: AbortSignal): Promise<Ended> {
  for (;;) {
    signal.throwIfAborted();
    const { first, now, file, endedMs, code, message } = await client.trainingRun(id, signal);
    if (file !== null && first !== null && now !== null) {
      const { ok, rounds } = await client.verifyLedger(signal);
      return { name, first, now, sha256: file.sha256, stated: rounds, verified: ok };
    }
    if (endedMs !== null) throw new PeerAiError(code ?? 'INTERNAL', `${name}: ${message ?? 'it has no model'}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Before the first round and after each. */
const lossesOf = ({ first, rounds }: TrainingDetail): readonly number[] =>
  [first, ...rounds.map(({ after }) => after)].flatMap((held) => (held === null ? [] : [held.loss]));

const share = ({ accuracy }: HeldOut): string => (accuracy === null ? '' : `${(100 * accuracy).toFixed(0)} %`);
const figure = (now: HeldOut | null): string =>
  now === null ? '' : `loss ${now.loss.toFixed(3)}, ${share(now)} right`;

const rowOf = ({ name, first, now, stated, verified }: Ended): string[] => [
  name,
  first.loss.toFixed(3),
  now.loss.toFixed(3),
  share(first),
  share(now),
  `${stated} rounds stated, ${verified ? 'verified ✓' : 'damaged ⊗'}`,
];

/** A tab keeps no log and measures on nothing; what it gave is in the logs of the others. */
const tabRowOf = ({ name, rounds }: TabPart): string[] => [
  name,
  '',
  '',
  '',
  '',
  `counted in ${counted(rounds, 'round', 'rounds')}`,
];

function whereToLook(keep: string | undefined): string {
  const ways =
    keep === undefined
      ? 'The three homes are gone again; `peerai demo train --keep demo` leaves them there.'
      : `Look at one: peerai up --detach --home ${keep}/laptop, then peerai ledger tail, peerai train watch spirals or peerai open, each with --home ${keep}/laptop.`;
  return `${ways}\nWith devices of your own: peerai train start <file>, then peerai train join on the others.`;
}
