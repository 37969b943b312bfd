import type { ReputationView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';
import { seconds } from '../words.ts';

/** `peerai peers reputation [peer]`. */
export const reputation = command(
  'reputation',
  'Score of a peer with every reason for it; without a peer, of all',
  { peer: { type: 'positional', required: false, description: 'Name or peer id' } } as const,
  async ({ args, agent, output, signal }) => {
    const { client } = await agent();
    const tell = (peers: readonly ReputationView[], floor: number): void => {
      const text = lowText(peers, floor);
      if (text !== undefined) output.note(text);
    };
    if (args.peer !== undefined) {
      const found = await client.reputation(args.peer, signal);
      tell([found.reputation], found.admissionMin);
      output.data(found, () => reasonsText(found.reputation));
      return;
    }
    const all = await client.reputations(signal);
    tell(all.peers, all.admissionMin);
    output.data(all, () => {
      if (all.peers.length === 0) return 'Nobody yet. Let a device in: peerai invite';
      const rows = all.peers.map((one) => [one.name, scoreText(one.score), refusedText(one) ?? '-', mainReason(one)]);
      return table([['PEER', 'SCORE', 'REFUSED', 'MOSTLY FOR'], ...rows]);
    });
  },
);

/** Whom the admission refuses for a low score; `undefined` where there is nobody. */
export function lowText(peers: readonly Pick<ReputationView, 'name' | 'score'>[], floor: number): string | undefined {
  const low = peers.filter(({ score }) => score < floor).map(({ name }) => name);
  return low.length === 0 ? undefined : `Below ${scoreText(floor)}, so without a new lease here: ${low.join(', ')}.`;
}

const scoreText = (score: number): string => score.toFixed(2);

/** One line for each reason; they sum to the score. */
export function reasonRows({ score, lines, ...one }: ReputationView): string[][] {
  const refused = refusedText(one);
  return [
    ['reputation', scoreText(score)],
    ...lines.map(({ contribution, text }) => [
      '',
      `${contribution < 0 ? '−' : '+'}${Math.abs(contribution).toFixed(3)}  ${text}`,
    ]),
    ...(refused === undefined ? [] : [['refused', refused]]),
  ];
}

const reasonsText = (one: ReputationView): string => table([['name', one.name], ...reasonRows(one)]);

function refusedText({ refused }: Pick<ReputationView, 'refused'>): string | undefined {
  if (refused === null) return undefined;
  return `${seconds(refused.leftMs)} more: ${refused.text}${refused.strikes > 1 ? ` (time ${refused.strikes})` : ''}`;
}

/** What moved the score most. */
function mainReason({ lines }: ReputationView): string {
  const [most] = lines.slice(1).sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  return most?.text ?? 'nothing yet';
}
