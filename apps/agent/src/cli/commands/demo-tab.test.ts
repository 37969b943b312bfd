import type { TrainingDetail } from '@peerai/peer/control';
import { expect, test } from 'vitest';
import type { DemoPeer } from './demo-peers.ts';
import { tabParts, tabWatch } from './demo-tab.ts';

const names = ['study-pc', 'laptop', 'phone'];
const peers = names.map((name) => ({ name, peerId: name })) as unknown as readonly DemoPeer[];
const member = (peerId: string, loss: number | null = 0.5) => ({ peerId, name: peerId, loss });

/** A run after so many rounds, with these in the last one. */
const after = (round: number, ids: readonly string[], more: Partial<TrainingDetail> = {}): TrainingDetail =>
  ({
    round,
    members: ids.map((id) => member(id)),
    state: 'training',
    needed: 3,
    received: 0,
    ...more,
  }) as TrainingDetail;

test('who watches the demo is told when tabs come and go, and not when all leave at its end', () => {
  const said: string[] = [];
  const look = tabWatch(peers, (text) => said.push(text));
  expect([
    look(after(1, names)),
    look(after(2, [...names, 'tab'])),
    look(after(3, [...names, 'tab', 'other'])),
  ]).toEqual([0, 1, 2]);
  expect(look(after(4, [...names, 'tab']))).toBe(1);
  expect(look(after(5, names, { state: 'done' }))).toBe(1);
  expect(said).toEqual([
    'A browser tab takes part.',
    'A browser tab takes part.',
    'A browser tab has left; the run goes on.',
  ]);
});

test('a run that needs a tab and stands still says once that it waits; one that needs none says nothing', () => {
  for (const [needed, told] of [
    [4, ['A browser tab takes part.', 'The run waits for a browser tab: open the link again.']],
    [3, ['A browser tab takes part.']],
  ] as const) {
    const said: string[] = [];
    const look = tabWatch(peers, (text) => said.push(text));
    for (let looks = 0; looks < 40; looks += 1) look(after(7, [...names, 'tab'], { needed, received: needed - 1 }));
    expect(said).toEqual(told);
  }
});

test('what each tab gave is counted from the rounds in which its update counted', () => {
  const rounds = [
    ['tab', 0.9],
    ['tab', 0.4],
    ['later', null],
  ].map(([id, loss]) => ({
    members: [...names.map((name) => member(name)), member(id as string, loss as number | null)],
  }));
  expect(tabParts({ ...after(3, names), rounds } as unknown as TrainingDetail, peers)).toEqual([
    { name: 'browser tab', peerId: 'tab', rounds: 2, first: 0.9, last: 0.4 },
    { name: 'browser tab 2', peerId: 'later', rounds: 1, first: null, last: null },
  ]);
});
