import { type LanguageModel, type ModelCard, nobleCrypto, PeerAiError, utf8 } from '@peerai/core-protocol';
import { seededRandom, settle, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scriptedModel } from '../engines/scripted.ts';
import { limits } from '../limits.ts';
import { recordingAdmission, signReceipt } from '../testing/admission.ts';
import { consumer, createShareWorld, provider, type ShareWorld } from '../testing/share-world.ts';
import { type EmbedAsk, embedClientFrame, embedProtocol, embedProviderFrame } from './embed-protocol.ts';
import { createFairQueue } from './fair-queue.ts';
import { listRemoteModels, modelListMethod, serveModelList } from './model-list.ts';
import { remoteModel } from './remote-model.ts';
import { serveEmbeddings } from './serve-embed.ts';
import { readRows, writeRows } from './vectors.ts';

let world: ShareWorld;
beforeEach(() => {
  world = createShareWorld();
});
afterEach(async () => {
  expect(await world.leftovers()).toEqual([0, 0, 0, 0, 0]);
});
const never = new AbortController().signal;

function serveEmbed(extra: readonly LanguageModel[] = [], admission = world.admission) {
  const { clock, there } = world;
  const queue = createFairQueue(clock, { concurrency: 1, lengthMax: 4, perPeerMax: 4 });
  const serving = serveEmbeddings({
    network: there,
    admission,
    clock,
    crypto: nobleCrypto,
    logger: silentLogger,
    models: () => extra,
    model: (name) => scriptedModel({ clock }, name),
    queue,
  });
  return { queue, serving };
}
const embed = (texts: readonly string[], name = 'echo', signal = never): Promise<readonly Float32Array[]> =>
  remoteModel(
    { network: world.here, clock: world.clock, random: seededRandom(3), crypto: nobleCrypto },
    {
      peer: provider,
      card: { ...(scriptedModel(world, 'echo') as LanguageModel).card, name },
      onReceipt: signReceipt,
      grant: () => utf8('proof'),
    },
  ).embed?.(texts, signal) ?? Promise.reject(new Error('no embed'));

