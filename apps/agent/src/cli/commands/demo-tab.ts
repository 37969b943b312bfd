import type { TrainingDetail } from '@peerai/peer/control';
import type { Output } from '../output.ts';
import { spirals } from './demo-data.ts';
import type { DemoPeer } from './demo-peers.ts';

/** Browser tabs that may come, the rows that each gets, and the seed of these, which no peer of the demo has. */
const [tabsMax, rowsEach, seed] = [4, 300, 9];
/** How long the link lives, milliseconds: the demo is over before. */
const linkMs = 3_600_000;

/** What one tab gave: `rounds` in which its update counted, and the loss that it reported in the first and in the last of them. */
export interface TabPart {
  readonly name: string;
  readonly peerId: string;
  readonly rounds: number;
  readonly first: number | null;
  readonly last: number | null;
}

/** Looks without a new round after which is said what the run waits for. */
const looksMax = 15;

/** Says when tabs come and go, and when a run that needs one waits; each look answers how many counted in the last round. */
export function tabWatch(peers: readonly DemoPeer[], say: (text: string) => void): (run: TrainingDetail) => number {
  let [tabs, round, looks] = [0, 0, 0];
  return (run) => {
    // At its end everybody leaves.
    if (run.state === 'done') return tabs;
    // Only a tab with the link is none of the demo's own peers.
    const now = run.members.filter((member) => !isOwn(member.peerId, peers)).length;
    if (now !== tabs) say(now > tabs ? 'A browser tab takes part.' : 'A browser tab has left; the run goes on.');
    tabs = now;
    looks = run.round === round ? looks + 1 : 0;
    round = run.round;
    if (looks === looksMax && round > 0 && run.needed > peers.length && run.received < run.needed)
      say('The run waits for a browser tab: open the link again.');
    return tabs;
  };
}

/** The tabs whose updates counted, in the order in which they came. */
export function tabParts({ rounds }: TrainingDetail, peers: readonly DemoPeer[]): readonly TabPart[] {
  const losses = new Map<string, (number | null)[]>();
  for (const { members } of rounds)
    for (const { peerId, loss } of members)
      if (!isOwn(peerId, peers)) losses.set(peerId, [...(losses.get(peerId) ?? []), loss]);
  return [...losses].map(([peerId, told], index) => ({
    name: index === 0 ? 'browser tab' : `browser tab ${index + 1}`,
    peerId,
    rounds: told.length,
    first: told[0] ?? null,
    last: told.at(-1) ?? null,
  }));
}

/** Makes a link into the run, with rows for the tabs that open it, and says so. */
export async function inviteTab(
  { client }: DemoPeer,
  run: string,
  output: Output,
  signal: AbortSignal,
): Promise<string> {
  const rows = new Blob([spirals(rowsEach * tabsMax, seed)]);
  const { id: data } = await client.readTrainingData('spirals for tabs.csv', rows, signal);
  const { link } = await client.trainingLink(run, { forMs: linkMs, visitors: tabsMax, data }, signal);
  output.note(`Open this in a browser on this machine to take part, with ${rowsEach} points of its own:\n  ${link}\n`);
  return link;
}

const isOwn = (peerId: string, peers: readonly DemoPeer[]): boolean => peers.some((peer) => peer.peerId === peerId);
