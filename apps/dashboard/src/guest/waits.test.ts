import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createController } from './controller.ts';
import { limits } from './limits.ts';
import type { Session, ShareState } from './session.ts';

const share: ShareState = { models: ['mistral'], tokensBudget: 100, tokensUsed: 10, expiresMs: 3_600_000 };
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

function guest(session: Partial<Session>) {
  const clock = new ManualClock();
  const kept = new Map<string, string>();
  const controller = createController({
    loader: {
      read: async () => ({
        name: 'study-pc',
        models: ['mistral'],
        expiresMs: 3_600_000,
        emoji: [],
        words: [],
        hex: '',
      }),
      open: async () =>
        ({
          connect: async () => share,
          state: async () => share,
          link: (signal: AbortSignal) => ({ [Symbol.asyncIterator]: () => ({ next: () => never(signal) }) }),
          close: async () => undefined,
          ...session,
        }) as Session,
    },
    ticket: 'ticket-text-with-a-signature',
    now: () => clock.elapsedMs(),
    deadline: (ms, parent) => clock.deadline(ms, parent),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    storage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    isFinal: () => false,
  });
  return { clock, controller };
}

test('one attempt to reach the provider takes `connectMs`, then it is lost', async () => {
  const { clock, controller } = guest({ connect: never });
  const started = controller.start();
  await clock.advance(limits.connectMs - 1);
  expect(controller.state.phase).not.toBe('lost');
  await clock.advance(1);
  await started;
  expect(controller.state).toMatchObject({ phase: 'lost', problem: { code: 'TIMEOUT' } });
});

test('the counters are asked for every `stateEveryMs`, and stand as old after `stateMs` without a word', async () => {
  const asked: number[] = [];
  const { clock, controller } = guest({
    state: (signal) => {
      asked.push(clock.elapsedMs());
      return never(signal);
    },
  });
  await controller.start();
  await clock.advance(limits.stateEveryMs - 1);
  expect(asked).toEqual([]);
  await clock.advance(1);
  expect(asked).toEqual([limits.stateEveryMs]);
  await clock.advance(limits.stateMs - 1);
  expect(controller.state.share?.fresh).toBe(true);
  await clock.advance(1);
  expect(controller.state.share?.fresh).toBe(false);
});
