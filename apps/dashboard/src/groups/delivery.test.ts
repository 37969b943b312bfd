import { describe, expect, it } from 'vitest';
import { inOrder, stateText, summaryOf } from './delivery.ts';

const to = (...states: readonly ('queued' | 'delivered' | 'refused' | 'expired' | 'unknown')[]) =>
  states.map((state, at) => ({ peerId: `p${at}`, name: `device ${at}`, state }));

describe('Where a message to a group stands', () => {
  it.each([
    [to('delivered'), 'direct', 'it has arrived'],
    [to('delivered', 'delivered'), 'direct', 'all 2 have it'],
    [to('delivered', 'queued', 'unknown'), 'pending', '1 of 3 have it'],
    [to('delivered', 'queued', 'refused'), 'blocked', '1 did not get it'],
    [to('expired', 'refused'), 'blocked', '2 did not get it'],
    [to('delivered', 'unknown'), 'offline', 'sent'],
    [to(), 'offline', 'sent'],
  ])('%j is %s: %s', (members, dot, text) => {
    expect(summaryOf(members)).toEqual({ dot, text });
  });

  it('is said with its code where there is one', () => {
    expect(stateText({ peerId: 'p', name: 'n', state: 'refused', code: 'NOT_ALLOWED' })).toBe(
      'refused it (NOT_ALLOWED)',
    );
  });
});

describe('What is said in a group', () => {
  it('stands in the order it was sent in, whoever sent it', () => {
    const one = { group: 'g', kind: 'text', payload: '' };
    const from = { ...one, groupName: 'G', from: 'p', fromName: 'n' };
    const said = inOrder(
      [
        { ...from, id: 'late', sentMs: 3 },
        { ...from, id: 'early', sentMs: 1 },
      ],
      [{ ...one, id: 'own', sentMs: 2, members: [] }],
    );
    expect(said.map(({ own, message }) => [own, message.id])).toEqual([
      [false, 'early'],
      [true, 'own'],
      [false, 'late'],
    ]);
  });
});
