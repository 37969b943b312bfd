import type { ChatEvent } from '@peerai/peer/control';
import { describe, expect, it } from 'vitest';
import { createController, type GuestController } from './controller.ts';
import { limits } from './limits.ts';
import { refusalOf } from './refusals.ts';
import type { Invitation, Session, ShareState } from './session.ts';

const invitation: Invitation = {
  name: 'study-pc',
  models: ['mistral'],
  expiresMs: 9_000,
  emoji: [],
  words: [],
  hex: '',
};
const share: ShareState = { models: ['mistral'], tokensBudget: 100, tokensUsed: 10, expiresMs: 9_000 };
const servedBy = { peerId: 'p', name: 'study-pc', path: 'direct' as const };
const figures = { promptTokens: 1, answerTokens: 1, firstTokenMs: 1, totalMs: 1, tokensPerSecond: 1 };
const refusal = (code: string): Error => Object.assign(new Error(code), { code });
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

function memory() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

function setUp(patch: Partial<Session> = {}, read: () => Promise<Invitation> = async () => invitation) {
  const asked: unknown[] = [];
  let closed = 0;
  const session: Session = {
    connect: async () => share,
    state: async () => ({ ...share, tokensUsed: 30 }),
    async *ask(messages, options): AsyncIterable<ChatEvent> {
      asked.push([messages, options]);
      yield { type: 'start', model: 'mistral', servedBy };
      yield { type: 'delta', text: 'Soup.' };
    },
    async *link(signal) {
      yield { path: 'relayed', roundTripMs: 60 };
      await never(signal);
    },
    close: async () => {
      closed += 1;
    },
    ...patch,
  };
  const storage = memory();
  const controller = createController({
    loader: { read, open: async () => session },
    ticket: 'ticket-text-with-a-signature',
    now: () => 1_000,
    deadline: (_ms, parent) => parent,
    sleep: (_ms, signal) => never(signal),
    storage,
    isFinal: (code) => refusalOf(code, undefined, 0)?.final === true,
  });
  return { controller, asked, storage, closed: () => closed };
}
const phases = (controller: GuestController): string[] => {
  const seen = [controller.state.phase as string];
  controller.subscribe(() => {
    if (seen.at(-1) !== controller.state.phase) seen.push(controller.state.phase);
  });
  return seen;
};

