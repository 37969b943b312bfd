import { type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { realClock } from '../testing/index.ts';
import { faultAt, stepAt } from './classify.ts';
import { limits } from './limits.ts';
import { watchObserved } from './observed.ts';
import { createTraceBook, stepsOf } from './trace-book.ts';

const peer = (index: number): PeerId => `peer-${index}` as PeerId;
const attempt = (index: number) => ({ address: `/ip4/10.0.0.1/tcp/${index}`, step: 'direct', reason: 'ECONNREFUSED' });
const unreachable = (count: number): PeerAiError =>
  new PeerAiError('PEER_UNREACHABLE', 'away', {
    attempts: Array.from({ length: count }, (_, index) => attempt(index)),
  });

test('as many failed peers as the limit says are remembered, and of one more the oldest is forgotten', async () => {
  const book = createTraceBook(realClock);
  const network = book.over({ open: () => Promise.reject(unreachable(1)) } as unknown as Network);
  const fail = (index: number) => network.open(peer(index), {} as never, {} as never).catch(() => undefined);
  for (let index = 0; index < limits.tracesMax; index += 1) await fail(index);
  expect(book.last(peer(0))?.steps).toHaveLength(1);
  await fail(limits.tracesMax);
  expect(book.last(peer(0))).toBeUndefined();
  expect(book.last(peer(1))).toBeDefined();
  expect(book.last(peer(limits.tracesMax))).toBeDefined();
});

test('of one attempt the last steps are kept, as many as the limit says', () => {
  expect(stepsOf(unreachable(limits.traceStepsMax))).toHaveLength(limits.traceStepsMax);
  const more = stepsOf(unreachable(limits.traceStepsMax + 1));
  expect(more).toHaveLength(limits.traceStepsMax);
  expect(more.at(-1)?.address).toContain(`tcp/${limits.traceStepsMax}`);
});

test('what took too long does not replace what failed before, and an end of the caller says nothing', async () => {
  const book = createTraceBook(realClock);
  const errors = [unreachable(1), new PeerAiError('TIMEOUT', 'late'), new PeerAiError('ABORTED', 'enough')];
  const network = book.over({ open: () => Promise.reject(errors.shift()) } as unknown as Network);
  for (let turn = 0; turn < 3; turn += 1) await network.open(peer(1), {} as never, {} as never).catch(() => undefined);
  expect(book.last(peer(1))?.steps.map(({ code }) => code)).toEqual(['NOBODY_LISTENS']);
  expect(stepsOf(new PeerAiError('TIMEOUT', 'late')).map(({ code }) => code)).toEqual(['NO_ANSWER']);
});

test('as many addresses as the limit says are remembered of what others see, with as many who said so', () => {
  const events = new EventTarget();
  const observed = watchObserved({ events } as unknown as Components);
  const told = (address: string, by: number): boolean =>
    events.dispatchEvent(new CustomEvent('peer:identify', { detail: { observedAddr: address, peerId: peer(by) } }));
  for (let index = 0; index < limits.observedMax; index += 1) told(`/ip4/198.51.100.1/tcp/${index}`, 0);
  expect(observed()).toHaveLength(limits.observedMax);
  for (let by = 0; by <= limits.observersMax; by += 1) told('/ip4/198.51.100.1/tcp/70000', by);
  expect(observed()).toHaveLength(limits.observedMax);
  expect(observed()[0]?.address).toBe('/ip4/198.51.100.1/tcp/1');
  expect(observed().at(-1)).toEqual({ address: '/ip4/198.51.100.1/tcp/70000', seenBy: limits.observersMax });
});

const quic = '/ip4/10.0.0.1/udp/4001/quic-v1';
const circuit = '/ip4/10.0.0.1/tcp/4001/p2p/R/p2p-circuit/p2p/P';
const hop = 'circuit-relay:read-connect-response';
const encrypt = 'upgrader:encrypt-outbound-connection';

test('a relayed dial is of the relay until the relay has answered', () => {
  expect(stepAt(circuit, ['circuit-relay:open-connection', encrypt])).toBe('circuit');
  expect(stepAt(circuit, ['circuit-relay:open-connection', encrypt, hop])).toBe('circuit');
  expect(stepAt(circuit, ['circuit-relay:open-connection', encrypt, hop, encrypt])).toBe('encrypt');
});

// Words that no test on loopback can have a system say.
test.each([
  ['/dns4/nowhere.invalid/tcp/1', 'dial', 'Error: getaddrinfo ENOTFOUND nowhere.invalid', 'resolve NAME_UNKNOWN'],
  ['/dns4/nowhere.invalid/tcp/1', 'dial', 'Error: getaddrinfo EAI_AGAIN nowhere.invalid', 'resolve NAME_UNKNOWN'],
  ['/ip4/10.0.0.1/tcp/1', 'dial', 'Error: connect EHOSTUNREACH 10.0.0.1:1', 'dial NO_ROUTE'],
  ['/ip4/10.0.0.1/tcp/1', 'dial', 'Error: connect ENETUNREACH 10.0.0.1:1', 'dial NO_ROUTE'],
  ['/ip4/10.0.0.1/tcp/1', 'dial', 'PeerAiError: not done within 6000 ms', 'dial NO_ANSWER'],
  [quic, 'dial', 'PeerAiError: not done within 6000 ms', 'dial UDP_NO_ANSWER'],
  [circuit, 'circuit', 'failed to connect via relay with status CONNECTION_FAILED', 'circuit PEER_GONE'],
  [circuit, 'circuit', 'failed to connect via relay with status RESOURCE_LIMIT_EXCEEDED', 'circuit RELAY_FULL'],
  [`${circuit}/webrtc`, 'upgrade', 'PeerAiError: not done within 2500 ms', 'upgrade NO_DIRECT_PATH'],
] as const)('%s at step %s: %s', (address, step, reason, expected) => {
  const { step: failed, code } = faultAt(address, step, reason);
  expect(`${failed} ${code}`).toBe(expected);
});
