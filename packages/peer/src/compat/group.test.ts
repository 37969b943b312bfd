import type { PeerId } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import type { Genesis } from '@peerai/ledger/agreement';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { town } from './testing/town.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Four devices in one group, all at one relay. */
async function four() {
  const place = town();
  const names = ['a', 'b', 'c', 'd'];
  const stores = names.map(() => new MemoryStore());
  names.forEach((name, index) => place.device(name, index + 1));
  const members: readonly PeerId[] = names.map((name) => place.peerOf(name));
  const group: Genesis = { version: 1, name: 'devices', members, nonce: new Uint8Array(16).fill(7) };
  const open = async (index: number, store = stores[index] ?? new MemoryStore()) => {
    const device = place.device(names[index] ?? '', index + 1, { store, group });
    device.create_cluster('c', 2);
    await device.configure_signaling_server('ws://relay.example');
    return device;
  };
  const devices = [await open(0), await open(1), await open(2), await open(3)] as const;
  const soon = <T>(work: Promise<T>): Promise<T> => place.clock.until(work);
  return { place, devices, stores, open, soon };
}
type One = Awaited<ReturnType<typeof four>>['devices'][0];
const live = (device: One): void => {
  for (let step = 0; step < limits.capsuleSteps; step += 1) device.process_input('c', [1, 0, 0.5, 0.1]);
};
const blocksOf = async (device: One): Promise<number | undefined> => (await device.get_blockchain_stats()).group_blocks;

test('in a group, mine_block closes the group’s next block over this device’s head, and validate_blockchain checks all of both', async () => {
  const { place, devices, stores, soon } = await four();
  const [a, b, c, d] = devices;
  expect(await soon(a.mine_block())).toBe('');
  live(a);
  live(b);
  const first = await soon(a.mine_block());
  const second = await soon(b.mine_block());
  expect([first, second]).toEqual([expect.stringMatching(/^[\da-f]{64}$/u), expect.stringMatching(/^[\da-f]{64}$/u)]);
  expect(second).not.toBe(first);
  expect(await soon(a.mine_block())).toBe('');
  for (let turn = 0; turn < 200 && (await blocksOf(d)) !== 2; turn += 1) await place.clock.advance(100);
  expect(await Promise.all([a, b, c, d].map(blocksOf))).toEqual([2, 2, 2, 2]);
  for (const device of devices) expect(await device.validate_blockchain()).toBe(true);

  // One byte of another member's entry, in the chain as c stores it.
  const room = stores[2]?.room('group').room('agreement') ?? new MemoryStore();
  for await (const { key, value } of room.range('b/', 'b0')) {
    value[200] = (value[200] ?? 0) ^ 1;
    await room.commit([room.put(key, value)]);
    break;
  }
  expect(await c.validate_blockchain()).toBe(false);
  expect(await d.validate_blockchain()).toBe(true);
  await Promise.all(devices.map((device) => device.free()));
});

test('goes on without one member; without two it says so, the head waits, and is in a block when one is back', async () => {
  const { place, devices, open, stores, soon } = await four();
  const [a, b, c, d] = devices;
  await d.free();
  live(a);
  expect(await soon(a.mine_block())).not.toBe('');
  await c.free();
  live(a);
  const startMs = place.clock.elapsedMs();
  await expect(soon(a.mine_block())).rejects.toThrow(code('TIMEOUT'));
  expect(place.clock.elapsedMs() - startMs).toBe(limits.groupBlockMs);
  expect(await a.get_blockchain_stats()).toMatchObject({ group_blocks: 1, group_pending: 1, pending_transactions: 0 });
  await place.clock.advance(limits.mineMs);
  await soon(a.step_simulation(1));
  const back = await open(2, stores[2]?.reopen());
  for (let turn = 0; turn < 600 && (await blocksOf(a)) === 1; turn += 1) {
    await soon(a.mine_block().catch(() => ''));
    await place.clock.advance(100);
  }
  expect(await a.get_blockchain_stats()).toMatchObject({ group_pending: 0 });
  expect(await a.validate_blockchain()).toBe(true);
  await Promise.all([a, b, back].map((device) => device.free()));
});

test('a log that was taken back behind what it stated in the group is seen by its owner', async () => {
  const { devices, stores, open, soon } = await four();
  const [a] = devices;
  live(a);
  await soon(a.mine_block());
  await a.free();
  // An older disk: the log is gone, the group's chain is not.
  const old = stores[0]?.reopen() ?? new MemoryStore();
  for (const room of [old.room('ledger')])
    for await (const { key } of room.range('', '~')) await room.commit([room.put(key)]);
  const again = await open(0, old);
  expect(await again.validate_blockchain()).toBe(false);
  await Promise.all([...devices, again].map((device) => device.free()));
});
