import { expect, test } from 'vitest';
import { countPaths } from './paths-count.ts';

const peer = (kind: 'device' | 'guest' | 'relay', path: 'direct' | 'relayed' | null, state = 'online' as const) => ({
  kind,
  path,
  state,
});

test('the link to a relay is no direct device, and one that goes through it is relayed', () => {
  const peers = [
    peer('relay', 'direct'),
    peer('device', 'relayed'),
    peer('guest', 'relayed'),
    peer('device', 'direct'),
  ];
  expect(countPaths([...peers, { ...peer('device', null), state: 'offline' }])).toEqual({
    direct: 1,
    relayed: 2,
    offline: 1,
  });
});
