import type { PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { firstState, type RunSpec } from '@peerai/nn-engine/rounds';
import { threadMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { deviceMethod } from './device-protocol.ts';
import type { DeviceDeps, LearningTask, LinkView, MemoryHit, PeerView } from './index.ts';
import { limits } from './limits.ts';
import { town } from './testing/town.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const relay = 'ws://relay.example';
const accepts = (): boolean => true;

/** Two devices at one relay, b known to a, and what b heard. */
async function two(depsOfB: Partial<DeviceDeps> = { accepts }, depsOfA: Partial<DeviceDeps> = {}) {
  const place = town();
  const heard: (readonly [string, string])[] = [];
  const onMessage = (from: string, text: string): void => void heard.push([from, text]);
  const [a, b] = [place.device('a', 1, depsOfA), place.device('b', 2, { onMessage, ...depsOfB })];
  for (const device of [b, a]) {
    await device.configure_signaling_server(relay);
    await device.start_peer_discovery();
  }
  const soon = <T>(work: Promise<T>): Promise<T> => place.clock.until(work);
  const eventually = async (look: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 2_000 && !look(); turn += 1) await place.clock.advance(5);
  };
  return { place, a, b, heard, soon, eventually };
}
const steps = (device: Awaited<ReturnType<typeof two>>['a'], count: number): void => {
  for (let step = 0; step < count; step += 1) device.process_input('c', [1, 0, 0.5, 0.1]);
};

test('the six steps: a cluster, the relay, discovery, a connection, a shared capsule; and it goes on when the relay is gone', async () => {
  const { place, a, b, soon } = await two();
  a.create_cluster('c', 4);
  expect(a.is_connected_to_signaling_server()).toBe(true);
  expect(JSON.parse(a.get_discovered_peers())).toMatchObject([
    { device_id: 'b', peer_id: place.peerOf('b'), is_here: true },
  ]);
  expect(a.is_peer_connected_webrtc('b')).toBe(false);
  expect(await soon(a.initiate_webrtc_connection('b'))).toBe(true);
  expect([a.is_peer_connected_webrtc('b'), b.is_peer_connected_webrtc(place.peerOf('a'))]).toEqual([true, true]);
  steps(a, 5);
  expect(await soon(a.share_memory_with_peer('b', 'c'))).toBe(true);
  place.closeRelay();
  expect(a.is_connected_to_signaling_server()).toBe(false);
  steps(a, limits.capsuleSteps);
  expect(await soon(a.share_memory_with_peer('b', 'c'))).toBe(true);
  const hits = JSON.parse(await b.semantic_memory_search([1, 0, 0.5], 'c')) as readonly MemoryHit[];
  expect(hits.map(({ author, summary }) => [author, summary])).toEqual(
    expect.arrayContaining([
      [place.peerOf('a'), '5 steps of cluster c'],
      [place.peerOf('a'), '60 steps of cluster c'],
    ]),
  );
  expect(b.process_p2p_messages()).toBe(2);
  expect((await b.get_vector_database_stats()).blockchain_verified_rate).toBe(1);
});

test('a device talks to those it connected to; others only when its owner accepts them', async () => {
  const { a, b, heard, soon } = await two({});
  await expect(soon(a.initiate_webrtc_connection('b'))).rejects.toThrow(code('REFUSED'));
  await b.start_peer_discovery();
  await soon(b.initiate_webrtc_connection('a'));
  await soon(a.initiate_webrtc_connection('b'));
  await soon(a.send_direct_message('b', 'hello b'));
  await soon(a.send_direct_message('hello all'));
  expect(heard).toEqual([]);
  expect(b.get_p2p_network_stats()).toMatchObject({ pending_messages: 2, dropped_messages: 0 });
  expect(b.process_p2p_messages()).toBe(2);
  expect(heard).toEqual([
    ['a', 'hello b'],
    ['a', 'hello all'],
  ]);
  await expect(soon(a.send_direct_message('nobody', 'hello'))).rejects.toThrow(code('DEVICE_UNKNOWN'));
});

test('a message is as long as the limit says, and an inbox as full; what is more is refused or counted', async () => {
  const { a, b, soon } = await two();
  await expect(soon(a.send_direct_message('to nobody yet'))).rejects.toThrow(code('NOT_FOUND'));
  await soon(a.connect_to_peer('b'));
  await soon(a.send_direct_message('b', '\u4e00'.repeat(limits.textCharsMax)));
  await expect(soon(a.send_direct_message('b', 'x'.repeat(limits.textCharsMax + 1)))).rejects.toThrow(
    code('LIMIT_EXCEEDED'),
  );
  for (let count = 0; count < limits.inboxMax; count += 1) await soon(a.send_direct_message('b', `${count}`));
  expect(b.get_p2p_network_stats()).toMatchObject({ pending_messages: limits.inboxMax, dropped_messages: 1 });
});

test('a connection is seen, answers, and is gone when it was closed', async () => {
  const { a, soon, eventually } = await two();
  await soon(a.initiate_webrtc_connection('b'));
  const { connections } = JSON.parse(a.get_webrtc_stats()) as { readonly connections: readonly LinkView[] };
  expect(connections).toMatchObject([{ device_id: 'b', state: 'connected' }]);
  expect(await soon(a.check_webrtc_connections())).toBe(true);
  expect(a.get_p2p_network_stats()).toMatchObject({ connected_peers: 1, known_peers: 1 });
  await soon(a.close_webrtc_connection('b'));
  await eventually(() => !a.is_peer_connected_webrtc('b'));
  expect(a.is_peer_connected_webrtc('b')).toBe(false);
  expect(a.get_p2p_network_stats()).toMatchObject({ connected_peers: 0, average_latency: 0 });
});

test('a connection that does not answer is told by the check', async () => {
  const { a, b, soon } = await two();
  await soon(a.initiate_webrtc_connection('b'));
  const answer = a.check_webrtc_connections();
  await b.free();
  expect(await soon(answer)).toBe(false);
});

test('an idle device with nodes is free, and is connected to; a device that was told of is known', async () => {
  const { a, b, soon } = await two();
  expect(JSON.parse(a.find_free_nodes())).toEqual([]);
  await expect(soon(a.auto_connect_to_free_node())).rejects.toThrow(code('NOT_FOUND'));
  b.create_cluster('c', 3);
  await b.send_heartbeat();
  await a.start_peer_discovery();
  const [free] = JSON.parse(a.find_free_nodes()) as readonly PeerView[];
  expect(free).toMatchObject({ device_id: 'b', available_nodes: 3, node_status: { processing_load: 0 } });
  expect(JSON.parse(a.get_node_availability_stats())).toEqual({
    total_peers: 1,
    free_nodes: 1,
    busy_nodes: 0,
    availability_ratio: 1,
  });
  expect(await soon(a.auto_connect_to_free_node())).toBe('b');
  await expect(a.handle_discovery_results('no json')).rejects.toThrow(code('INVALID_FORMAT'));
  expect(await a.handle_discovery_results('[]')).toBe(true);
});

test('an error reaches the cluster of the same name at the others, weighed by its way and its urgency', async () => {
  const { a, b, soon, eventually } = await two();
  a.create_cluster('c', 2);
  b.create_cluster('c', 2);
  expect(() => a.propagate_error_to_peers('c', 10)).toThrow(code('INVALID_STATE'));
  a.update_error_signal('c', 0.8);
  expect(a.propagate_error_to_peers('c', 10)).toBe(0);
  await soon(a.initiate_webrtc_connection('b'));
  expect(a.propagate_error_to_peers('c', 5)).toBe(1);
  await eventually(() => b.get_p2p_network_stats().pending_messages > 0);
  const { last_error = 0 } = b.get_cluster_state('c') ?? {};
  // Half of it by its urgency; the way, of some milliseconds, takes a little more.
  expect(last_error).toBeGreaterThan(0.3);
  expect(last_error).toBeLessThanOrEqual(0.4);
});

/** Both pull eight weights towards a place of their own; together they come to the middle. */
const pull = (to: number, done: (first: number) => void = () => undefined): NonNullable<DeviceDeps['learning']> => {
  const spec: RunSpec = {
    name: 'pull',
    task: crypto.sha256(new TextEncoder().encode('pull')),
    size: 8,
    rounds: 3,
    localSteps: 2,
    bits: 8,
    rule: 'trimmed-mean',
    liars: 0,
    outer: { learningRate: 1, momentum: 0 },
    membersMin: 2,
    roundMs: 20_000,
  };
  return async (task) => {
    if (task !== 'pull') return undefined;
    return {
      spec,
      from: firstState(new Float32Array(8)),
      learner: {
        learn: async (weights) => ({ weights: weights.map((one) => one + (to - one) / 2), loss: Math.abs(to) }),
      },
      done: ({ weights }) => done(weights[0] ?? Number.NaN),
    } satisfies LearningTask;
  };
};

test('two devices learn together by rounds, each with data of its own, and write each round into their logs', async () => {
  const results: number[] = [];
  const note = (first: number): void => void results.push(first);
  const { a, b, soon, eventually } = await two(
    { accepts, learning: pull(3, note) },
    { accepts, learning: pull(1, note) },
  );
  await soon(a.initiate_webrtc_connection('b'));
  await expect(soon(a.start_collaborative_learning(['b'], 'push'))).rejects.toThrow(code('UNSUPPORTED'));
  const id = await soon(a.start_collaborative_learning(['b'], 'pull'));
  await eventually(() => results.length === 2);
  expect(results).toHaveLength(2);
  expect(results[0]).toBe(results[1]);
  expect(results[0]).toBeGreaterThan(1);
  expect(results[0]).toBeLessThan(3);
  const over = { session_id: id, task: 'pull', state: 'done', rounds: 3 };
  for (const device of [a, b]) {
    expect(device.get_p2p_network_stats().learning_sessions).toMatchObject([over]);
    expect(await device.get_blockchain_stats()).toMatchObject({ total_entries: 3 });
  }
});

test('a device takes part in so many sessions at once and not one more', async () => {
  const many: NonNullable<DeviceDeps['learning']> = async (name) => {
    const found = await pull(1)('pull');
    if (found === undefined) return undefined;
    return { ...found, spec: { ...found.spec, name }, learner: { learn: () => new Promise(() => undefined) } };
  };
  const { a, soon } = await two({ accepts, learning: many }, { accepts, learning: many });
  await soon(a.initiate_webrtc_connection('b'));
  for (let place = 0; place < limits.sessionsMax; place += 1)
    await soon(a.start_collaborative_learning(['b'], `pull ${place}`));
  await expect(soon(a.start_collaborative_learning(['b'], 'one more'))).rejects.toThrow(code('LIMIT_REACHED'));
  await a.free();
});

test('a session that nobody joins does not begin', async () => {
  const { a, soon } = await two({ accepts }, { accepts, learning: pull(1) });
  await soon(a.initiate_webrtc_connection('b'));
  await expect(soon(a.start_collaborative_learning(['b'], 'pull'))).rejects.toThrow(code('PEER_UNREACHABLE'));
});

test('nodes are borrowed by the lending part, in minutes and in hours', async () => {
  const asked: unknown[] = [];
  const lending: DeviceDeps['lending'] = {
    borrow: async ({ owner, node, durationMs }) => (asked.push([owner, node, durationMs]), 'lease'),
    complete: async (lease, performance) => (asked.push([lease, performance]), true),
  };
  const { place, a } = await two({ accepts }, { lending });
  const b: PeerId = place.peerOf('b');
  expect(await a.request_node_from_peer('b', 'gating', 2)).toBe('lease');
  expect(await a.request_node_borrowing('b', 'gating', 2)).toBe('lease');
  expect(await a.complete_node_borrowing('lease', '{"accuracy":1}')).toBe(true);
  await expect(a.request_node_borrowing('b', 'gating', 0)).rejects.toThrow(code('INVALID_OPTION'));
  expect(asked).toEqual([
    [b, 'gating', 120_000],
    [b, 'gating', 7_200_000],
    ['lease', '{"accuracy":1}'],
  ]);
});

test('ten thousand mutated questions and answers: nothing but our errors, nothing slow', () => {
  const random = seededRandom(9);
  const question = deviceMethod.request.encode({ kind: 'learn', text: 'task', run: new Uint8Array(32) });
  const reply = deviceMethod.response.encode({ outcome: 'joined' });
  for (const [valid, decode] of [
    [question, (bytes: Uint8Array) => deviceMethod.request.decode(bytes)],
    [reply, (bytes: Uint8Array) => deviceMethod.response.decode(bytes)],
  ] as const) {
    const { slowestMs } = readMutated(valid, decode, { random, nowMs: threadMs });
    // Fifty on a quiet machine; this test says no only at five times that.
    expect(slowestMs).toBeLessThan(250);
  }
});
