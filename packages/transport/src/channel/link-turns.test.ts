import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createLinkTurns, type LinkTurns, type Writing } from './link-turns.ts';

/** A link as TCP is: whatever one stream writes fills it for all of them, until it takes more. */
function fakeLink() {
  const waiting: (() => void)[] = [];
  const left: string[] = [];
  const state = { isFull: false };
  const drained = async (): Promise<void> => {
    while (state.isFull) await new Promise<void>((resolve) => void waiting.push(resolve));
  };
  return {
    left,
    by: (name: string, priority: Writing['priority'], signal = new AbortController().signal): Writing => ({
      priority,
      signal,
      writer: {
        drained,
        get full() {
          return state.isFull;
        },
        write(piece) {
          left.push(`${name} ${piece.length}`);
          state.isFull = true;
        },
      },
    }),
    async takesMore(times: number): Promise<void> {
      for (let count = 0; count < times; count += 1) {
        state.isFull = false;
        for (const wake of waiting.splice(0)) wake();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
const bytes = (pieces: number): Uint8Array => new Uint8Array(pieces * limits.sharedPieceBytes);
const names = (left: readonly string[]): string[] => left.map((one) => one.split(' ')[0] ?? '');

test('a small urgent message overtakes a large one that has begun', async () => {
  const link = fakeLink();
  const turns = createLinkTurns();
  const large = turns.write(new Uint8Array(1_048_576), link.by('low', 'low'));
  const small = turns.write(new Uint8Array(100), link.by('high', 'high'));
  await link.takesMore(1);
  expect(link.left).toEqual([`low ${limits.pieceBytes}`, 'high 100']);
  await small.done;
  expect(large.isCut).toBe(true);
  await link.takesMore(100);
  await large.done;
  expect(link.left.reduce((sum, one) => sum + Number(one.split(' ')[1]), 0)).toBe(1_048_576 + 100);
});

test('under a flood of urgent messages what is low still moves, one turn in so many', async () => {
  const link = fakeLink();
  const turns = createLinkTurns();
  const flood = (name: string): void => {
    void turns.write(bytes(1), link.by(name, 'high')).done.then(() => flood(name));
  };
  flood('h1');
  flood('h2');
  void turns.write(bytes(64), link.by('low', 'low'));
  void turns.write(bytes(64), link.by('normal', 'normal'));
  await link.takesMore(10 * (limits.overtakesMax + 1));
  const others = names(link.left).filter((name) => !name.startsWith('h'));
  expect(others.length).toBeGreaterThanOrEqual(8);
  expect(others.filter((name) => name === 'low').length).toBeGreaterThanOrEqual(3);
});

test('what is of one priority goes in turn', async () => {
  const link = fakeLink();
  const turns = createLinkTurns();
  for (const name of ['a', 'b', 'c']) void turns.write(bytes(12), link.by(name, 'normal'));
  await link.takesMore(9);
  expect(names(link.left).slice(1, 10)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
});

test('a stream that takes nothing holds up no other', async () => {
  const turns = createLinkTurns();
  const left: string[] = [];
  const stuck: Writing = {
    priority: 'high',
    signal: new AbortController().signal,
    writer: { full: true, drained: () => new Promise(() => undefined), write: () => undefined },
  };
  void turns.write(bytes(1), stuck);
  const writer = { full: false, drained: async () => undefined, write: () => void left.push('low') };
  await turns.write(bytes(3), { ...stuck, priority: 'low', writer }).done;
  expect(left).toEqual(['low', 'low', 'low']);
});

test('a message that is given up leaves the line, and one that has begun can be finished at once', async () => {
  const link = fakeLink();
  const turns = createLinkTurns();
  const cut = turns.write(new Uint8Array(300_000), link.by('cut', 'normal'));
  const stop = new AbortController();
  const given = turns.write(bytes(1), link.by('given', 'high', stop.signal));
  stop.abort(new Error('given up'));
  await expect(given.done).rejects.toThrow('given up');
  expect(given.isCut).toBe(false);
  cut.finish();
  await cut.done;
  expect(link.left).toEqual([`cut ${limits.pieceBytes}`, `cut ${300_000 - limits.pieceBytes}`]);
});

test('a stream that closes fails its message, and the others go on', async () => {
  const link = fakeLink();
  const turns: LinkTurns = createLinkTurns();
  const closed = {
    full: false,
    drained: async () => undefined,
    write: () => {
      throw new Error('closed');
    },
  };
  await expect(turns.write(bytes(1), { ...link.by('x', 'high'), writer: closed }).done).rejects.toThrow('closed');
  await turns.write(new Uint8Array(1), link.by('next', 'low')).done;
  expect(link.left).toEqual(['next 1']);
});

test('at a rate each piece takes its time within its turn: who is urgent waits for one piece, not for a message', async () => {
  const paced: [number, () => void][] = [];
  const pace = (count: number): Promise<void> => new Promise((resolve) => void paced.push([count, resolve]));
  const turns = createLinkTurns({ bytesPerSecond: 100_000, pace });
  const left: number[] = [];
  const writer = {
    full: false,
    drained: async () => undefined,
    write: (piece: Uint8Array) => void left.push(piece.length),
  };
  const { signal } = new AbortController();
  void turns.write(new Uint8Array(1_000_000), { writer, signal, priority: 'low' });
  void turns.write(new Uint8Array(7), { writer, signal, priority: 'high' });
  for (let count = 0; count < 3; count += 1) {
    paced[count]?.[1]();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const piece = (100_000 * limits.pacedPieceMs) / 1_000;
  expect(left).toEqual([piece, 7, piece]);
  expect(paced.map(([count]) => count)).toEqual([piece, 7, piece, piece]);
});
