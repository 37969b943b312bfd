import { type Channel, type LanguageModel, utf8 } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createShareWorld, type ShareWorld, provider, reading, textOf } from '../testing/share-world.ts';
import { limits } from '../limits.ts';
import { encodeClientFrame, encodeProviderFrame, modelProtocol, providerFrame } from './protocol.ts';

let world: ShareWorld;
beforeEach(() => {
  world = createShareWorld();
});
afterEach(async () => {
  // Whatever happened: nothing is left behind.
  expect(await world.leftovers()).toEqual([0, 0, 0, 0, 0]);
});

describe('The wire', () => {
  const messages = (count: number) => Array.from({ length: count }, () => ({ role: 'user' as const, text: 'x' }));
  const frameOf = async (channel: Channel): Promise<ReturnType<typeof providerFrame.decode>> => {
    const { value } = await channel[Symbol.asyncIterator]().next();
    return providerFrame.decode(value as Uint8Array);
  };
  const open = (): Promise<Channel> => world.here.open(provider, modelProtocol, { signal: world.stopping.signal });
  const question = (over: object = {}) => ({
    requestId: 'r1',
    model: 'echo',
    messages: [{ role: 'user' as const, text: 'x' }],
    maxTokens: 9,
    temperature: undefined,
    topP: undefined,
    seed: undefined,
    stop: [],
    grant: undefined,
    resumeOffset: undefined,
    ...over,
  });
  const sent = async (over: object): Promise<ReturnType<typeof providerFrame.decode>> => {
    const channel = await open();
    await channel.send(encodeClientFrame({ kind: 'ask', ask: question(over) }));
    return frameOf(channel);
  };

  it.each([
    [
      'a request id',
      { requestId: 'x'.repeat(limits.requestIdBytesMax) },
      { requestId: 'x'.repeat(limits.requestIdBytesMax + 1) },
    ],
    ['tokens', { maxTokens: limits.answerTokensMax }, { maxTokens: limits.answerTokensMax + 1 }],
    [
      'a stop text',
      { stop: ['x'.repeat(limits.stopTextBytesMax)] },
      { stop: ['x'.repeat(limits.stopTextBytesMax + 1)] },
    ],
    ['stop texts', { stop: Array(limits.stopTextsMax).fill('x') }, { stop: Array(limits.stopTextsMax + 1).fill('x') }],
    ['a grant', { grant: new Uint8Array(limits.grantBytesMax) }, { grant: new Uint8Array(limits.grantBytesMax + 1) }],
    ['a temperature', { temperature: 5 }, { temperature: 5.01 }],
    ['topP', { topP: 1 }, { topP: -0.01 }],
    ['a seed', { seed: -1 }, { seed: 0.5 }],
    [
      'messages',
      { messages: messages(limits.promptMessagesMax) },
      { messages: messages(limits.promptMessagesMax + 1) },
    ],
    [
      'a prompt',
      { messages: [{ role: 'user', text: 'x'.repeat(limits.promptBytesMax) }] },
      { messages: [{ role: 'user', text: 'x'.repeat(limits.promptBytesMax + 1) }] },
    ],
  ])('takes %s of the limit and refuses one above', async (_, most, above) => {
    expect((await sent(most)).kind).toBe('accepted');
    expect(await sent({ requestId: 'r2', ...above })).toMatchObject({
      kind: 'error',
      error: { code: expect.stringMatching(/^(LIMIT_EXCEEDED|INVALID_FORMAT|PROMPT_TOO_LONG)$/) },
    });
  });

  it('refuses a first frame that is no ask, a second ask, a used id, an unknown resume', async () => {
    const junk = await open();
    await junk.send(utf8('junk'));
    expect((await frameOf(junk)).error?.code).toBe('INVALID_FORMAT');
    await sent({ model: 'echo-slow' });
    expect((await sent({ model: 'echo' })).error?.code).toBe('REQUEST_ID_REUSED');
    expect((await sent({ requestId: 'r9', resumeOffset: 1 })).error?.code).toBe('RESUME_GONE');
    expect((await sent({ model: 'echo-slow', resumeOffset: 3 })).error?.code).toBe('INVALID_FORMAT');
  });

  it('frees the slot at once when the client breaks the protocol', async () => {
    const channel = await open();
    await channel.send(encodeClientFrame({ kind: 'ask', ask: question({ model: 'echo-slow' }) }));
    await world.clock.advance(60);
    expect(world.shared.running).toBe(1);
    await channel.send(encodeClientFrame({ kind: 'ask', ask: question({ model: 'echo-slow' }) }));
    await settle();
    expect([world.shared.running, world.admission.open]).toEqual([0, 0]);
  });

  it.each([
    ['a part in the wrong place', { kind: 'delta', offset: 5, text: 'x' }],
    ['a part without a place', { kind: 'delta', text: 'x' }],
    ['a finish without its fields', { kind: 'finish' }],
  ] as const)('is not believed by the asker when a provider sends %s', async (_, frame) => {
    world.shared[Symbol.dispose]();
    const answering = world.there.answer(modelProtocol, async (channel) => {
      await channel.send(encodeProviderFrame(frame));
    });
    await expect(Array.fromAsync(world.ask('echo'))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    answering[Symbol.dispose]();
  });

  it('drops a channel that asks nothing', async () => {
    const channel = await open();
    await world.clock.advance(limits.firstFrameMs);
    expect((await frameOf(channel)).error?.code).toBe('TIMEOUT');
  });

  it('refuses a countersignature that is not ours to take', async () => {
    const channel = await open();
    await channel.send(encodeClientFrame({ kind: 'ask', ask: question() }));
    for (let frame = await frameOf(channel); frame.kind !== 'finish'; frame = await frameOf(channel));
    await channel.send(encodeClientFrame({ kind: 'countersigned', receipt: utf8('forged') }));
    await world.clock.advance(limits.countersignMs);
    expect(world.admission.countersigned).toEqual([]);
  });

  it('stops an engine that goes silent', async () => {
    const mute: LanguageModel = {
      specification: 1,
      card: world.remote('mute').card,
      async *generate() {
        yield { type: 'text-delta', text: 'one' };
        await new Promise(() => undefined);
      },
    };
    world.restart({}, [mute]);
    const parts = reading(world.ask('mute'));
    await world.clock.advance(limits.tokenGapMsMax - 1);
    expect(world.shared.running).toBe(1);
    await world.clock.advance(2);
    expect(world.shared.running).toBe(0);
    expect(await parts.done).toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('keeps an answer within its bytes', async () => {
    const endless: LanguageModel = {
      specification: 1,
      card: world.remote('endless').card,
      async *generate() {
        for (;;) yield { type: 'text-delta', text: 'x'.repeat(65_536) };
      },
    };
    world.restart({}, [endless]);
    const parts = await Array.fromAsync(world.ask('endless'));
    expect(parts.at(-1)).toMatchObject({ reason: 'length', usage: { answerTokens: 200, estimated: true } });
    expect(textOf(parts)).toHaveLength(limits.answerBytesMax);
  });
});
