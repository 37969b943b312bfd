import {
  type AnswerPart,
  type LanguageModel,
  type Network,
  nobleCrypto,
  PeerAiError,
  type PeerId,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createShareWorld,
  type ShareWorld,
  consumer,
  provider,
  reading,
  textOf,
  user,
} from '../testing/share-world.ts';
import { limits } from '../limits.ts';
import { recordingAdmission, signReceipt } from '../testing/admission.ts';
import type { ReceiptFacts } from './remote-model.ts';
import { workHash } from './work.ts';

let world: ShareWorld;
beforeEach(() => {
  world = createShareWorld();
});
afterEach(async () => {
  // Whatever happened: nothing is left behind.
  expect(await world.leftovers()).toEqual([0, 0, 0, 0, 0]);
});

/** An engine of one model, `quick`. */
const engineOf = (generate: () => AsyncGenerator<AnswerPart>): LanguageModel => ({
  specification: 1,
  card: { ...world.remote('quick').card },
  generate,
});

describe('A shared model', () => {
  it('answers, reports usage, and ends with a receipt both sides hold', async () => {
    const facts: ReceiptFacts[] = [];
    const parts = await Array.fromAsync(
      world.ask('echo', 'hello there', {
        onReceipt: async (half, known) => {
          facts.push(known);
          return signReceipt(half);
        },
      }),
    );
    expect(textOf(parts)).toBe('echo: hello there');
    const [booked] = world.admission.booked;
    const { requestId } = booked?.claim ?? { requestId: '' };
    expect(parts.at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
      usage: { promptTokens: 2, answerTokens: 3 },
      servedBy: { peer: provider, path: 'direct', receipt: utf8(`signed:${requestId}`) },
    });
    await settle();
    expect(world.admission.countersigned).toEqual([requestId]);
    expect(world.admission.claims).toMatchObject([{ peer: consumer, resource: 'model:echo', requestId }]);
    const hash = workHash(nobleCrypto, user('hello there'), [utf8('echo: hello there')]);
    expect(toHex(booked?.workHash ?? new Uint8Array())).toBe(toHex(hash));
    expect(facts).toMatchObject([{ model: 'echo', requestId, usage: { promptTokens: 2, answerTokens: 3 } }]);
    expect(toHex(facts[0]?.workHash ?? new Uint8Array())).toBe(toHex(hash));
  });

  it('passes the grant on, and a long answer whole and in order', async () => {
    const parts = reading(world.ask('lorem-200', 'x', { grant: () => utf8('proof') }));
    await world.clock.until(parts.done);
    expect(textOf(parts.parts).split(' ')).toHaveLength(200);
    expect(world.admission.claims[0]?.grant).toEqual(utf8('proof'));
  });

  it.each([
    ['TOO_MANY', () => Promise.reject(new PeerAiError('TOO_MANY', 'one at a time'))],
    ['BUDGET_SPENT', async () => 3],
  ])('is refused with %s when admission says so', async (code, judge) => {
    const verdict = await judge().catch((error: unknown) => error);
    world.restart(
      {},
      [],
      recordingAdmission(() => {
        if (typeof verdict === 'number') return verdict;
        throw verdict;
      }),
    );
    await expect(Array.fromAsync(world.ask('echo'))).rejects.toMatchObject({ code });
    expect(world.admission.booked).toEqual([]);
  });

  it('is asked of the engine while its reservation is written; nothing of it shows before that is on disk', async () => {
    const disk = Promise.withResolvers<void>();
    const admission = recordingAdmission();
    const reserve = admission.reserve.bind(admission);
    admission.reserve = async (claim) => ({ ...(await reserve(claim)), durable: disk.promise });
    let asked = 0;
    const engine = engineOf(async function* () {
      asked += 1;
      yield { type: 'text-delta', text: 'early' };
      yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, answerTokens: 1 } };
    });
    world.restart({}, [engine], admission);
    const parts = reading(world.ask('quick'));
    await settle();
    expect([asked, admission.claims[0]?.early, textOf(parts.parts)]).toEqual([1, true, '']);
    disk.resolve();
    expect(await parts.done).toBeUndefined();
    expect(textOf(parts.parts)).toBe('early');
  });

  it('is stopped in the engine when its reservation did not get to the disk; nothing of it was shown or booked', async () => {
    const disk = Promise.withResolvers<void>();
    const admission = recordingAdmission();
    const reserve = admission.reserve.bind(admission);
    admission.reserve = async (claim) => ({ ...(await reserve(claim)), durable: disk.promise });
    let left = false;
    const engine = engineOf(async function* () {
      try {
        yield { type: 'text-delta', text: 'never seen' };
      } finally {
        left = true;
      }
    });
    world.restart({}, [engine], admission);
    const parts = reading(world.ask('quick'));
    await settle();
    disk.reject(new PeerAiError('STORE_FULL', 'the disk is full'));
    expect(await parts.done).toMatchObject({ code: 'STORE_FULL' });
    expect([left, parts.parts.length, admission.booked.length, world.shared.running]).toEqual([true, 0, 0, 0]);
  });

  it('opens its channel while the asker writes down what it asks; the question leaves after that, or not at all', async () => {
    const disk = Promise.withResolvers<void>();
    let opened = 0;
    const network: Pick<Network, 'open'> = {
      open: (...args) => {
        opened += 1;
        return world.here.open(...args);
      },
    };
    const ask = () =>
      world
        .remote('echo', { onAsk: () => disk.promise }, network as Network)
        .generate(user('hi'), { maxTokens: 9 }, world.stopping.signal);
    const parts = reading(ask());
    await settle();
    expect([opened, world.admission.claims.length]).toEqual([1, 0]);
    disk.reject(new PeerAiError('STORE_FULL', 'the disk is full'));
    expect(await parts.done).toMatchObject({ code: 'STORE_FULL' });
    expect(world.admission.claims).toEqual([]);
  });

  it('gets no more answer than the reservation pays for', async () => {
    // Prompt estimate: 4 for the template and 1 word.
    world.restart(
      {},
      [],
      recordingAdmission(() => 4 + 1 + 2),
    );
    const parts = await Array.fromAsync(world.ask('lorem-100', 'x'));
    expect(parts.at(-1)).toMatchObject({ reason: 'length', usage: { answerTokens: 2 } });
  });

  it('refuses unknown models, and says nothing of an engine that fails but its code; that answer costs nothing', async () => {
    await expect(Array.fromAsync(world.ask('mistral'))).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    const failed = reading(world.ask('fail'));
    expect(await failed.done).toMatchObject({ code: 'ENGINE_FAILED', message: 'the engine of this model broke off' });
    expect(textOf(failed.parts)).toBe('lorem ipsum dolor');
    expect(world.admission.booked).toEqual([]);
  });

  it('says INTERNAL and nothing else when the engine breaks in an unknown way', async () => {
    const card = { ...world.remote('broken').card };
    const broken: LanguageModel = {
      specification: 1,
      card,
      // oxlint-disable-next-line require-yield -- it fails before
      async *generate() {
        throw new Error('secret /home/me');
      },
    };
    world.restart({}, [broken]);
    await expect(Array.fromAsync(world.ask('broken'))).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'the other side failed',
    });
  });

  it('tells the consumer what leaves before it leaves, once however often it is sent, and not for one that has gone', async () => {
    const asked: object[] = [];
    const onAsk = async (facts: object): Promise<void> => {
      expect(world.admission.claims).toHaveLength(0);
      asked.push(facts);
    };
    const parts = reading(world.ask('echo-slow', 'a b', { onAsk }));
    await world.clock.advance(20);
    world.networks.cut(consumer, provider);
    world.networks.heal(consumer, provider);
    await world.clock.until(parts.done);
    const { requestId } = world.admission.claims[0] ?? {};
    expect(asked).toEqual([{ requestId, model: 'echo-slow', prompt: user('a b'), maxTokens: 200 }]);
    const full = new PeerAiError('STORE_FULL', 'no room');
    const refused = Array.fromAsync(world.ask('echo', 'x', { onAsk: () => Promise.reject(full) }));
    await expect(refused).rejects.toBe(full);
    world.stopping.abort();
    await expect(Array.fromAsync(world.ask('echo', 'x', { onAsk }))).rejects.toMatchObject({ code: 'ABORTED' });
    expect([asked.length, world.admission.claims.length]).toEqual([1, 1]);
  });

  it('gives the answer also to a consumer that does not sign, without a receipt', async () => {
    const parts = reading(
      world.ask('echo', 'x', { onReceipt: () => Promise.reject(new PeerAiError('RECEIPT_WRONG', 'no')) }),
    );
    await world.clock.until(parts.done);
    expect(parts.parts.at(-1)).toMatchObject({ servedBy: { peer: provider } });
    expect(parts.parts.at(-1)).not.toHaveProperty('servedBy.receipt');
    expect(world.admission.countersigned).toEqual([]);
  });

  it('keeps pairs of surrogates together that an engine cuts, and passes tool calls', async () => {
    const call = { type: 'tool-call', id: '1', name: 'look', argumentsText: '{"q":"é"}' } as const;
    const odd: LanguageModel = {
      specification: 1,
      card: world.remote('odd').card,
      async *generate() {
        yield { type: 'text-delta', text: 'a\uD83D' };
        yield { type: 'text-delta', text: '\uDE00b' };
        yield call;
        yield {
          type: 'finish',
          reason: 'tool-calls',
          usage: { promptTokens: 1, answerTokens: 2 },
          suggestions: ['And now?'],
        };
      },
    };
    world.restart({}, [odd]);
    const parts = await Array.fromAsync(world.ask('odd'));
    expect(textOf(parts)).toBe('a😀b');
    expect(parts.slice(-2)).toMatchObject([call, { reason: 'tool-calls', suggestions: ['And now?'] }]);
    expect(parts.at(-1)).toHaveProperty('servedBy.receipt');
  });
});

