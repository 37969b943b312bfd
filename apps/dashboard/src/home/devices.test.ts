import { describe, expect, it } from 'vitest';
import { fixturePairing, fixtureState } from '../../test/fixture-data.ts';
import { deviceRows } from './devices.ts';

const nowMs = 10_000_000;
const { node, peers } = fixtureState('http://127.0.0.1:1', nowMs);

describe('The list of devices', () => {
  it('starts with this one, then who is near, away, asking and blocked', () => {
    const rows = deviceRows(node, peers, [fixturePairing({}, nowMs)], ['nano'], nowMs);
    expect(rows.map((row) => [row.name, row.word])).toEqual([
      ['laptop', 'this device'],
      ['study-pc', 'direct'],
      ['lab-nuc', 'direct'],
      ['pixel', 'relayed'],
      ['attic-nas', 'offline'],
      ['mira-mac', 'Accept?'],
      ['somebody', 'blocked'],
    ]);
    expect(rows[1]).toMatchObject({ detail: 'mistral, nano · may chat, train', aside: '8.2 ms', path: 'direct' });
    expect(rows[4]).toMatchObject({ aside: 'seen 2 days ago', path: null, roundTripMs: null });
    expect(rows[4]?.detail).toContain('nobody listens there');
  });

  it('leaves relays out and requests that were answered', () => {
    const relays = peers.map((peer) => ({ ...peer, kind: 'relay' as const }));
    expect(deviceRows(node, relays, [fixturePairing({ state: 'rejected' }, nowMs)], [], nowMs)).toHaveLength(1);
  });

  it('names a device without a name by its key', () => {
    const [first] = peers;
    if (first === undefined) throw new Error('the fixture has peers');
    expect(deviceRows(node, [{ ...first, name: '' }], [], [], nowMs)[1]?.name).toBe('7f3a 91c2 0d5e b846');
  });
});
