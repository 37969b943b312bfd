import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as under } from 'node:path';
import { fromBase64Url, fromUtf8, nobleCrypto, PeerAiError, utf8 } from '@peerai/core-protocol';
import { llmLimits } from '@peerai/llm-bridge';
import { type AnswerFile, attestAnswers, encodeAnswerFile, openStatement } from '@peerai/llm-bridge/proof';
import {
  distance,
  findLlamaCpp,
  llamaCppVariable,
  llamaScores,
  logProbabilities,
  onnxLogProbabilities,
  openLlamaCpp,
  readGguf,
} from '@peerai/nn-engine/export/testing';
import { plainDecoder } from '@peerai/nn-engine/text';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestPeer } from '../../testing/peers.ts';
import { live, textOf } from '../../testing/steps.ts';
import {
  areDone,
  begin,
  bytesOf,
  join,
  readIn,
  type TrainingTown,
  trainingTown,
  untilTrained,
  whileTimeGoes,
} from '../../testing/training-town.ts';
import type { ExportFormat } from '../own-models.schema.ts';

const location = findLlamaCpp();
const fox = 'the quick brown fox jumps over the lazy dog. '.repeat(80);
const dog = 'one lazy dog sleeps beside the old brown fence. '.repeat(80);
const hen = 'one grey hen sits under the barn door. '.repeat(80);
const [ofFox, ofHen] = ['the quick brown', ' hen sits under the barn'];
/** What either learned, and what none did. */
const text = `${ofFox}${ofHen}, zebra!`;
const bytes = [...utf8(text)];
/** GGUF has three marks before the bytes, which are to be as good as nothing. */
const marks = 3;
const marked = bytes.map((byte) => marks + byte);
/** Log-probabilities may be so far apart, nats. */
const within = 1e-3;

async function exported({ peer }: TestPeer, name: string, format: ExportFormat): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await peer.own.export(name, format, live())).content) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
/** As this peer answers: token by token, with what it keeps of those before. */
async function ours({ peer }: TestPeer, run: string): Promise<number[][]> {
  const { sizes, weights } = await peer.training.languageOf(run);
  const session = await (await plainDecoder(sizes, weights)).open();
  const all: number[][] = [];
  for (const byte of bytes) all.push(logProbabilities((await session.step(byte, true)) ?? []));
  return all;
}

/** By run: how this peer answers, and its files; both as the other peer that trained has them. */
interface Exported {
  readonly ours: number[][];
  readonly onnx: Uint8Array;
  readonly gguf: Uint8Array;
  readonly sizes: Awaited<ReturnType<TestPeer['peer']['training']['languageOf']>>['sizes'];
}
const found = new Map<string, { readonly host: Exported; readonly guest: Exported }>();
const of = (name: string, who: 'host' | 'guest' = 'host'): Exported => {
  const one = found.get(name)?.[who];
  if (one === undefined) throw new Error(`${name} was not trained`);
  return one;
};

let town: TrainingTown;
beforeAll(async () => {
  town = await trainingTown(3);
  const { world, at } = town;
  const [host, guest] = [at(0), at(1)];
  const take = async (one: TestPeer, name: string): Promise<Exported> => ({
    ours: await ours(one, name),
    onnx: await exported(one, name, 'onnx'),
    gguf: await exported(one, name, 'gguf'),
    sizes: (await one.peer.training.languageOf(name)).sizes,
  });
  const both = async (name: string) =>
    found.set(name, { host: await take(host, name), guest: await take(guest, name) });
  const dataOf = async (content: string): Promise<string> => readIn(host, content, 'text.txt');
  const model = { kind: 'language' } as const;
  await begin(world, host, { name: 'fox', model, data: await dataOf(fox), rounds: 3, localSteps: 12, membersMin: 2 });
  await join(world, guest, 'fox', dog, 'text.txt');
  await untilTrained(world.clock, () => areDone(host, guest));
  await both('fox');
  const adapter = { name: 'hen', model: { kind: 'adapter', base: 'fox', rank: 4 } as const, membersMin: 2 };
  const data = await dataOf(hen);
  // A run that is done frees its threads before the next begins.
  await untilTrained(world.clock, () =>
    begin(world, host, { ...adapter, data, rounds: 2, localSteps: 8 }).catch((error: unknown) => {
      if (PeerAiError.is(error, 'RUN_ACTIVE')) return undefined;
      throw error;
    }),
  );
  await join(world, guest, 'hen', hen, 'text.txt');
  await untilTrained(world.clock, () => areDone(host, guest));
  await both('hen');
  await untilTrained(world.clock, async () => (await host.peer.own.engine.list(live())).length === 2);
}, 120_000);

/** How much this part of the text surprises, nats a byte. */
function surprise({ ours }: Exported, part: string): number {
  const from = utf8(text.slice(0, text.indexOf(part) + 1)).length;
  const told = bytes.slice(from, from + part.length - 1).map((byte, place) => -(ours[from + place - 1]?.[byte] ?? NaN));
  return told.reduce((sum, one) => sum + one, 0) / told.length;
}