describe('A client that leaves', () => {
  it('frees the engine at once when it aborts, and signs for what was made', async () => {
    const parts = reading(world.ask('echo-slow', 'a b c d e f'));
    await world.clock.advance(120);
    expect(world.shared.running).toBe(1);
    world.stopping.abort();
    await settle();
    expect(await parts.done).toMatchObject({ code: 'ABORTED' });
    expect([world.shared.running, world.admission.open]).toEqual([0, 0]);
    expect(world.admission.booked).toMatchObject([{ usage: { answerTokens: 2, estimated: true } }]);
    await settle();
    expect(world.admission.countersigned).toHaveLength(1);
  });

  it('frees the engine when it leaves the loop early, and pays nothing before the first token', async () => {
    for await (const part of world.ask('lorem-100')) if (part.type === 'text-delta') break;
    await settle();
    expect(world.shared.running).toBe(0);
    reading(world.ask('echo-slow'));
    await world.clock.advance(10);
    const bookedBefore = world.admission.booked.length;
    world.stopping.abort();
    await settle();
    expect([world.shared.running, world.admission.open, world.admission.booked.length]).toEqual([0, 0, bookedBefore]);
  });

  it('is waited for a moment when its link is lost: freed within 1 s, not at once', async () => {
    reading(world.ask('echo-slow', 'a b c d e f g h i j k l m n o p q r s t u v w x y z'));
    await world.clock.advance(120);
    world.networks.cut(consumer, provider);
    await world.clock.advance(limits.resumeGraceMs - 1);
    expect(world.shared.running).toBe(1);
    await world.clock.advance(2);
    expect([world.shared.running, world.admission.open]).toEqual([0, 0]);
    expect(limits.resumeGraceMs).toBeLessThan(500);
  });

  it('leaves no slot, reservation or place taken, 500 times', async () => {
    world.restart({ concurrency: 2, queueLengthMax: 600 });
    const peers = Array.from({ length: 500 }, (_, index) => `guest-${index}` as PeerId);
    const clients = peers.map((peer) =>
      reading(
        world
          .remote('echo-slow', {}, world.networks.join(peer))
          .generate(user('a b c'), { maxTokens: 9 }, world.stopping.signal),
      ),
    );
    await world.clock.advance(60);
    expect([world.shared.running, world.shared.waiting, world.admission.open]).toEqual([2, 498, 500]);
    for (const peer of peers) world.networks.kill(peer);
    await world.clock.advance(1_000);
    expect([world.shared.running, world.shared.waiting, world.admission.open]).toEqual([0, 0, 0]);
    await world.clock.until(Promise.all(clients.map(({ done }) => done)));
  });

  it('is stopped when its right is taken away, and told which', async () => {
    const parts = reading(world.ask('echo-slow', 'a b c d e f'));
    await world.clock.advance(120);
    world.admission.revoke(new PeerAiError('TICKET_REVOKED', 'the owner stopped this link'));
    await settle();
    expect(world.shared.running).toBe(0);
    expect(await parts.done).toMatchObject({ code: 'TICKET_REVOKED' });
    expect(textOf(parts.parts)).toBe('echo: a');
    expect(world.admission.booked).toHaveLength(1);
  });
});

