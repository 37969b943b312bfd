import type { ControlEvent } from '@peerai/peer/control';
import { expect, test } from 'vitest';
import { withEventBar } from './event-bar.ts';

type Told = ControlEvent & { readonly id: string };
const at = (done: number): Told => ({
  type: 'memory-progress',
  work: 'tidy',
  name: 'joining',
  done,
  all: 4,
  id: `${done}`,
});
const lineOf = (event: ControlEvent): string | undefined =>
  event.type === 'memory-progress' ? `${event.done} of ${event.all}` : undefined;

test('what the agent says of the work is drawn until it is over, and taken away then', async () => {
  const [lines, drawn] = [[] as string[], Promise.withResolvers<void>()];
  const output = {
    progress(line: string) {
      lines.push(line);
      if (line === '2 of 4') drawn.resolve();
    },
  };
  async function* events(signal: AbortSignal): AsyncGenerator<Told, void, undefined> {
    yield at(1);
    yield { type: 'models-changed', id: 'x' };
    yield at(2);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    signal.throwIfAborted();
  }
  const { signal } = new AbortController();
  const done = await withEventBar({ events }, output, signal, lineOf, async () => {
    await drawn.promise;
    return 'done';
  });
  expect(done).toBe('done');
  expect(lines).toEqual(['1 of 4', '2 of 4', '']);
});

test('events that break off end nothing, and a fault of the work is told', async () => {
  const lines: string[] = [];
  const output = { progress: (line: string) => void lines.push(line) };
  // oxlint-disable-next-line require-yield -- it breaks off
  async function* events(): AsyncGenerator<Told, void, undefined> {
    throw new Error('no events');
  }
  const { signal } = new AbortController();
  expect(await withEventBar({ events }, output, signal, lineOf, async () => 7)).toBe(7);
  const failing = withEventBar({ events }, output, signal, lineOf, async () => Promise.reject(new Error('full')));
  await expect(failing).rejects.toThrow('full');
  expect(lines).toEqual(['', '']);
});
