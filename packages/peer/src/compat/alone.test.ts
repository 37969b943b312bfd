import { fromHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { verifyProof } from '@peerai/ledger';
import { expect, test } from 'vitest';
import type { MemoryHit, MemoryRecord, MemoryTrends } from './index.ts';
import { limits } from './limits.ts';
import { town } from './testing/town.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const alone = (store = new MemoryStore()) => town().device('a', 1, { store });
type Alone = ReturnType<typeof alone>;
const steps = (device: Alone, count: number, input: readonly number[] = [1, 0.5, 0, 0.2]): void => {
  for (let step = 0; step < count; step += 1) device.process_input('c', input);
};
const search = async (device: Alone, ...query: Parameters<Alone['semantic_memory_search']>) =>
  JSON.parse(await device.semantic_memory_search(...query)) as readonly MemoryHit[];

test('a cluster steps, fires, learns from an error and shows its nodes', () => {
  const device = alone();
  expect(device.create_cluster('c', 6)).toBe(true);
  const fired = Array.from({ length: 40 }, () => device.process_input('c', [1, 1, 1, 1])).filter((one) =>
    one.some((value) => value !== 0),
  );
  expect(fired.length).toBeGreaterThan(0);
  device.update_error_signal('c', -7);
  expect(device.get_cluster_state('c')).toMatchObject({ num_nodes: 6, steps: 40, last_error: -1 });
  expect(device.get_cluster_state('none')).toBeNull();
  expect(() => device.process_input('none', [1])).toThrow(code('NOT_FOUND'));
  expect(() => device.process_input('c', [1, 1, 1, 1, 1])).toThrow(code('INVALID_OPTION'));
  expect(() => device.process_input('c', [Number.NaN])).toThrow(code('INVALID_OPTION'));
  expect(() => device.update_error_signal('c', Number.NaN)).toThrow(code('INVALID_OPTION'));
});

test('there are as many clusters as the limit says, with names as long, and no more', () => {
  const device = alone();
  for (let place = 0; place < limits.clustersMax; place += 1) device.create_cluster(`c${place}`, 1);
  device.create_cluster('c0', 2);
  expect(() => device.create_cluster('more', 1)).toThrow(code('LIMIT_REACHED'));
  const other = alone();
  other.create_cluster('n'.repeat(limits.clusterNameCharsMax), 1);
  expect(() => other.create_cluster('n'.repeat(limits.clusterNameCharsMax + 1), 1)).toThrow(code('INVALID_OPTION'));
  expect(() => other.create_cluster('', 1)).toThrow(code('INVALID_OPTION'));
});

test('sixty steps become a capsule that is found by numbers like its own, and by its tag', async () => {
  const device = alone();
  device.create_cluster('c', 4);
  steps(device, limits.capsuleSteps - 1, [1, 0, 0, 0]);
  expect(await search(device, [1])).toEqual([]);
  steps(device, 1, [1, 0, 0, 0]);
  steps(device, limits.capsuleSteps, [0, 0, 0, 1]);
  const [first, second] = [await search(device, [1, 0, 0, 0], '', 2), await search(device, [0, 0, 0, 1], 'c', 2)];
  expect([first.length, second.length]).toEqual([2, 2]);
  expect(first[0]?.capsule_id).not.toBe(second[0]?.capsule_id);
  expect(first[0]).toMatchObject({ summary: '60 steps of cluster c', tags: expect.arrayContaining(['c']) });
  expect(await search(device, [1], 'another')).toEqual([]);
  await expect(device.semantic_memory_search([])).rejects.toThrow(code('INVALID_OPTION'));
  await expect(device.semantic_memory_search(new Float64Array(17))).rejects.toThrow(code('INVALID_OPTION'));
  await expect(device.semantic_memory_search([1], '', 101)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  const trends = JSON.parse(await device.get_memory_trends()) as MemoryTrends;
  expect(trends).toMatchObject({ total: 2, by_tag: { c: 2 }, earlier: { capsules: 1 }, later: { capsules: 1 } });
});

test('so many capsules wait to be written; of what is more it is said how much was dropped, once', async () => {
  const device = alone();
  device.create_cluster('c', 1);
  steps(device, limits.capsuleSteps * limits.capsulesWaitingMax);
  expect((await device.get_vector_database_stats()).total_vectors).toBe(limits.capsulesWaitingMax);
  steps(device, limits.capsuleSteps * (limits.capsulesWaitingMax + 2));
  await expect(device.get_vector_database_stats()).rejects.toThrow('2 were dropped');
  expect((await device.get_vector_database_stats()).total_vectors).toBe(2 * limits.capsulesWaitingMax);
});

test('near-equal capsules become one when the memory is consolidated, and a second time nothing changes', async () => {
  const device = alone();
  device.create_cluster('c', 1);
  for (let turn = 0; turn < 3; turn += 1) {
    device.create_cluster('c', 1);
    steps(device, limits.capsuleSteps, [0, 0, 0, 1]);
  }
  expect(await device.get_vector_database_stats()).toMatchObject({ total_vectors: 3, average_vector_dimension: 16 });
  expect(await device.consolidate_long_term_memory()).toBe(true);
  expect((await device.get_vector_database_stats()).total_vectors).toBeLessThan(3);
  expect(await device.consolidate_long_term_memory()).toBe(false);
});

test('each capsule stands in the log; a block closes what came, and the whole verifies', async () => {
  const device = alone();
  expect(await device.mine_block()).toBe('');
  expect(await device.validate_blockchain()).toBe(true);
  device.create_cluster('c', 4);
  steps(device, limits.capsuleSteps);
  const [hit] = await search(device, [1]);
  const record = JSON.parse(await device.get_memory_record(hit?.capsule_id ?? '')) as MemoryRecord;
  expect(record).toMatchObject({ capsule_id: hit?.capsule_id, cluster_id: 'c', index: 0 });
  expect(await device.get_blockchain_stats()).toMatchObject({
    total_blocks: 0,
    total_entries: 1,
    pending_transactions: 1,
  });
  expect(await device.mine_block()).toMatch(/^[0-9a-f]{64}$/u);
  expect(await device.mine_block()).toBe('');
  steps(device, limits.capsuleSteps);
  await device.mine_block();
  expect(await device.get_blockchain_stats()).toMatchObject({
    total_blocks: 2,
    total_entries: 4,
    pending_transactions: 0,
    memory_records: 2,
  });
  expect(await device.validate_blockchain()).toBe(true);
  expect((await device.get_vector_database_stats()).blockchain_verified_rate).toBe(1);
  expect(await device.get_account_balance()).toBe(0);
  await expect(device.get_memory_record('00')).rejects.toThrow(code('NOT_FOUND'));
  const proven = verifyProof(crypto, fromHex(record.proof), fromHex(record.entry));
  expect(proven).toMatchObject({ index: 0n, origin: record.owner });
});

test('what was remembered and recorded is there after a restart; one changed byte in the log is seen', async () => {
  const store = new MemoryStore();
  const before = alone(store);
  before.create_cluster('c', 4);
  steps(before, limits.capsuleSteps);
  await before.mine_block();
  await before.free();
  const after = alone(store);
  expect(await search(after, [1])).toHaveLength(1);
  expect(await after.get_blockchain_stats()).toMatchObject({ total_blocks: 1, total_entries: 2, memory_records: 1 });
  expect(await after.validate_blockchain()).toBe(true);
  const room = store.room('ledger');
  for await (const { key, value } of room.range('', '~')) {
    if (!key.startsWith('e/')) continue;
    const changed = value.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await room.commit([room.put(key, changed)]);
    break;
  }
  expect(await after.validate_blockchain()).toBe(false);
});

test('the simulation steps all clusters, and mines and consolidates by the clock', async () => {
  const place = town();
  const device = place.device('a', 1);
  device.create_cluster('c', 2);
  device.create_cluster('d', 2);
  steps(device, limits.capsuleSteps);
  await device.step_simulation(1);
  expect(device.get_cluster_state('d')).toMatchObject({ steps: 1 });
  expect(await device.get_blockchain_stats()).toMatchObject({ total_blocks: 0 });
  await place.clock.advance(limits.mineMs);
  await device.step_simulation(0.5);
  expect(await device.get_blockchain_stats()).toMatchObject({ total_blocks: 1 });
  await place.clock.advance(limits.consolidateMs);
  await device.step_simulation(0.5);
  await expect(device.step_simulation(0)).rejects.toThrow(code('INVALID_OPTION'));
});

test('what needs a part that is not there says which, and a freed device does nothing more', async () => {
  const device = alone();
  await expect(device.request_node_borrowing('b', 'n', 1)).rejects.toThrow(code('UNSUPPORTED'));
  await expect(device.request_node_from_peer('b', 'n', 1)).rejects.toThrow(code('UNSUPPORTED'));
  await expect(device.complete_node_borrowing('x', '{}')).rejects.toThrow(code('UNSUPPORTED'));
  await expect(device.start_collaborative_learning([], 'sums')).rejects.toThrow(code('UNSUPPORTED'));
  await expect(device.start_peer_discovery()).rejects.toThrow(code('INVALID_STATE'));
  await device.free();
  await device.free();
  await expect(device.mine_block()).rejects.toThrow(code('ABORTED'));
  expect(() => town().device('no spaces', 1)).toThrow(code('INVALID_OPTION'));
});
