import { expect, test } from 'vitest';
import { linkWords } from './words.ts';

const direct = { state: 'online', path: 'direct', health: 'healthy' } as const;

test.each([
  [{ ...direct, transport: 'tcp' }, '● direct (tcp)'],
  [{ ...direct, transport: 'webrtc', throughTurn: false }, '● direct (webrtc)'],
  [{ ...direct, transport: 'webrtc', throughTurn: true }, '◐ relayed by TURN'],
  [{ ...direct, path: 'relayed', transport: 'relay', hybrid: false }, '◐ relayed, not post-quantum'],
  [{ ...direct, transport: 'quic', health: 'unhealthy' }, '● direct (quic), no answer'],
  [{ state: 'offline', path: null, health: null }, '○ offline'],
  [{ state: 'offline', path: null, health: null, through: ['desk'] }, '◌ letters through desk'],
  [{ state: 'blocked', path: null, health: null }, '⊘ blocked'],
] satisfies [Parameters<typeof linkWords>[0], string][])('%j is said as %s', (peer, words) => {
  expect(linkWords(peer)).toBe(words);
});
