import { type Channel, type LanguageModel, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { signReceipt } from '../testing/admission.ts';
import { createShareWorld, provider, reading, type ShareWorld, user } from '../testing/share-world.ts';
import { encodeClientFrame, modelProtocol, type ProviderFrame, providerFrame } from './protocol.ts';
import { sendAnswer } from './send-answer.ts';
import { createModelQueue } from './serve-models.ts';
import { createTranscript } from './transcript.ts';
import { toWireError } from './wire-error.ts';
import { toolCallBytes } from './work.ts';

let world: ShareWorld;
beforeEach(() => {
  world = createShareWorld();
});
afterEach(async () => {
  expect(await world.leftovers()).toEqual([0, 0, 0, 0, 0]);
});
const never = new AbortController().signal;
const saying = (...texts: string[]): LanguageModel => ({
  specification: 1,
  card: world.remote('said').card,
  async *generate() {
    for (const text of texts) yield { type: 'text-delta', text };
    yield {
      type: 'finish',
      reason: 'stop',
      usage: { promptTokens: 1, answerTokens: 1 },
      suggestions: Array.from({ length: 9 }, () => 's'.repeat(300)),
    };
  },
});

describe('Time limits of a shared model', () => {
  it('a request waits in the queue as long as the limit says, then QUEUE_FULL', async () => {
    const endless: LanguageModel = {
      ...saying(),
      async *generate(_prompt, _sampling, signal) {
        for (;;) {
          await world.clock.sleep(100_000, signal);
          yield { type: 'text-delta', text: 'x' };
        }
      },
    };
    world.restart({ concurrency: 1 }, [endless]);
    const first = reading(world.ask('said'));
    await settle();
    const second = reading(
      world.remote('echo', {}, world.networks.join('other' as PeerId)).generate(user('x'), { maxTokens: 9 }, never),
    );
    await world.clock.advance(limits.queueWaitMsMax - 1);
    expect(world.shared.waiting).toBe(1);
    await world.clock.advance(1);
    expect(await second.done).toMatchObject({ code: 'QUEUE_FULL' });
    world.stopping.abort();
    expect(await first.done).toMatchObject({ code: 'ABORTED' });
  });

  it('ended answers are kept for their time and not longer, and only so many of one peer and of all', async () => {
    const answered = async (peer: string, count: number): Promise<void> => {
      const network = world.networks.join(peer as PeerId);
      for (let id = 0; id < count; id += 1) {
        const channel = await network.open(provider, modelProtocol, { signal: never });
        await channel.send(encodeClientFrame({ kind: 'ask', ask: { ...question('echo'), requestId: `r${id}` } }));
        for (let frame = await frameOf(channel); frame.kind !== 'finish'; frame = await frameOf(channel));
        await channel.close();
      }
    };
    await answered('first', limits.answersKeptPerPeerMax);
    expect(world.shared.known).toBe(limits.answersKeptPerPeerMax);
    await answered('first', limits.answersKeptPerPeerMax + 1);
    expect(world.shared.known).toBe(limits.answersKeptPerPeerMax);
    for (let peer = 0; peer < limits.answersKeptMax; peer += 1) await answered(`p${peer}`, 1);
    expect(world.shared.known).toBe(limits.answersKeptMax);
    await world.clock.advance(limits.answerKeptMs - 1);
    expect(world.shared.known).toBe(limits.answersKeptMax);
    await world.clock.advance(1);
    expect(world.shared.known).toBe(0);
  });

  it('a reader that takes nothing of an answer is dropped, and so is its error', async () => {
    world.restart({}, [saying(...Array.from({ length: 64 }, () => 'x'.repeat(16_384)))]);
    const channel = await open();
    await channel.send(encodeClientFrame({ kind: 'ask', ask: question('said') }));
    await world.clock.advance(limits.readerStallMs + limits.errorFrameMs - 1);
    expect(channel.signal.aborted).toBe(false);
    await world.clock.advance(2);
    expect(channel.signal.aborted).toBe(true);
  });

  it('a provider that says nothing for too long is given up, and one that ignores a cancel is left', async () => {
    world.shared[Symbol.dispose]();
    const channels: Channel[] = [];
    const answering = world.there.answer(modelProtocol, async (channel) => {
      channels.push(channel);
      await new Promise<void>((resolve) => {
        channel.signal.addEventListener('abort', () => resolve());
      });
    });
    const parts = reading(world.ask('echo'));
    await world.clock.advance(limits.providerGapMsMax - 1);
    expect(channels[0]?.signal.aborted).toBe(false);
    await world.clock.advance(1);
    expect(await parts.done).toMatchObject({ code: 'TIMEOUT' });
    await world.clock.advance(limits.cancelReceiptMs - 1);
    expect(channels[0]?.signal.aborted).toBe(false);
    await world.clock.advance(1);
    expect(channels[0]?.signal.aborted).toBe(true);
    answering[Symbol.dispose]();
  });

  it('a request lost before its first token is sent again as often as the limit says', async () => {
    world.shared[Symbol.dispose]();
    let asked = 0;
    const answering = world.there.answer(modelProtocol, async (channel) => {
      await channel[Symbol.asyncIterator]().next();
      asked += 1;
      throw new PeerAiError('CHANNEL_CLOSED', 'lost');
    });
    const parts = reading(world.ask('echo'));
    await world.clock.until(parts.done);
    expect([asked, await parts.done]).toMatchObject([1 + limits.resendTriesMax, { code: 'CHANNEL_CLOSED' }]);
    answering[Symbol.dispose]();
  });

  it('a receipt of its size is taken, a longer one is not', async () => {
    for (const bytes of [limits.receiptBytesMax + 1, limits.receiptBytesMax]) {
      const channel = await open();
      const requestId = `r${bytes}`;
      await channel.send(encodeClientFrame({ kind: 'ask', ask: { ...question('echo'), requestId } }));
      for (let frame = await frameOf(channel); frame.kind !== 'finish'; frame = await frameOf(channel));
      const receipt = new Uint8Array(bytes);
      receipt.set(await signReceipt(utf8(requestId)));
      await channel.send(encodeClientFrame({ kind: 'countersigned', receipt }));
      await settle();
    }
    expect(world.admission.countersigned).toEqual([`r${limits.receiptBytesMax}`]);
  });
});

describe('Size limits of a shared model', () => {
  it('suggestions are cut in number by the provider and in length by the asker', async () => {
    world.restart({}, [saying('x')]);
    const parts = await Array.fromAsync(world.ask('said'));
    const last = parts.at(-1);
    const suggestions = last?.type === 'finish' ? (last.suggestions ?? []) : [];
    expect(suggestions.map(({ length }) => length)).toEqual(
      Array.from({ length: limits.suggestionsMax }, () => limits.suggestionCharsMax),
    );
  });

  it('a model name of the limit is looked up, a longer one refused', async () => {
    const code = (length: number): Promise<unknown> =>
      Array.fromAsync(world.ask('x'.repeat(length))).catch((error: PeerAiError) => error.code);
    expect([await code(limits.modelNameBytesMax), await code(limits.modelNameBytesMax + 1)]).toEqual([
      'MODEL_UNKNOWN',
      'LIMIT_EXCEEDED',
    ]);
  });

  it('a transcript takes text and calls of their limits, and nothing above', () => {
    const full = createTranscript(10);
    expect([full.text('0123456789'), full.text('x'), full.length]).toEqual([true, false, 10]);
    const call = (bytes: number) => ({
      id: '1',
      name: 'n',
      argumentsText: 'x'.repeat(bytes - toolCallBytes({ id: '1', name: 'n', argumentsText: '' }).length),
    });
    const calls = createTranscript();
    expect([calls.call(call(limits.toolCallBytesMax)), calls.call(call(limits.toolCallBytesMax + 1))]).toEqual([
      true,
      false,
    ]);
  });

  it('pieces that have gathered travel together up to the limit of one delta', async () => {
    const transcript = createTranscript();
    const half = 'x'.repeat(limits.deltaBytesMax / 2);
    for (const text of [half, half, 'y']) transcript.text(text);
    transcript.end({ type: 'error', error: { code: 'A', message: '', retryAfterMs: undefined } });
    const sent: ProviderFrame[] = [];
    const channel = {
      send: async (frame: Uint8Array) => void sent.push(providerFrame.decode(frame)),
    } as unknown as Channel;
    await sendAnswer(new ManualClock(), channel, transcript, 0, never);
    expect(sent.map(({ kind, offset, text }) => [kind, offset, text?.length])).toEqual([
      ['delta', 0, limits.deltaBytesMax],
      ['delta', limits.deltaBytesMax, 1],
      ['error', undefined, undefined],
    ]);
  });

  it('an error’s sentence is cut at its limit, between characters', () => {
    const sentence = (text: string): string => toWireError(new PeerAiError('A', text)).message;
    expect(sentence('x'.repeat(limits.errorMessageBytesMax))).toHaveLength(limits.errorMessageBytesMax);
    for (const letter of ['x', 'é', '😀']) {
      const cut = sentence(letter.repeat(limits.errorMessageBytesMax + 1));
      expect(utf8(cut).length).toBeLessThanOrEqual(limits.errorMessageBytesMax);
      expect(cut).toMatch(new RegExp(`^(${letter})+…$`, 'u'));
    }
    expect(toWireError(new PeerAiError('lower case', 'x'))).toMatchObject({ code: 'INTERNAL' });
  });

  it('the queue has its default lengths', async () => {
    const queue = createModelQueue(new ManualClock());
    const enter = (peer: string): Promise<unknown> =>
      queue.enter(peer as PeerId, never).catch((error: PeerAiError) => error.code);
    for (let count = 0; count < limits.concurrencyDefault; count += 1) await enter('busy');
    const peers = limits.queueLengthMax / limits.queuePerPeerMax;
    for (let peer = 0; peer < peers; peer += 1) {
      for (let count = 0; count < limits.queuePerPeerMax; count += 1) void enter(`p${peer}`);
      if (peer === 0) expect(await enter('p0')).toBe('QUEUE_FULL');
    }
    expect([queue.running, queue.waiting]).toEqual([limits.concurrencyDefault, limits.queueLengthMax]);
  });
});

const question = (model: string) => ({
  requestId: 'r1',
  model,
  messages: [{ role: 'user' as const, text: 'x' }],
  maxTokens: 9,
  temperature: undefined,
  topP: undefined,
  seed: undefined,
  stop: [],
  grant: undefined,
  resumeOffset: undefined,
});
const open = (): Promise<Channel> => world.here.open(provider, modelProtocol, { signal: never });
const frameOf = async (channel: Channel): Promise<ProviderFrame> => {
  const { value } = await channel[Symbol.asyncIterator]().next();
  return providerFrame.decode(value as Uint8Array);
};
