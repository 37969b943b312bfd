import { PeerAiError, type PeerId, type Runtime, type Tensor } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { answerTokens } from './answer.ts';
import { createCacheRoom, openDecoding } from './decoding.ts';
import { runStages } from './pipeline.ts';
import { splitModel, type Stage, stageWeights } from './plan.ts';
import { openRemoteStage } from './remote.ts';
import { stageDecoder } from './stage-decoder.ts';
import { cachesOf, type LanguageStage } from './step-graph.ts';
import { openStage, type StageRunner } from './stage.ts';
import { languageModel, placeHere } from './testing/models.ts';
import { answering, driver, peerOf, runtime, weights, world } from './testing/world.ts';

const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });
const { length } = answering.batch;
const prompt = [3, 1, 4, 1, 5];
const tokensMax = 9;
const places = ['a', 'b', 'c'];

/** The whole model, which computes all tokens again for the scores after the last one. */
async function wholeModel() {
  const here = await placeHere(runtime, answering, { count: 1, weights, mode: 'answer' });
  return {
    async scores(tokens: readonly number[]): Promise<readonly number[]> {
      const row = new BigInt64Array(length);
      row.set(tokens.map(BigInt));
      const batch = {
        tokens: { type: 'int64', shape: [1, length], data: row },
        segments: { type: 'int64', shape: [1, length], data: new BigInt64Array(length) },
        positions: { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(tokens.length - 1)) },
      } as const;
      return Array.from((await runStages(here.placed, batch, signal)).data, Number);
    },
    [Symbol.asyncDispose]: () => here[Symbol.asyncDispose](),
  };
}
const largest = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));
const tokenRows = (...tokens: number[]): Tensor => ({
  type: 'int64',
  shape: [tokens.length],
  data: BigInt64Array.from(tokens, BigInt),
});

/** The greedy answer of the whole model, and its scores after each token, without caches. */
const reference = (async () => {
  await using model = await wholeModel();
  const tokens = [...prompt];
  const scores: (readonly number[])[] = [];
  for (let count = 1; count < prompt.length; count += 1) scores.push(await model.scores(tokens.slice(0, count)));
  while (tokens.length < prompt.length + tokensMax) {
    scores.push(await model.scores(tokens));
    tokens.push(largest(need(scores.at(-1))));
  }
  return { tokens, scores, answer: tokens.slice(prompt.length) };
})();
const whole = reference.then(({ answer }) => answer);

describe('an answer over stages that keep keys and values', () => {
  it('has the tokens of the whole model, and its scores within 1e-4, however it is cut and however its question comes', async () => {
    const expected = await whole;
    expect(new Set(expected).size).toBeGreaterThan(3);
    const { tokens, scores } = await reference;
    for (const count of [1, 3]) {
      await using here = await placeHere(runtime, answering, { count, weights, mode: 'decode' });
      expect(await Array.fromAsync(answerTokens(here.placed, { prompt, tokensMax, signal }))).toEqual(expected);
      const session = await stageDecoder(here.placed).open(signal);
      for (const [place, token] of tokens.slice(0, -1).entries()) {
        const made = await session.step(token, place % 3 !== 1);
        made?.forEach((score, index) => expect(score).toBeCloseTo(scores[place]?.[index] ?? NaN, 4));
      }
      await session.close();
    }
  });

  it('sends the state of new tokens only, and is the same where several answers take turns', async () => {
    const expected = await whole;
    const { place } = world(answering, 3, places);
    const placed = await place(({ index }) => [need(places[index])]);
    const counts: number[][] = [];
    const seen = placed.map(({ stage, runner }) => ({
      stage,
      runner: {
        ...runner,
        begin() {
          const answer = runner.begin();
          return {
            ...answer,
            extend(past: number, rows: Tensor, until: AbortSignal) {
              (counts[stage.index] ??= []).push(rows.shape[0] ?? 0);
              return answer.extend(past, rows, until);
            },
            [Symbol.dispose]: () => answer[Symbol.dispose](),
          };
        },
      },
    }));
    const others = [
      [7, 7],
      [2, 9, 2, 9],
    ];
    const alone = [];
    for (const other of others)
      alone.push(await Array.fromAsync(answerTokens(placed, { prompt: other, tokensMax, signal })));
    const [first, ...rest] = await Promise.all([
      Array.fromAsync(answerTokens(seen, { prompt, tokensMax, signal })),
      ...others.map((other) => Array.fromAsync(answerTokens(placed, { prompt: other, tokensMax, signal }))),
    ]);
    expect(first).toEqual(expected);
    expect(rest).toEqual(alone);
    const each = [prompt.length, ...Array.from({ length: tokensMax - 1 }, () => 1)];
    expect(counts).toEqual([each, each, each]);
  });

  it('with activations in eight bits keeps its scores near', async () => {
    const { place } = world(answering, 2, places);
    const placed = await place(() => ['a'], { activations: 'int8' });
    const session = await stageDecoder(placed).open(signal);
    for (const token of prompt.slice(0, -1)) await session.step(token, false);
    const made = Array.from(need(await session.step(need(prompt.at(-1)), true)));
    const exact = need((await reference).scores[prompt.length - 1]);
    expect(made).not.toEqual(exact);
    const [dot, left, right] = [
      [made, exact],
      [made, made],
      [exact, exact],
    ].map(([a, b]) => need(a).reduce((sum, value, index) => sum + value * need(b?.[index]), 0)) as [
      number,
      number,
      number,
    ];
    expect(dot / Math.sqrt(left * right)).toBeGreaterThan(0.999);
  });
});