describe('A guest', () => {
  it('comes in by stages and sees what is left', async () => {
    const reached = Promise.withResolvers<ShareState>();
    const { controller } = setUp({ connect: () => reached.promise });
    const seen = phases(controller);
    const started = controller.start();
    await expect.poll(() => controller.state.phase).toBe('asking');
    reached.resolve(share);
    await started;
    expect(seen).toEqual(['opening', 'finding', 'asking', 'ready']);
    expect(controller.state).toMatchObject({ share: { state: share, fresh: true }, link: { path: 'relayed' } });
  });

  it('may write before the connection stands', async () => {
    const { controller, asked } = setUp();
    controller.ask(' Name a soup. ');
    expect(controller.state.turns).toMatchObject([{ text: 'Name a soup.' }, { state: 'waiting' }]);
    expect(asked).toEqual([]);
    await controller.start();
    await expect.poll(() => asked).toEqual([[[{ role: 'user', text: 'Name a soup.' }], {}]]);
  });

  it('keeps a broken answer, and sees the counters after it', async () => {
    const { controller, storage } = setUp();
    await controller.start();
    controller.ask('Name a soup.');
    await expect.poll(() => controller.state.turns.at(-1)).toMatchObject({ state: 'failed', text: 'Soup.' });
    await expect.poll(() => controller.state.share?.state.tokensUsed).toBe(30);
    expect([...storage.kept.keys()]).toEqual(['peerai.guest.with-a-signature']);
  });

  it.each(['TICKET_INVALID', 'TICKET_EXPIRED', 'TICKET_REVOKED', 'TOO_MANY_GUESTS', 'BUDGET_SPENT'])(
    'is refused for good by %s',
    async (code) => {
      const { controller } = setUp({ connect: () => Promise.reject(refusal(code)) });
      await controller.start();
      expect(controller.state).toMatchObject({ phase: 'refused', problem: { code } });
    },
  );

  it('does not dial for a link that has ended', async () => {
    let dialled = false;
    const ended = { ...invitation, expiresMs: 1_000 };
    const { controller } = setUp({ connect: async () => ((dialled = true), share) }, async () => ended);
    await controller.start();
    expect(controller.state).toMatchObject({ phase: 'refused', problem: { code: 'TICKET_EXPIRED' } });
    expect(dialled).toBe(false);
  });

  it('tries again when the provider was away, and what waited is asked', async () => {
    let tries = 0;
    const { controller, asked } = setUp({
      connect: async () => {
        tries += 1;
        if (tries === 1) throw refusal('PEER_UNREACHABLE');
        return share;
      },
    });
    await controller.start();
    expect(controller.state).toMatchObject({ phase: 'lost', problem: { code: 'PEER_UNREACHABLE' } });
    controller.ask('Name a soup.');
    await expect.poll(() => controller.state.turns.at(-1)).toMatchObject({ state: 'failed' });
    controller.askAgain();
    await expect.poll(() => asked).toHaveLength(1);
    expect(controller.state.phase).toBe('ready');
  });

  it('notices that the link is gone, and that it is back', async () => {
    const changes = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { controller } = setUp({
      async *link() {
        yield undefined;
        yield { path: 'direct', roundTripMs: 8 };
        await changes[0]?.promise;
        yield undefined;
        await changes[1]?.promise;
        yield { path: 'relayed', roundTripMs: 60 };
      },
    });
    await controller.start();
    await expect.poll(() => controller.state).toMatchObject({ linkLost: false, link: { path: 'direct' } });
    changes[0]?.resolve();
    await expect.poll(() => controller.state.linkLost).toBe(true);
    changes[1]?.resolve();
    await expect.poll(() => controller.state).toMatchObject({ linkLost: false, link: { path: 'relayed' } });
  });

  it('dates the counters when the provider stops answering', async () => {
    const { controller } = setUp({ state: () => Promise.reject(refusal('TIMEOUT')) });
    await controller.start();
    controller.ask('Name a soup.');
    await expect.poll(() => controller.state.share?.fresh).toBe(false);
    expect(controller.state.share?.state).toEqual(share);
  });

  it('stops an answer at once', async () => {
    const { controller } = setUp({
      async *ask(_messages, _options, signal): AsyncIterable<ChatEvent> {
        yield { type: 'delta', text: 'So' };
        await never(signal);
      },
    });
    await controller.start();
    controller.ask('Name a soup.');
    await expect.poll(() => controller.state.turns.at(-1)?.text).toBe('So');
    controller.stop();
    await expect.poll(() => controller.state.turns.at(-1)).toMatchObject({ state: 'stopped', text: 'So' });
  });

  it('takes the next question after the last words, also when the line of the answer before is still open', async () => {
    const { controller } = setUp({
      async *ask(messages, _options, signal): AsyncIterable<ChatEvent> {
        yield { type: 'finish', reason: 'stop', ...figures, servedBy };
        if (messages.length === 1) await never(signal);
      },
    });
    await controller.start();
    expect([controller.ask('One.'), controller.ask('Too soon.')]).toEqual([true, false]);
    await expect.poll(() => controller.state.turns.at(-1)).toMatchObject({ state: 'done' });
    expect(controller.ask('Two.')).toBe(true);
    await expect
      .poll(() => controller.state.turns)
      .toMatchObject([{ text: 'One.' }, { state: 'done' }, { text: 'Two.' }, { state: 'done' }]);
  });

  it('leaves nothing behind', async () => {
    const { controller, storage, closed } = setUp();
    await controller.start();
    controller.ask('Name a soup.');
    await expect.poll(() => storage.kept.size).toBe(1);
    controller.leave();
    expect(controller.state).toMatchObject({ phase: 'left', turns: [] });
    expect([storage.kept.size, closed()]).toEqual([0, 1]);
  });

  it.each([limits.messageCharsMax, limits.messageCharsMax + 1])(
    'says at most its limit of characters (%i given)',
    (length) => {
      const { controller } = setUp();
      controller.ask('x'.repeat(length));
      expect(controller.state.turns[0]?.text).toHaveLength(limits.messageCharsMax);
    },
  );
});

describe('Refusals', () => {
  const codes = [
    'TICKET_INVALID',
    'TICKET_EXPIRED',
    'TICKET_REVOKED',
    'BUDGET_SPENT',
    'MODEL_NOT_SHARED',
    'TOO_MANY_GUESTS',
    'TOO_MANY',
  ];

  it('each have a sentence of their own', () => {
    const titles = codes.map((code) => refusalOf(code, invitation, 0)?.title);
    expect(new Set(titles).size).toBe(codes.length);
    expect(titles).not.toContain(undefined);
  });

  it('are not every error', () => {
    expect(refusalOf('PEER_UNREACHABLE', invitation, 0)).toBeUndefined();
  });
});
