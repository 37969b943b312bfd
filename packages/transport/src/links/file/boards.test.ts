import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@peerai/core-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from './limits.ts';
import { realClock } from '../../testing/index.ts';
import { createFolderBoard } from './folder-board.ts';
import { type SignalOffer, writeOffer } from './note.ts';
import { createViewBoard } from './view-board.ts';

let folder: string;
let laterMs = 0;
/** The machine's clock, which the test may put forward. */
const clock: Clock = {
  ...realClock,
  nowMs: () => realClock.nowMs() + laterMs,
  elapsedMs: () => realClock.elapsedMs() + laterMs,
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-boards-'));
  laterMs = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const idOf = (turn: number): string => `00000000-0000-4000-8000-${String(turn).padStart(12, '0')}`;
const offer = (turn: number, from = 'alice', change: Partial<SignalOffer> = {}): SignalOffer => ({
  id: idOf(turn),
  from,
  to: 'bob',
  writtenMs: clock.nowMs(),
  sdp: 'v=0\r\n',
  candidates: [],
  ...change,
});
const answer = (turn: number) => ({ for: idOf(turn), from: 'bob', writtenMs: clock.nowMs(), sdp: 'v=0\r\n' });
const view = (): Record<string, unknown> => JSON.parse(readFileSync(join(folder, 'signaling.json'), 'utf8')) as never;

describe.each([
  ['a folder', () => createFolderBoard(folder, clock)],
  ['signaling.json', () => createViewBoard(join(folder, 'signaling.json'), clock)],
])('%s', (_kind, create) => {
  test('holds an offer until it is removed, and its answer until it is taken', async () => {
    const board = create();
    await board.putOffer(offer(1));
    expect(await board.offersTo('bob')).toMatchObject([{ id: idOf(1), from: 'alice', to: 'bob', candidates: [] }]);
    expect([await board.offersTo('alice'), await board.offersTo('carol')]).toEqual([[], []]);
    expect(await board.answerTo(offer(1))).toBeUndefined();
    await board.putAnswer(answer(1));
    expect(await board.answerTo(offer(1))).toMatchObject({ for: idOf(1), from: 'bob' });
    expect(await board.answerTo(offer(2))).toBeUndefined();
    expect(await board.isUp(answer(1))).toBe(true);
    await board.removeAnswer(answer(1));
    await board.removeOffer(offer(1));
    expect([await board.isUp(answer(1)), await board.offersTo('bob')]).toEqual([false, []]);
    await board.removeAnswer(answer(1));
  });

  test('takes what is thirty seconds old by its clock, and nothing older or from as far ahead', async () => {
    const board = create();
    const edge = limits.signalFreshMs - 1_000;
    for (const [shiftMs, found] of [
      [-edge, 1],
      [edge, 1],
      [-limits.signalFreshMs - 1, 0],
      [limits.signalFreshMs + 1_000, 0],
    ] as const) {
      await board.putOffer(offer(1, 'alice', { writtenMs: clock.nowMs() + shiftMs }));
      expect(await board.offersTo('bob')).toHaveLength(found);
      await board.removeOffer(offer(1));
    }
  });

  test('knows who looks there by a sign of life that is fresh', async () => {
    const board = create();
    expect(await board.isHere('bob')).toBe(false);
    await board.appear('bob');
    expect([await board.isHere('bob'), await board.isHere('alice')]).toEqual([true, false]);
    laterMs = limits.signalFreshMs + 1_000;
    expect(await board.isHere('bob')).toBe(false);
    await board.appear('bob');
    await board.leave('bob');
    expect(await board.isHere('bob')).toBe(false);
  });

  test('loses nothing of what twenty write at once', async () => {
    const boards = [create(), create()];
    await Promise.all(Array.from({ length: 20 }, (_, turn) => boards[turn % 2]?.putOffer(offer(turn, `peer${turn}`))));
    expect(await boards[0]?.offersTo('bob')).toHaveLength(20);
    expect(readdirSync(folder).filter((name) => /tmp|lock/u.test(name))).toEqual([]);
  });
});

test('a file of the limit is read, one byte more is not', async () => {
  const board = createFolderBoard(folder, clock);
  for (const [turn, bytes] of [limits.signalFileBytesMax, limits.signalFileBytesMax + 1].entries()) {
    const text = JSON.stringify(writeOffer(offer(turn)));
    writeFileSync(join(folder, `bob.${idOf(turn)}.offer.json`), text + ' '.repeat(bytes - text.length));
  }
  expect((await board.offersTo('bob')).map(({ id }) => id)).toEqual([idOf(0)]);
});

test('one look takes in so many files; those that do not change are swept, and nothing that is not ours', async () => {
  const board = createFolderBoard(folder, clock);
  const ownFiles = (): number => readdirSync(folder).filter((name) => name.endsWith('.offer.json')).length;
  writeFileSync(join(folder, 'diary.txt'), '');
  for (let turn = 0; turn <= limits.signalFilesMax; turn += 1)
    writeFileSync(join(folder, `bob.${idOf(turn)}.offer.json`), JSON.stringify(writeOffer(offer(turn))));
  writeFileSync(join(folder, `.${idOf(0)}.tmp`), 'half');
  expect((await board.offersTo('bob')).length).toBeGreaterThanOrEqual(limits.signalFilesMax - 1);
  expect((await board.offersTo('bob')).length).toBeLessThanOrEqual(limits.signalFilesMax);
  laterMs = limits.signalSweepMs - 5_000;
  await board.offersTo('bob');
  expect(ownFiles()).toBe(limits.signalFilesMax + 1);
  laterMs = limits.signalSweepMs + 1;
  await board.offersTo('bob');
  expect(ownFiles()).toBeLessThanOrEqual(2);
  laterMs *= 2;
  await board.offersTo('bob');
  laterMs *= 2;
  await board.offersTo('bob');
  expect(readdirSync(folder)).toEqual(['diary.txt']);
});

test('a file that is written anew is not swept', async () => {
  const board = createFolderBoard(folder, clock);
  await board.appear('bob');
  await board.offersTo('bob');
  const file = join(folder, 'bob.here.json');
  laterMs = limits.signalSweepMs + 1;
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  await board.offersTo('bob');
  expect(readdirSync(folder)).toEqual(['bob.here.json']);
});

describe('signaling.json', () => {
  const file = (): string => join(folder, 'signaling.json');
  const lockFile = (): string => `${file()}.lock`;

  test('has room for one offer and one answer a name', async () => {
    const board = createViewBoard(file(), clock);
    await board.putOffer(offer(1));
    await expect(board.putOffer(offer(2))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await board.putOffer(offer(1, 'alice', { sdp: 'v=0\r\nagain' }));
    await board.putOffer(offer(2, 'carol'));
    expect(Object.keys(view())).toEqual(['alice_offer', 'carol_offer']);
    expect(await board.offersTo('bob')).toMatchObject([{ sdp: 'v=0\r\nagain' }, { from: 'carol' }]);
  });

  test('an offer is its writer’s by its key, whatever it says of itself', async () => {
    writeFileSync(
      file(),
      JSON.stringify({ mallory_offer: writeOffer(offer(1, 'alice')), '../x_offer': writeOffer(offer(2)) }),
    );
    expect(await createViewBoard(file(), clock).offersTo('bob')).toEqual([]);
  });

  test('its writers wait for one another; a lock whose holder has ended is broken', async () => {
    const board = createViewBoard(file(), clock);
    writeFileSync(lockFile(), '');
    let isDone = false;
    const putting = board.putOffer(offer(1)).then(() => (isDone = true));
    await realClock.sleep(200);
    expect(isDone).toBe(false);
    rmSync(lockFile());
    await putting;
    writeFileSync(lockFile(), '');
    const old = new Date(Date.now() - limits.signalLockStaleMs - 1_000);
    utimesSync(lockFile(), old, old);
    await board.removeOffer(offer(1));
    expect(readdirSync(folder)).toEqual(['signaling.json']);
    expect(view()).toEqual({});
  });

  test('half of it is waited for, and written anew when it stays half', async () => {
    const board = createViewBoard(file(), clock);
    const whole = JSON.stringify({ note: 'whole', alice_offer: writeOffer(offer(1)) });
    writeFileSync(file(), whole.slice(0, 40));
    expect(await board.offersTo('bob')).toEqual([]);
    const putting = board.putOffer(offer(2, 'carol'));
    setTimeout(() => writeFileSync(file(), whole), limits.signalHalfFileMs * 2);
    await putting;
    expect(Object.keys(view())).toEqual(['note', 'alice_offer', 'carol_offer']);
    writeFileSync(file(), whole.slice(0, 40));
    await board.putOffer(offer(2, 'carol'));
    expect(Object.keys(view())).toEqual(['carol_offer']);
  });

  test.each([
    [limits.signalHalfFileLooksMax - 1, ['note', 'carol_offer']],
    [limits.signalHalfFileLooksMax, ['carol_offer']],
  ])('half of it that is whole after %i pauses leaves %j', async (pauses, left) => {
    const slept: number[] = [];
    writeFileSync(file(), '{"note": "who');
    const sleep: Clock['sleep'] = async (ms) => {
      if (slept.push(ms) === pauses) writeFileSync(file(), '{"note": "whole"}');
    };
    await createViewBoard(file(), { ...clock, sleep }).putOffer(offer(2, 'carol'));
    expect(Object.keys(view())).toEqual(left);
    expect(slept).toEqual(Array.from({ length: pauses }, () => limits.signalHalfFileMs));
  });

  test('is written up to its limit and not one byte longer', async () => {
    const board = createViewBoard(file(), clock);
    const sdpOf = (chars: number): string => `v=0${'x'.repeat(chars - 3)}`;
    await board.putOffer(offer(1, 'alice', { writtenMs: 1_000 * Math.floor(clock.nowMs() / 1_000), sdp: sdpOf(10) }));
    const room = limits.signalViewBytesMax - readFileSync(file()).length;
    const writtenMs = (view()['alice_offer'] as { ts: number }).ts * 1_000;
    await expect(board.putOffer(offer(1, 'alice', { writtenMs, sdp: sdpOf(11 + room) }))).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await board.putOffer(offer(1, 'alice', { writtenMs, sdp: sdpOf(10 + room) }));
    expect(readFileSync(file()).length).toBe(limits.signalViewBytesMax);
    expect(await board.offersTo('bob')).toHaveLength(1);
  });
});