test('both peers have the same files, and what each run learned is in them', () => {
  for (const name of ['fox', 'hen']) {
    const [one, other] = [of(name), of(name, 'guest')];
    expect(Buffer.from(one.onnx).equals(other.onnx)).toBe(true);
    expect(Buffer.from(one.gguf).equals(other.gguf)).toBe(true);
  }
  const untold = Math.log(256);
  expect(surprise(of('fox'), ofFox)).toBeLessThan(untold / 2);
  expect(surprise(of('hen'), ofHen)).toBeLessThan(surprise(of('fox'), ofHen) / 2);
});

describe.each(['fox', 'hen'])('what two peers trained together, exported (%s):', { timeout: 60_000 }, (name) => {
  const check = (theirs: readonly number[][]): void => {
    const { worst, compared } = distance(theirs, of(name).ours);
    expect(compared).toBe(bytes.length * 256);
    expect(worst).toBeLessThan(within);
  };

  test('the ONNX file gives our log-probabilities in ONNX Runtime', async () => {
    check(await onnxLogProbabilities(of(name).onnx, bytes));
  });

  test('the GGUF file gives them by the rules of its architecture', () => {
    const { gguf, sizes } = of(name);
    check(llamaScores(readGguf(gguf), sizes, marked).map((scores) => logProbabilities(scores).slice(marks)));
  });

  test.skipIf(location === undefined)(`llama.cpp gives them too (needs ${llamaCppVariable})`, async () => {
    const { gguf, sizes } = of(name);
    const folder = await mkdtemp(under(tmpdir(), 'gguf-'));
    try {
      const options = { contextSize: sizes.context, exact: true };
      await using llama = await openLlamaCpp(location ?? '', folder, gguf, options);
      check((await llama.logProbabilities(marked)).map((all) => all.slice(marks)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('an answer of what peers trained together', { timeout: 60_000 }, () => {
  /** What the third device, which trained nothing, keeps of a question to the host. */
  const kept = async (name: string, more: { readonly temperature?: number } = {}): Promise<AnswerFile> => {
    const { world, at } = town;
    await at(0).peer.models.expose(name, true);
    await at(2).peer.models.learn(at(0).identity.peer, live());
    const prompt = { messages: [{ role: 'user', text: 'one grey' } as const] };
    const wish = { model: `${name}@peer-0`, messages: [...prompt.messages], maxTokens: 12, ...more };
    const events = await whileTimeGoes(world.clock, Array.fromAsync(at(2).peer.chat.ask(wish, live())));
    const finish = events.at(-1);
    if (finish?.type !== 'finish') throw new Error(JSON.stringify(finish));
    return { statement: fromBase64Url(finish.servedBy.statement ?? ''), prompt, answer: utf8(textOf(events)) };
  };
  const check = async (index: number, file: AnswerFile) => {
    const content = async function* content(): AsyncGenerator<Uint8Array> {
      yield encodeAnswerFile(file);
    };
    return whileTimeGoes(town.world.clock, town.at(index).peer.chat.check(content(), live()));
  };

  test.each<[string, { readonly temperature?: number }]>([
    ['fox', {}],
    ['hen', {}],
    ['fox', { temperature: 1 }],
  ])('is asked again by whoever has the same weights (%s %o)', async (name, more) => {
    const file = await kept(name, more);
    expect(file.answer.length).toBeGreaterThan(0);
    const provider = town.at(0).identity.peer;
    const said = { v: 1, verdict: 'equal', provider, model: name, engine: 'trained' } as const;
    expect(await check(1, file)).toEqual({ ...said, version: '1 wasm-simd', statedMs: expect.any(Number) as number });
    // Without the weights nothing is checked, and nobody accused.
    await expect(check(2, file)).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  test('that is a lie is found, with the liar’s signature under it', async () => {
    const file = await kept('fox');
    const { identity, requestId, sampling, reason } = openStatement(nobleCrypto, file.statement);
    const signer = town.at(2).identity;
    const attest = attestAnswers({ identity: signer, crypto: nobleCrypto, clock: town.world.clock });
    const [model] = await town.at(0).peer.own.engine.list(live());
    if (model === undefined) throw new Error('no model');
    const answer = utf8(fromUtf8(file.answer).replace(/.$/u, '#'));
    const facts = { requestId, prompt: file.prompt, sampling, answer: [answer], reason };
    const lie = await attest({ ...model, identify: async () => identity }, facts, live());
    const found = await check(1, { ...file, answer, statement: lie ?? new Uint8Array() });
    expect(found).toMatchObject({ verdict: 'different', provider: signer.peer, here: fromUtf8(file.answer) });
    expect(found.margin).toBeGreaterThan(0.01);
  });

  test('is no longer than a file of an answer may be', async () => {
    const long = bytesOf('x'.repeat(llmLimits.answerFileBytesMax + 1));
    await expect(town.at(1).peer.chat.check(long, live())).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const most = bytesOf('x'.repeat(llmLimits.answerFileBytesMax));
    await expect(town.at(1).peer.chat.check(most, live())).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  });
});