describe('Embeddings at a peer', () => {
  it('are the same as the engine’s own, reserved, settled and signed', async () => {
    serveEmbed();
    const texts = ['red apples', 'tax law'];
    const own = await scriptedModel(world, 'echo')?.embed?.(texts, never);
    expect(await embed(texts)).toEqual(own);
    await settle();
    const { booked, claims, countersigned } = world.admission;
    expect(claims).toMatchObject([{ peer: consumer, resource: 'model:echo', grant: utf8('proof') }]);
    expect(booked).toMatchObject([{ usage: { answerTokens: 0, estimated: true } }]);
    expect(countersigned).toHaveLength(1);
    expect(await embed([])).toEqual([]);
  });

  it('take as many texts as the limit and refuse one more', async () => {
    serveEmbed();
    const texts = (count: number): string[] => Array.from({ length: count }, () => 'a');
    expect(await embed(texts(limits.embedTextsMax))).toHaveLength(limits.embedTextsMax);
    await expect(embed(texts(limits.embedTextsMax + 1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('are refused as admission says, by models without them, and for unknown models', async () => {
    const echo = scriptedModel(world, 'echo') as LanguageModel;
    const card = { ...echo.card, name: 'plain' };
    serveEmbed([{ specification: 1, card, generate: (...asked) => echo.generate(...asked) }]);
    await expect(embed(['x'], 'plain')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(embed(['x'], 'mistral')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  it('carry the refusal of admission, and cost nothing when the budget does not reach', async () => {
    const poor = recordingAdmission(() => 1);
    serveEmbed([], poor);
    await expect(embed(['several words here'])).rejects.toMatchObject({ code: 'BUDGET_SPENT' });
    expect([poor.open, poor.booked.length]).toEqual([0, 0]);
  });

  it('are as many as fit one frame, and end when the engine takes too long', async () => {
    const echo = scriptedModel(world, 'echo') as LanguageModel;
    const rowsOf = (name: string, dimensions: number): LanguageModel => ({
      ...echo,
      card: { ...echo.card, name },
      embed: async (texts) => texts.map(() => new Float32Array(dimensions).fill(1)),
    });
    const never = { ...echo, card: { ...echo.card, name: 'never' }, embed: () => new Promise<never>(() => undefined) };
    const most = Math.floor((limits.embedFrameBytesMax - 65_536) / 4 / limits.embedTextsMax);
    serveEmbed([rowsOf('most', most), rowsOf('more', most + 1), never]);
    const texts = Array.from({ length: limits.embedTextsMax }, () => 'a');
    expect(await embed(texts, 'most')).toHaveLength(limits.embedTextsMax);
    await expect(embed(texts, 'more')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const waiting = embed(['x'], 'never').catch((error: PeerAiError) => error.code);
    await world.clock.advance(limits.embedMs - 1);
    expect(world.admission.open).toBe(1);
    await world.clock.advance(1);
    expect([await waiting, world.admission.open]).toEqual(['TIMEOUT', 0]);
  });

  it('free their place at once when the client goes', async () => {
    const slow: LanguageModel = {
      ...(scriptedModel(world, 'echo') as LanguageModel),
      card: { ...(scriptedModel(world, 'echo') as LanguageModel).card, name: 'slow' },
      embed: () => new Promise(() => undefined),
    };
    const { queue } = serveEmbed([slow]);
    const leaving = new AbortController();
    const asking = embed(['x'], 'slow', leaving.signal);
    await settle();
    expect(queue.running).toBe(1);
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ code: 'ABORTED' });
    await settle();
    expect([queue.running, world.admission.open]).toEqual([0, 0]);
  });
});

describe('One who asks for embeddings', () => {
  it.each<readonly [what: string, limit: number, ask: (size: number) => Partial<EmbedAsk>]>([
    ['an id', limits.requestIdBytesMax, (size) => ({ requestId: 'r'.repeat(size) })],
    ['a grant', limits.grantBytesMax, (size) => ({ grant: new Uint8Array(size) })],
    ['texts', limits.promptBytesMax, (size) => ({ texts: ['é', 'x'.repeat(size - 2)] })],
  ])('brings %s of at most %i bytes', async (_, limit, ask) => {
    serveEmbed();
    const answer = async (size: number): Promise<unknown> => {
      const channel = await world.here.open(provider, embedProtocol, { signal: never });
      const asked = { requestId: 'r', model: 'none', texts: ['x'], grant: undefined, ...ask(size) };
      await channel.send(embedClientFrame.encode({ kind: 'ask', ask: asked, receipt: undefined }));
      const { value } = await channel[Symbol.asyncIterator]().next();
      await channel.close();
      return embedProviderFrame.decode(value ?? new Uint8Array()).error?.code;
    };
    expect([await answer(limit), await answer(limit + 1)]).toEqual(['MODEL_UNKNOWN', 'LIMIT_EXCEEDED']);
  });

  it('gives a receipt of so many bytes, and none that is longer', async () => {
    serveEmbed();
    for (const bytes of [limits.receiptBytesMax + 1, limits.receiptBytesMax]) {
      const channel = await world.here.open(provider, embedProtocol, { signal: never });
      const requestId = `r${bytes}`;
      const ask = { requestId, model: 'echo', texts: ['x'], grant: utf8('proof') };
      await channel.send(embedClientFrame.encode({ kind: 'ask', ask, receipt: undefined }));
      await channel[Symbol.asyncIterator]().next();
      const receipt = new Uint8Array(bytes);
      receipt.set(await signReceipt(utf8(requestId)));
      await channel.send(embedClientFrame.encode({ kind: 'countersigned', ask: undefined, receipt }));
      await settle();
    }
    expect(world.admission.countersigned).toEqual([`r${limits.receiptBytesMax}`]);
  });
});

describe('Rows of vectors', () => {
  it('come back as they were, and nothing else is read', () => {
    const rows = [Float32Array.of(0.5, -1), Float32Array.of(0, 3)];
    const { dimensions, rows: bytes } = writeRows(rows);
    expect(readRows(bytes, dimensions, 2)).toEqual(rows);
    const nan = writeRows([Float32Array.of(Number.NaN)]);
    for (const wrong of [
      () => readRows(bytes, dimensions, 3),
      () => readRows(bytes.subarray(1), dimensions, 2),
      () => readRows(new Uint8Array(), 0, 0),
      () => readRows(nan.rows, 1, 1),
      () => readRows(new Uint8Array((limits.embedDimensionsMax + 1) * 4), limits.embedDimensionsMax + 1, 1),
      () => writeRows([Float32Array.of(1), Float32Array.of(1, 2)]),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    }
    const most = new Uint8Array(limits.embedDimensionsMax * 4);
    expect(readRows(most, limits.embedDimensionsMax, 1)[0]).toHaveLength(limits.embedDimensionsMax);
  });
});

describe('The model list', () => {
  const list = (grant?: Uint8Array): Promise<readonly ModelCard[]> =>
    listRemoteModels({ network: world.here, clock: world.clock }, provider, {
      signal: never,
      ...(grant === undefined ? {} : { grant }),
    });
  const card = (name: string): ModelCard => ({ ...(scriptedModel(world, 'echo') as LanguageModel).card, name });

  it('shows what this peer may see, by who it is and what it brings', async () => {
    serveModelList(world.there, (peer, grant) => (peer === consumer && grant?.[0] === 1 ? [card('echo')] : []));
    expect(await list()).toEqual([]);
    expect(await list(Uint8Array.of(1))).toEqual([card('echo')]);
    await expect(list(new Uint8Array(limits.grantBytesMax + 1))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await list(new Uint8Array(limits.grantBytesMax))).toEqual([]);
  });

  it('passes a refusal on, leaves out names nobody could type and cleans sentences', async () => {
    let cards: readonly ModelCard[] | undefined;
    serveModelList(world.there, () => {
      if (cards === undefined) throw new PeerAiError('TICKET_EXPIRED', 'over');
      return cards;
    });
    await expect(list(Uint8Array.of(1))).rejects.toMatchObject({ code: 'TICKET_EXPIRED' });
    cards = [
      card('a b'),
      card('\u0007'),
      card('x'.repeat(129)),
      { ...card('ok'), description: 'one\n\u0007two' },
      { ...card('long'), description: 'x'.repeat(limits.descriptionCharsMax + 1) },
    ];
    expect(await list()).toMatchObject([
      { name: 'ok', description: 'one two' },
      { name: 'long', description: 'x'.repeat(limits.descriptionCharsMax) },
    ]);
    cards = Array.from({ length: limits.modelCardsMax + 1 }, (_, index) => card(`m${index}`));
    expect(await list()).toHaveLength(limits.modelCardsMax);
    cards = [card('x'.repeat(limits.modelNameBytesMax)), card('y'.repeat(limits.modelNameBytesMax + 1))];
    expect((await list()).map(({ name }) => name[0])).toEqual(['x']);
  });

  it('comes with all its names when not all descriptions fit, and with as many of those as do', async () => {
    const description = 'é'.repeat(limits.descriptionCharsMax);
    const cards = Array.from({ length: limits.modelCardsMax }, (_, index) => ({
      ...card(`${index}`.padStart(limits.modelNameBytesMax, 'm')),
      description,
    }));
    serveModelList(world.there, () => cards);
    const seen = await list();
    expect(seen).toHaveLength(limits.modelCardsMax);
    const told = seen.filter((one) => one.description !== undefined);
    const answered = modelListMethod.response.encode({
      cards: seen.map((one) => ({ embeds: undefined, description: undefined, ...one })),
    });
    // One more would not fit.
    expect(answered.length).toBeLessThanOrEqual(limits.modelListBytesMax);
    expect(answered.length + 2 * description.length + cards.length * 8).toBeGreaterThan(limits.modelListBytesMax);
    expect(told).toEqual(seen.slice(0, told.length));
  });

  it('is waited for so long, over so many channels of one peer', async () => {
    serveModelList(world.there, () => new Promise(() => undefined));
    let ended: unknown;
    const asked = list().catch((error: PeerAiError) => (ended = error.code));
    await world.clock.advance(limits.modelListMs - 1);
    expect(ended).toBeUndefined();
    await world.clock.advance(1);
    await asked;
    expect(ended).toBe('TIMEOUT');
    const open = () => world.here.open(provider, modelListMethod.protocol, { signal: never });
    const channels = [];
    for (let count = 0; count < limits.modelListChannelsPerPeerMax; count += 1) channels.push(await open());
    await expect(open()).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    for (const channel of channels) await channel.close('ABORTED');
  });
});
