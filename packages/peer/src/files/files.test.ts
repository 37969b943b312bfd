import { MemoryShelf, seededRandom } from '@peerai/core-protocol/testing';
import { fileLimits } from '@peerai/messaging';
import { expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { type TestPeer, type TestWorld, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

const content = seededRandom(1).bytes(600_000);
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
async function two(): Promise<{
  readonly world: TestWorld;
  readonly a: TestPeer;
  readonly b: TestPeer;
  readonly shelf: MemoryShelf;
}> {
  const world = testWorld();
  const shelf = new MemoryShelf();
  const a = await world.peer('a', { seed: 1, shelf: new MemoryShelf() });
  const b = await world.peer('b', { seed: 2, shelf, engine: false });
  await pair(world, a, b);
  return { world, a, b, shelf };
}
/** What one peer tells of from now on. */
function heard({ peer }: TestPeer): ControlEvent[] {
  const events: ControlEvent[] = [];
  void (async () => {
    for await (const { event } of peer.events.subscribe(live())) events.push(event);
  })();
  return events;
}
const send = ({ peer }: TestPeer, to = 'b', bytes = content) => peer.files.send(to, 'a file.bin', once(bytes), live());
const isDone = (peer: TestPeer) => async () => {
  const { files } = await peer.peer.files.list();
  return files.length > 0 && files.every(({ state }) => state === 'done');
};

test('a file to a paired device is listed on both sides, kept, told of, and stands among the messages', async () => {
  const { world, a, b, shelf } = await two();
  const [atA, atB] = [heard(a), heard(b)];
  const sent = await send(a);
  expect(sent).toMatchObject({ direction: 'out', peerName: 'b', bytes: content.length, movedBytes: 0, path: null });
  await until(world.clock, isDone(a));
  const { files, room } = await b.peer.files.list();
  expect(files).toMatchObject([
    { direction: 'in', peerName: 'a', name: 'a file.bin', way: 'link', sha256: sent.sha256 },
  ]);
  expect(room).toMatchObject({ bytes: content.length, bytesMax: fileLimits.totalBytesMax, files: 1 });
  const [{ id, path } = { id: '', path: '' }] = files;
  expect(path).toBe(`/memory/received/${id.slice(0, 8)}-a file.bin`);
  expect(shelf.files.get((path ?? '').slice('/memory/'.length))).toEqual(content);
  expect(await b.peer.messages.list()).toMatchObject([
    {
      fromName: 'a',
      kind: 'file',
      payload: { file: id, name: 'a file.bin', bytes: content.length, sha256: sent.sha256 },
    },
  ]);
  expect(atB.filter(({ type }) => type === 'message-received')).toHaveLength(1);
  const told = atA.flatMap((event) => (event.type === 'file-changed' ? [event.file.state] : []));
  expect([told[0], told.at(-1)]).toEqual(['moving', 'done']);
  // Three pieces within a moment are told of once.
  expect(told.length).toBeLessThan(4);
});

test('a file that waits says why, is found by the beginning of its id, goes on after a restart, and ends by its owner', async () => {
  const { world, a, b } = await two();
  world.networks.cut(a.identity.peer, b.identity.peer);
  const { id } = await send(a);
  const waits = async () => (await a.peer.files.get(id.slice(0, 8))).state === 'waiting';
  await until(world.clock, waits);
  expect(await a.peer.files.get(id)).toMatchObject({ code: 'PEER_UNREACHABLE' });
  const second = await send(a, 'b', content.subarray(1));
  expect(await a.peer.files.end(second.id)).toMatchObject({ state: 'cancelled', code: 'CANCELLED' });
  await expect(a.peer.files.get('0000')).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
  await b.peer.stop();
  world.networks.heal(a.identity.peer, b.identity.peer);
  const again = await world.peer('b', { seed: 2, shelf: new MemoryShelf(), store: world.kill(b), engine: false });
  await until(world.clock, async () => (await a.peer.files.get(id)).state === 'done');
  const [file] = (await again.peer.files.list()).files.filter(({ direction }) => direction === 'in');
  expect(await again.peer.files.end(file?.id ?? '')).toMatchObject({ state: 'removed', path: null });
  expect((await again.peer.files.list()).room).toMatchObject({ bytes: 0, files: 0 });
});

test('files go to devices that may have them, and only where files are kept', async () => {
  const { world, a, b } = await two();
  await expect(send(a, 'nobody')).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
  await a.peer.peers.change(b.identity.peer, { blocked: true });
  await expect(send(a)).rejects.toMatchObject({ code: 'REFUSED' });
  const c = await world.peer('c', { seed: 3, engine: false });
  await pair(world, a, c);
  await expect(send(c, 'a')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(await c.peer.files.list()).toMatchObject({ files: [] });
});

test('a message that is queued is answered at once and sent all the same', async () => {
  const { world, a, b } = await two();
  world.networks.cut(a.identity.peer, b.identity.peer);
  const before = world.clock.nowMs();
  expect(await a.peer.messages.deliver('b', 'text', 'hi', 'normal', true)).toMatchObject({ state: 'queued' });
  expect(await a.peer.messages.broadcast(['b'], 'text', 'to all', true)).toMatchObject({
    deliveries: [{ state: 'queued' }],
  });
  expect(world.clock.nowMs()).toBe(before);
  world.networks.heal(a.identity.peer, b.identity.peer);
  await until(world.clock, async () => (await b.peer.messages.list()).length === 2);
  expect((await b.peer.messages.list()).map(({ payload }) => payload)).toEqual(['to all', 'hi']);
});

test('a file that is said to be done lies where it says', async () => {
  const world = testWorld();
  const lists: Promise<unknown>[] = [];
  /** Somebody looks at the list while the file gets its name. */
  class LookedAt extends MemoryShelf {
    override async move(from: string, to: string): Promise<void> {
      if (to.startsWith('received/'))
        lists.push(b.peer.files.list().then(({ files }) => files.map(({ state }) => state)));
      await Promise.all(lists);
      await super.move(from, to);
    }
  }
  const a = await world.peer('a', { seed: 1, shelf: new MemoryShelf() });
  const b: TestPeer = await world.peer('b', { seed: 2, shelf: new LookedAt(), engine: false });
  await pair(world, a, b);
  await send(a);
  await until(world.clock, isDone(a));
  expect(await Promise.all(lists)).toEqual([['moving']]);
  expect((await b.peer.files.list()).files).toMatchObject([{ state: 'done' }]);
});