describe('a peer that dies in the middle of an answer', () => {
  it('is replaced whichever stage it had: the next one is told all rows again, and no token changes', async () => {
    const expected = await whole;
    const { place, networks } = world(answering, 3, [...places, 'spare']);
    const lost: unknown[] = [];
    const placed = await place(({ index }) => [need(places[index]), 'spare'], {
      onLost: (peer) => lost.push(peer),
    });
    const tokens: number[] = [];
    for await (const token of answerTokens(placed, { prompt, tokensMax, signal })) {
      tokens.push(token);
      const dies = places[tokens.length / 2 - 1];
      if (dies !== undefined) networks.kill(peerOf(dies));
    }
    expect(tokens).toEqual(expected);
    expect(lost).toEqual(places);
  });

  it('is left once by all answers that were there, and they all go on', async () => {
    const expected = await whole;
    const { place, networks } = world(answering, 1, ['a', 'b', 'c']);
    const [lost, opened]: [PeerId[], PeerId[]] = [[], []];
    const placed = await place(() => ['a', 'b', 'c'], {
      onLost: (peer) => void lost.push(peer),
      onOpened: (peer) => void opened.push(peer),
    });
    const answers = Array.from({ length: 3 }, () => answerTokens(placed, { prompt, tokensMax, signal }));
    const begun = await Promise.all(answers.map((answer) => answer.next()));
    networks.kill(peerOf('a'));
    const rest = await Promise.all(answers.map((answer) => Array.fromAsync(answer)));
    rest.forEach((tokens, index) => expect([begun[index]?.value, ...tokens]).toEqual(expected));
    expect([lost, opened]).toEqual([['a'], ['a', 'b']]);
  });

  it('ends the answer when nobody is left, and the error names the stage', async () => {
    const { place, networks } = world(answering, 2, ['a', 'b']);
    const placed = await place(({ index }) => [need(places[index])]);
    const answer = answerTokens(placed, { prompt, tokensMax, signal });
    await answer.next();
    networks.kill(peerOf('b'));
    const error = await answer.next().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STAGE_LOST', details: { index: 1, reasons: { b: 'CHANNEL_CLOSED' } } });
  });
});

describe('an answer that nobody wants any more', () => {
  it('leaves the stage and the other answers where they are', async () => {
    const expected = await whole;
    const { place } = world(answering, 2, places);
    const lost: unknown[] = [];
    const placed = await place(({ index }) => [need(places[index])], { onLost: (peer) => lost.push(peer) });
    const other = answerTokens(placed, { prompt, tokensMax, signal });
    const begun = await other.next();
    for (let round = 0; round < limits.stageAnswersMax + 1; round += 1) {
      const stopped = new AbortController();
      const answer = answerTokens(placed, { prompt: [7], tokensMax, signal: stopped.signal });
      await answer.next();
      const token = answer.next();
      stopped.abort(new PeerAiError('ABORTED', 'enough'));
      await expect(token).rejects.toThrow(code('ABORTED'));
    }
    expect([begun.value, ...(await Array.fromAsync(other))]).toEqual(expected);
    expect(lost).toEqual([]);
  });

  it('gives its cache back when it ends, is left, or its driver goes', async () => {
    const held = new Set<number>();
    const counting: Runtime = {
      async load(graph, options) {
        const program = await runtime.load(graph, options);
        const names = Object.values(options.carry ?? {});
        return {
          ...program,
          run: (feeds, until) => program.run(feeds, until),
          read: (name) => program.read(name),
          async write(name, value) {
            if (name === names[0]) held.add(value.data.length);
            await program.write(name, value);
          },
          [Symbol.asyncDispose]: async () => {
            held.add(-1);
            await program[Symbol.asyncDispose]();
          },
        };
      },
    };
    const { place, networks } = world(answering, 1, ['a'], { runtime: counting });
    const placed = await place(() => ['a']);
    const answer = answerTokens(placed, { prompt, tokensMax, signal });
    await answer.next();
    held.clear();
    await answer.return();
    // Nothing else is asked: what was inside is emptied without another question.
    while (!held.has(0)) await settle();
    networks.kill(peerOf('driver'));
    while (!held.has(-1)) await settle();
  });
});