describe('A lost link', () => {
  const long = 'a b c d e f g h i j k l m n o';
  it('is mended: the answer goes on where it broke, and is charged once', async () => {
    const parts = reading(world.ask('echo-slow', long));
    await world.clock.advance(170);
    world.networks.cut(consumer, provider);
    world.networks.heal(consumer, provider);
    await world.clock.until(parts.done);
    expect(await parts.done).toBeUndefined();
    expect(textOf(parts.parts)).toBe(`echo: ${long}`);
    expect([world.admission.claims.length, world.admission.booked.length]).toEqual([1, 1]);
    await settle();
    expect(world.admission.countersigned).toHaveLength(1);
  });

  it('is mended as often as it breaks, as long as something came in between', async () => {
    const longer = Array.from({ length: 40 }, (_, index) => `w${index}`).join(' ');
    const parts = reading(world.ask('echo-slow', longer));
    for (let breaks = 0; breaks < limits.resumeTriesMax + 2; breaks += 1) {
      const had = parts.parts.length;
      for (let waits = 0; waits < 100 && parts.parts.length === had; waits += 1) await world.clock.advance(10);
      world.networks.cut(consumer, provider);
      world.networks.heal(consumer, provider);
    }
    await world.clock.until(parts.done);
    expect([await parts.done, textOf(parts.parts)]).toEqual([undefined, `echo: ${longer}`]);
    expect(world.admission.booked).toHaveLength(1);
  });

  it('before the first token sends the request again under its id, and the first one is found', async () => {
    const parts = reading(world.ask('echo-slow', long));
    await world.clock.advance(20);
    world.networks.cut(consumer, provider);
    world.networks.heal(consumer, provider);
    await world.clock.until(parts.done);
    expect(textOf(parts.parts)).toBe(`echo: ${long}`);
    expect([world.admission.claims.length, world.admission.booked.length]).toEqual([1, 1]);
  });

  it('that stays cut too long gives the rest that was made, then ANSWER_INTERRUPTED', async () => {
    const parts = reading(world.ask('echo-slow', long));
    await world.clock.advance(170);
    world.networks.cut(consumer, provider);
    await world.clock.advance(900);
    world.networks.heal(consumer, provider);
    await world.clock.until(parts.done);
    expect(await parts.done).toMatchObject({ code: 'ANSWER_INTERRUPTED' });
    expect(`echo: ${long}`.startsWith(textOf(parts.parts))).toBe(true);
    expect(textOf(parts.parts).length).toBeGreaterThan('echo: a b'.length);
    expect([world.admission.claims.length, world.admission.booked.length]).toEqual([1, 1]);
  });

  it('whose provider is gone ends with PEER_LOST; what came stays', async () => {
    const parts = reading(world.ask('echo-slow', long));
    await world.clock.advance(170);
    world.networks.kill(provider);
    await world.clock.until(parts.done);
    expect(await parts.done).toMatchObject({ code: 'PEER_LOST' });
    expect(textOf(parts.parts)).toBe('echo: a b');
  });

  it('to a provider that has restarted ends with RESUME_GONE', async () => {
    const parts = reading(world.ask('echo-slow', long));
    await world.clock.advance(170);
    world.networks.kill(provider);
    world.there = world.networks.join(provider);
    world.restart({});
    await world.clock.until(parts.done);
    expect(await parts.done).toMatchObject({ code: 'RESUME_GONE' });
  });

  it('without an answer ever throws PEER_UNREACHABLE at once', async () => {
    world.networks.cut(consumer, provider);
    await expect(Array.fromAsync(world.ask('echo'))).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });
});
