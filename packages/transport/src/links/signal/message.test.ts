import { threadMs } from '@peerai/config/thread-time';
import { createIdentity, nobleCrypto, PeerAiError, utf8 } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { readDevices, readRelayMessage } from './message.ts';

const { peer } = createIdentity(nobleCrypto, new Uint8Array(32).fill(7));
const device = {
  device_id: 'tab-1',
  peer_info: { peer_id: peer },
  capabilities: ['memory_sharing'],
  specializations: ['vision'],
  resources: { available_nodes: 5 },
  node_status: { processing_load: 0.1 },
  last_seen: 1_750_000_000_000,
};
const known = {
  deviceId: 'tab-1',
  peer,
  info: { peer_id: peer },
  capabilities: ['memory_sharing'],
  specializations: ['vision'],
  resources: { available_nodes: 5 },
  status: { processing_load: 0.1 },
  lastSeenMs: 1_750_000_000_000,
};
const read = (type: string, data: unknown) => readRelayMessage(JSON.stringify({ type, data }));
const signal = (signaling_data: object) => read('webrtc_signal', { from_device_id: 'tab-1', signaling_data });

test.each([
  ['challenge', { nonce: 'n' }, { type: 'challenge', nonce: 'n' }],
  ['registered', { device_id: 'a', peer_count: 3 }, { type: 'registered', peers: 3 }],
  ['discovery_result', { peers: [device], total_found: 9 }, { type: 'found', devices: [known], total: 9 }],
  ['peer_joined', device, { type: 'device', device: known }],
  ['peer_updated', device, { type: 'device', device: known }],
  ['peer_left', { device_id: 'tab-1', reason: 'closed' }, { type: 'left', deviceId: 'tab-1' }],
  ['heartbeat_ack', { peer_count: 2, status_updated: true }, { type: 'alive', peers: 2, updated: true }],
  [
    'error',
    { code: 'NOT_FOUND', message: 'none', target_device_id: 'x' },
    { type: 'error', code: 'NOT_FOUND', message: 'none', target: 'x' },
  ],
  ['error', { code: 'no code' }, { type: 'error', code: 'REFUSED' }],
])('%s is read', (type, data, message) => {
  expect(read(type, data)).toMatchObject(message);
});

test('descriptions and candidates are read, whatever browsers and the prototype call these; others are passed over', () => {
  const description = (said: object) => ({ type: 'signal', from: 'tab-1', description: said });
  expect(signal({ type: 'offer', sdp: 'v=0' })).toEqual(description({ type: 'offer', sdp: 'v=0' }));
  expect(signal({ type: 'answer', sdp: 'v=0' })).toEqual(description({ type: 'answer', sdp: 'v=0' }));
  for (const type of ['candidate', 'ice-candidate', 'ice_candidate'])
    expect(signal({ type, candidate: { candidate: 'candidate:1' } })).toEqual(
      description({ type: 'candidate', candidate: 'candidate:1' }),
    );
  for (const other of [{ type: 'offer', sdp: 'hello' }, { type: 'candidate', candidate: null }, { type: 'rollback' }])
    expect(signal(other)).toBeUndefined();
  expect(read('something new', {})).toBeUndefined();
});

test.each([
  ['no JSON', '{'],
  ['a device without a name', JSON.stringify({ type: 'peer_joined', data: { ...device, device_id: 'a b' } })],
  ['devices that are no list', JSON.stringify({ type: 'discovery_result', data: { peers: {} } })],
  ['words that are none', JSON.stringify({ type: 'peer_joined', data: { ...device, capabilities: [1] } })],
])('%s is no message', (_, text) => {
  expect(() => readRelayMessage(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

test('a key that is none is left out: what a device says of itself stops nobody', () => {
  const [told] = readDevices([{ ...device, peer_info: { peer_id: 'no peer' } }]);
  expect(told).not.toHaveProperty('peer');
});

test('as many devices, words and characters as the limits say are taken, and no more', () => {
  const many = (count: number) => Array.from({ length: count }, () => device);
  expect(readDevices(many(limits.devicesMax))).toHaveLength(limits.devicesMax);
  expect(() => readDevices(many(limits.devicesMax + 1))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  const words = (count: number, length: number) => [
    { ...device, capabilities: Array.from({ length: count }, () => 'w'.repeat(length)) },
  ];
  expect(readDevices(words(limits.wordsMax, limits.wordCharsMax))).toHaveLength(1);
  expect(() => readDevices(words(limits.wordsMax + 1, 1))).toThrow();
  expect(() => readDevices(words(1, limits.wordCharsMax + 1))).toThrow();
  const padded = (length: number) => JSON.stringify({ type: 'other' }).padEnd(length);
  expect(readRelayMessage(padded(limits.messageCharsMax))).toBeUndefined();
  expect(() => readRelayMessage(padded(limits.messageCharsMax + 1))).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
  );
});

test('ten thousand mutated messages: nothing but our errors, nothing slow', () => {
  const random = seededRandom(7);
  const decoder = new TextDecoder();
  const offer = { from_device_id: 'a', signaling_data: { type: 'offer', sdp: 'v=0\r\n' } };
  const valid = [
    { type: 'discovery_result', data: { peers: [device, device], total_found: 2 } },
    { type: 'webrtc_signal', data: offer },
  ].map((message) => utf8(JSON.stringify(message)));
  let [read, slowestMs] = [0, 0];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const text = decoder.decode(mutated(valid[turn % 2] ?? new Uint8Array(), random));
    const startMs = threadMs();
    try {
      readRelayMessage(text);
      read += 1;
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
  }
  expect(read).toBeLessThan(5_000);
  // Fifty on a quiet machine; this test says no only at five times that.
  expect(slowestMs).toBeLessThan(250);
});