describe('what stages keep is bounded', () => {
  const stage = need(splitModel(answering, 2)[0]) as LanguageStage;
  const open = (bytesMax = Infinity) =>
    openDecoding(
      { runtime, room: createCacheRoom(bytesMax) },
      { stage, weights: stageWeights(stage, weights), threads: 1, signal },
    );

  it('answers of one stage, and the bytes of all', async () => {
    await using decoding = await open();
    const answers = Array.from({ length: limits.stageAnswersMax + 1 }, () => decoding.begin());
    for (const answer of answers.slice(0, -1)) await answer.extend(0, tokenRows(1), signal);
    const last = need(answers.at(-1));
    await expect(last.extend(0, tokenRows(1), signal)).rejects.toThrow(code('LIMIT_REACHED'));
    need(answers[3])[Symbol.dispose]();
    expect((await last.extend(0, tokenRows(1), signal)).shape).toEqual([1, 16]);

    // Two layers, keys and values, sixteen places of sixteen numbers of four bytes.
    const each = cachesOf(stage).length * 16 * 16 * 4;
    for (const [bytesMax, fits] of [
      [2 * each, 2],
      [2 * each - 1, 1],
    ] as const) {
      await using small = await open(bytesMax);
      const some = Array.from({ length: fits + 1 }, () => small.begin());
      for (const answer of some.slice(0, fits)) await answer.extend(0, tokenRows(1), signal);
      await expect(need(some[fits]).extend(0, tokenRows(1), signal)).rejects.toThrow(code('LIMIT_REACHED'));
    }
  });

  it('tokens of an answer, one more than its row', async () => {
    await using decoding = await open();
    const answer = decoding.begin();
    const row = Array.from({ length }, (_, index) => index);
    await answer.extend(0, tokenRows(...row), signal);
    await expect(answer.extend(length, tokenRows(1), signal)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await expect(answer.extend(0, tokenRows(...row, 1), signal)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await expect(answer.extend(0, tokenRows(), signal)).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  it('a host that keeps other tokens than its driver thinks says so, and is told all of them again', async () => {
    const { deps, stages, wanted, place } = world(answering, 2, ['a']);
    await using runner = await openRemoteStage(deps, peerOf('a'), wanted(need(stages[0]), []), signal);
    const answer = runner.begin();
    await expect(answer.extend(2, tokenRows(1), signal)).rejects.toThrow(code('STAGE_CACHE_LOST'));
    await answer.extend(0, tokenRows(1, 2), signal);
    await expect(answer.extend(1, tokenRows(1), signal)).rejects.toThrow(code('STAGE_CACHE_LOST'));
    // One that has forgotten at its third token, once.
    let calls = 0;
    const open = async (): Promise<StageRunner> => {
      const real = await openStage(
        { runtime },
        { stage: need(stages[1]), weights: stageWeights(need(stages[1]), weights), mode: 'decode', signal },
      );
      return {
        ...real,
        begin() {
          const begun = real.begin();
          return {
            async extend(past, rows, until) {
              calls += 1;
              if (calls === 3) await begun.extend(0, { ...rows, shape: [1, 16] }, until);
              return await begun.extend(past, rows, until);
            },
            [Symbol.dispose]: () => begun[Symbol.dispose](),
          };
        },
      };
    };
    const placed = await place(({ index }) => [index === 0 ? 'a' : 'driver'], { own: { peer: driver, open } });
    expect(await Array.fromAsync(answerTokens(placed, { prompt, tokensMax, signal }))).toEqual(await whole);
    expect(calls).toBe(tokensMax + 1);
  });

  it('what is no language model, or was opened for something else, is refused', async () => {
    const mlp: Stage = need(splitModel({ type: 'mlp', widths: [2, 2], rows: 1 }, 1)[0]);
    const asked = { weights: new Float32Array(mlp.layout.size), signal };
    await expect(openStage({ runtime }, { stage: mlp, mode: 'decode', ...asked })).rejects.toThrow(
      code('INVALID_OPTION'),
    );
    await using batches = await openStage({ runtime }, { stage: mlp, mode: 'answer', ...asked });
    expect(() => batches.begin()).toThrow(code('INVALID_OPTION'));
    await using here = await placeHere(runtime, answering, { count: 1, weights, mode: 'decode' });
    for (const call of ['forward', 'backward', 'update'] as const)
      await expect(need(here.placed[0]).runner[call]({}, signal)).rejects.toThrow(code('INVALID_OPTION'));
    expect(() => stageDecoder([{ ...need(here.placed[0]), stage: need(splitModel(languageModel, 1)[0]) }])).toThrow(
      code('INVALID_OPTION'),
    );
  });
});

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
