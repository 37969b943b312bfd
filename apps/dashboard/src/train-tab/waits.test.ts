import { ManualClock } from '@peerai/core-protocol/testing';
import type { Visit } from '@peerai/peer/visitor';
import { expect, test } from 'vitest';
import { createController } from './controller.ts';
import { limits } from './limits.ts';
import type { Session } from './session.ts';

const never = (signal?: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

function tab(session: Partial<Session>) {
  const clock = new ManualClock();
  const controller = createController({
    loader: {
      read: async () => ({ name: 'study-pc', expiresMs: 9_000, emoji: [], words: [] }),
      open: async () => ({
        look: async () => ({}) as Visit,
        train: () => never(),
        busy: () => 0,
        engineBytes: async () => 1,
        graphicsBytes: async () => undefined,
        close: async () => undefined,
        ...session,
      }),
    },
    ticket: 'ticket',
    deadline: (ms, parent) => clock.deadline(ms, parent),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  });
  return { clock, controller };
}

test('one attempt to reach who made the link takes `lookMs`, then it is lost', async () => {
  const { clock, controller } = tab({ look: never });
  const started = controller.start();
  await clock.advance(limits.lookMs - 1);
  expect(controller.state.phase).toBe('asking');
  await clock.advance(1);
  await started;
  expect(controller.state).toMatchObject({ phase: 'lost', problem: { code: 'TIMEOUT' } });
});

test('how busy the processor is, is shown every `busyEveryMs` while it trains', async () => {
  let looks = 0;
  const { clock, controller } = tab({ busy: () => (looks += 1) });
  await controller.start();
  void controller.train(undefined);
  await clock.advance(limits.busyEveryMs - 1);
  expect(looks).toBe(0);
  await clock.advance(1);
  expect([looks, controller.state.busy]).toEqual([1, 1]);
  await clock.advance(limits.busyEveryMs);
  expect(looks).toBe(2);
  await controller.leave();
});
