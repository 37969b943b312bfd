import { type AnswerPart, type LanguageModel, PeerAiError, type PeerId, type Prompt } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../engines/scripted.ts';
import { limits } from '../limits.ts';
import { createFailures } from './failures.ts';
import { rank, type RouteFacts } from './rank.ts';
import { type RouteCandidate, routedModel } from './routed-model.ts';

const clock = new ManualClock();
const never = new AbortController().signal;
const echo = scriptedModel({ clock }, 'echo') as LanguageModel;
const facts = (peer: string, over: Partial<RouteFacts> = {}): RouteFacts => ({
  peer: peer as PeerId,
  card: echo.card,
  path: 'direct',
  roundTripMs: 20,
  load: 0,
  failures: 0,
  ...over,
});
const order = (...candidates: RouteFacts[]): string[] =>
  rank(candidates, { tokens: 100 }).map(({ facts }) => facts.peer);

describe('The rank', () => {
  it.each([
    ['local before direct', facts('b', { path: 'local', roundTripMs: 0 }), facts('a', { roundTripMs: 1 })],
    ['direct before relayed', facts('b', { roundTripMs: 60 }), facts('a', { path: 'relayed', roundTripMs: 20 })],
    ['near before far', facts('b', { roundTripMs: 10 }), facts('a', { roundTripMs: 200 })],
    [
      'an idle relayed peer before a busy machine of ours',
      facts('b', { path: 'relayed' }),
      facts('a', { path: 'local', load: 1 }),
    ],
    [
      'a loaded model before one that is not',
      facts('b', { roundTripMs: 300 }),
      facts('a', { card: { ...echo.card, loaded: false } }),
    ],
    [
      'one that fits before one that swaps',
      facts('b', { load: 1 }),
      facts('a', { card: { ...echo.card, fits: false } }),
    ],
    ['one that works before one that failed', facts('b', { load: 1 }), facts('a', { failures: 1 })],
    ['the better name of two that are equal', facts('b', { reputation: 0.8 }), facts('a', { reputation: 0.3 })],
    ['this machine, whatever its name', facts('b', { path: 'local', reputation: 0 }), facts('a', { reputation: 1 })],
    [
      'a good name before an answer that is sooner',
      facts('b', { load: 0, roundTripMs: 900, reputation: 0.8 }),
      facts('a', { reputation: 0.2 }),
    ],
    [
      'who is idle before a good name that is busy',
      facts('b', { reputation: 0.3 }),
      facts('a', { load: 1, reputation: 0.8 }),
    ],
    ['by id when all is equal', facts('a'), facts('b')],
  ])('puts %s', (_, first, second) => {
    expect(order(second, first)).toEqual([first.peer, second.peer]);
  });

  it('leaves out who is offline and whose context is too small, at the limit and one above', () => {
    const small = { ...echo.card, contextTokensMax: 100 };
    expect(order(facts('a', { path: 'offline' }), facts('b', { card: small }))).toEqual(['b']);
    expect(rank([facts('b', { card: small })], { tokens: 101 })).toEqual([]);
  });

  it('gives the same order for the same facts in any order, and a reason for each place', () => {
    const one = fc.record({
      peer: fc.constantFrom('a', 'b', 'c', 'd'),
      path: fc.constantFrom('local' as const, 'direct' as const, 'relayed' as const),
      roundTripMs: fc.nat(500),
      load: fc.nat(3),
      failures: fc.nat(2),
      reputation: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ peer }) => peer }), (all) => {
        const candidates = all.map(({ peer, ...rest }) => facts(peer, rest));
        expect(order(...candidates.toReversed())).toEqual(order(...candidates));
        for (const { reasons } of rank(candidates, { tokens: 1 })) expect(reasons.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('The memory of failures', () => {
  it('forgets after its time, by forgiveness, and the oldest key above its limit', async () => {
    const time = new ManualClock();
    const failures = createFailures(time);
    failures.note('a');
    failures.note('a');
    expect(failures.count('a')).toBe(2);
    await time.advance(limits.failureMemoryMs - 1);
    expect(failures.count('a')).toBe(2);
    await time.advance(1);
    expect(failures.count('a')).toBe(0);
    failures.note('a');
    failures.forgive('a');
    expect(failures.count('a')).toBe(0);
    for (let key = 0; key < limits.failureKeysMax; key += 1) failures.note(`k${key}`);
    expect(failures.count('k0')).toBe(1);
    failures.note('one more');
    expect([failures.count('k0'), failures.count('k1')]).toEqual([0, 1]);
    for (let time = 0; time <= limits.failuresPerKeyMax; time += 1) failures.note('often');
    expect(failures.count('often')).toBe(limits.failuresPerKeyMax);
  });
});

describe('A routed model', () => {
  const failing = (code: string, after = 0): LanguageModel => ({
    ...echo,
    async *generate() {
      for (let count = 0; count < after; count += 1) yield { type: 'text-delta', text: 'x' };
      throw new PeerAiError(code, 'failed', { retryAfterMs: 7 });
    },
    embed: () => Promise.reject(new PeerAiError(code, 'failed')),
  });
  const candidate = (peer: string, model: LanguageModel, path: 'local' | 'direct' = 'direct'): RouteCandidate => ({
    model,
    peer: peer as PeerId,
    path: () => path,
  });
  const prompt: Prompt = { messages: [{ role: 'user', text: 'hi' }] };
  const ask = (model: LanguageModel, signal = never): AsyncIterable<AnswerPart> =>
    model.generate(prompt, { maxTokens: 9 }, signal);

  it('replaces who fails before the first token, and says who answered', async () => {
    const failed: string[] = [];
    const answered: string[] = [];
    const routed = routedModel([candidate('a', failing('PEER_UNREACHABLE')), candidate('b', echo)], {
      failed: ({ peer }) => failed.push(peer),
      answered: ({ peer }) => answered.push(peer),
    });
    expect(routed.servedBy()).toBeUndefined();
    const parts = await Array.fromAsync(ask(routed.model));
    expect(parts.at(-1)).toMatchObject({ reason: 'stop', servedBy: { peer: 'b', path: 'direct' } });
    expect([routed.servedBy(), failed, answered]).toEqual([{ peer: 'b', path: 'direct' }, ['a'], ['b']]);
  });

  it('does not replace who fails after it; what came stays', async () => {
    const routed = routedModel([candidate('a', failing('PEER_LOST', 2)), candidate('b', echo)]);
    const got: AnswerPart[] = [];
    const reading = (async () => {
      for await (const part of ask(routed.model)) got.push(part);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'PEER_LOST' });
    expect(got).toHaveLength(2);
    expect(routed.servedBy()?.peer).toBe('a');
  });

  it('throws what all say, or NO_MODELS naming each', async () => {
    const busy = routedModel([candidate('a', failing('QUEUE_FULL')), candidate('b', failing('QUEUE_FULL'))]);
    await expect(Array.fromAsync(ask(busy.model))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      details: { retryAfterMs: 7 },
    });
    const mixed = routedModel([candidate('a', failing('QUEUE_FULL')), candidate('b', failing('TIMEOUT'))]);
    await expect(Array.fromAsync(ask(mixed.model))).rejects.toMatchObject({
      code: 'NO_MODELS',
      details: {
        attempts: [
          { peer: 'a', code: 'QUEUE_FULL' },
          { peer: 'b', code: 'TIMEOUT' },
        ],
      },
    });
    expect(() => routedModel([])).toThrow(expect.objectContaining({ code: 'NO_MODELS' }));
  });

  it('tries as many as the limit and not one more, and nobody for a caller that has gone', async () => {
    const tries: string[] = [];
    const many = Array.from({ length: limits.routeTriesMax + 1 }, (_, index) =>
      candidate(`p${index}`, failing('TIMEOUT')),
    );
    const routed = routedModel(many, { failed: ({ peer }) => tries.push(peer) });
    await expect(Array.fromAsync(ask(routed.model))).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(tries).toHaveLength(limits.routeTriesMax);
    const gone = routedModel(many, { failed: ({ peer }) => tries.push(peer) });
    await expect(Array.fromAsync(ask(gone.model, AbortSignal.abort()))).rejects.toMatchObject({ code: 'ABORTED' });
    expect(tries).toHaveLength(limits.routeTriesMax);
  });

  it('embeds with who can', async () => {
    const routed = routedModel([candidate('a', failing('TIMEOUT')), candidate('b', echo, 'local')]);
    expect(await routed.model.embed?.(['x'], never)).toEqual(await echo.embed?.(['x'], never));
    expect(routed.servedBy()).toEqual({ peer: 'b', path: 'local' });
  });
});
