import {
  type Admission,
  type AnswerPart,
  concatBytes,
  createIdentity,
  type LanguageModel,
  type ModelIdentity,
  nobleCrypto,
  PeerAiError,
  type Prompt,
  utf8,
} from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, mutated, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { remoteModel } from '../share/remote-model.ts';
import { serveModels } from '../share/serve-models.ts';
import { recordingAdmission } from '../testing/admission.ts';
import { consumer, provider, textOf, user } from '../testing/share-world.ts';
import {
  type AnswerFile,
  attestAnswers,
  checkAnswer,
  decodeAnswerFile,
  encodeAnswerFile,
  openStatement,
} from './index.ts';
import { proofLimits } from './limits.ts';
import { signStatement } from './statement.ts';

const random = seededRandom(4);
const signer = createIdentity(crypto, random.bytes(32));
const sha = (text: string): Uint8Array => crypto.sha256(utf8(text));
const own: ModelIdentity = { weights: sha('weights'), engine: 'test', version: '1 loops' };
const never = new AbortController().signal;
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Repeats the question's words, as many as it may, and no word that it is to stop at. */
function words(change: (word: string) => string = (word) => word, more: Partial<LanguageModel> = {}): LanguageModel {
  return {
    specification: 1,
    card: {
      name: 'words',
      engine: 'test',
      contextTokensMax: 100,
      memoryBytes: 0,
      loaded: true,
      deterministic: true,
      fits: true,
    },
    // oxlint-disable-next-line typescript/require-await -- as the port has it
    async *generate({ messages }, { maxTokens, stop = [] }) {
      const all = (messages.at(-1)?.text ?? '').split(' ').filter((word) => !stop.includes(word));
      const given = all.slice(0, maxTokens);
      for (const word of given) yield { type: 'text-delta', text: `${change(word)} ` };
      const usage = { promptTokens: all.length, answerTokens: given.length };
      yield { type: 'finish', reason: given.length < all.length ? 'length' : 'stop', usage };
    },
    identify: () => Promise.resolve(own),
    ...more,
  };
}
const honest = words();
const mute: LanguageModel = {
  specification: 1,
  card: honest.card,
  generate: (prompt, sampling, signal) => honest.generate(prompt, sampling, signal),
};
const liar = words((word) => (word === 'Paris' ? 'London' : word));

/** What a consumer holds after asking a provider that serves this model, over a network. */
async function asked(
  model: LanguageModel,
  text = 'Paris is a city',
  admission: Admission = recordingAdmission(),
  temperature = 0,
) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random });
  const shared = serveModels({
    network: networks.join(provider),
    admission,
    clock,
    crypto,
    logger: silentLogger,
    models: () => [model],
    attest: attestAnswers(deps),
  });
  const prompt = user(text);
  const remote = remoteModel(
    { network: networks.join(consumer), clock, random, crypto: nobleCrypto },
    { peer: provider, card: model.card },
  );
  const parts: AnswerPart[] = [];
  for await (const part of remote.generate(prompt, { maxTokens: 3, temperature, stop: ['a'] }, never)) parts.push(part);
  shared[Symbol.dispose]();
  const finish = parts.at(-1);
  const statement = finish?.type === 'finish' ? finish.servedBy?.statement : undefined;
  return { statement, file: { statement: statement ?? new Uint8Array(), prompt, answer: utf8(textOf(parts)) } };
}
const deps = { identity: signer, crypto, clock: { nowMs: () => 1_700 } };

describe('an answer of a deterministic model', () => {
  it('carries what its provider signed, and a third peer that asks again gets the same', async () => {
    const { file } = await asked(honest);
    const read = decodeAnswerFile(encodeAnswerFile(file));
    const { statement, verdict, answer } = await checkAnswer(crypto, read, [mute, honest], never);
    expect(verdict).toBe('equal');
    expect(answer).toEqual(file.answer);
    expect(statement).toMatchObject({
      provider: signer.peer,
      model: 'words',
      identity: own,
      reason: 'stop',
      statedMs: 1_700,
    });
    expect(statement.sampling).toEqual({ maxTokens: 3, temperature: 0, stop: ['a'] });
  });

  it('that is another one than the model gives is found by a third peer, with the liar’s signature under it', async () => {
    const { file } = await asked(liar);
    const checked = await checkAnswer(crypto, decodeAnswerFile(encodeAnswerFile(file)), [honest], never);
    expect(checked).toMatchObject({ verdict: 'different', statement: { provider: signer.peer } });
    expect(new TextDecoder().decode(checked.answer)).toBe('Paris is city ');
    expect(new TextDecoder().decode(file.answer)).toBe('London is city ');
  });

  it('that was cut short, and said to be whole, is found too', async () => {
    const text = 'one two three four';
    const { file } = await asked(honest, text);
    const { statement } = await checkAnswer(crypto, file, [honest], never);
    const forged = signStatement(signer, { ...statement, reason: 'stop' });
    expect((await checkAnswer(crypto, { ...file, statement: forged }, [honest], never)).verdict).toBe('different');
    expect(statement.reason).toBe('length');
  });

  it('is stated with the tokens that a grant allowed, not with those that were asked for', async () => {
    const admission = recordingAdmission();
    const reserve: Admission['reserve'] = async (claim) => ({
      ...(await admission.reserve(claim)),
      units: claim.units - 1,
    });
    const { statement, file } = await asked(honest, 'one two three', { ...admission, reserve });
    expect(openStatement(crypto, statement ?? new Uint8Array()).sampling.maxTokens).toBe(2);
    expect((await checkAnswer(crypto, file, [honest], never)).verdict).toBe('equal');
  });
});

describe('an answer that parts from the model here', () => {
  /** As sure of each word and of its end as is said. */
  const sure = (margin: number | undefined): LanguageModel =>
    words(undefined, {
      async *generate(prompt, sampling, signal) {
        const told = margin === undefined ? {} : { margin };
        for await (const part of honest.generate(prompt, sampling, signal)) yield { ...part, ...told };
      },
    });
  const near = proofLimits.answerMarginMin;

  it.each([
    ['where it was as near to another choice', near * 0.999, 'cannot-tell'],
    ['where it was as sure as is asked for', near, 'different'],
    ['where it does not say how sure it was', undefined, 'different'],
  ])('is judged %s', async (_, margin, verdict) => {
    const { file } = await asked(liar);
    expect(await checkAnswer(crypto, file, [sure(margin)], never)).toMatchObject({ verdict });
    const honestly = await asked(honest);
    expect(await checkAnswer(crypto, honestly.file, [sure(margin)], never)).toMatchObject({ verdict: 'equal' });
    const text = 'one two three four';
    const { statement, file: cut } = await asked(honest, text);
    const ended = signStatement(signer, { ...openStatement(crypto, statement ?? new Uint8Array()), reason: 'stop' });
    expect(await checkAnswer(crypto, { ...cut, statement: ended }, [sure(margin)], never)).toMatchObject({ verdict });
  });

  it('is judged by the first word in which they part, however near the others are', async () => {
    const { file } = await asked(liar);
    const margins = [9, near / 2, near / 2, near / 2];
    const model = words(undefined, {
      async *generate(prompt, sampling, signal) {
        let place = 0;
        for await (const part of honest.generate(prompt, sampling, signal))
          yield { ...part, margin: margins[place++] ?? 0 };
      },
    });
    expect(await checkAnswer(crypto, file, [model], never)).toMatchObject({ verdict: 'different', margin: 9 });
  });
});

it('a draw that was given no seed is stated with the one it got, so that it can be asked again', async () => {
  const seeds: (number | undefined)[] = [];
  const drawing = words(undefined, {
    async *generate(prompt, sampling, signal) {
      seeds.push(sampling.seed);
      yield { type: 'text-delta', text: `${sampling.seed}` };
      for await (const part of honest.generate(prompt, sampling, signal)) if (part.type === 'finish') yield part;
    },
  });
  const { file } = await asked(drawing, 'Paris', recordingAdmission(), 0.7);
  expect(seeds[0]).toBeTypeOf('number');
  expect((await checkAnswer(crypto, file, [drawing], never)).verdict).toBe('equal');
  expect(seeds[1]).toBe(seeds[0]);
  await asked(drawing);
  expect(seeds[2]).toBe(undefined);
});

describe('a text that the provider puts before questions', () => {
  const text = 'Answer as a pirate.';
  const facts = (prompt: Prompt) => ({
    requestId: 'r',
    prompt,
    sampling: { maxTokens: 3 },
    answer: [utf8('Answer as a ')],
    reason: 'length' as const,
  });
  /** Gives the words of the first message, so that what stands there can be told. */
  const first = words(undefined, {
    generate: ({ messages }, ...rest) => honest.generate({ messages: messages.slice(0, 1) }, ...rest),
  });
  const kept = async (prompt: Prompt): Promise<AnswerFile> => {
    const statement = await attestAnswers({ ...deps, systemText: text })(first, facts(prompt), never);
    return { statement: statement ?? new Uint8Array(), prompt, answer: utf8('Answer as a ') };
  };

  it('is stated by its hash, and whoever has it asks with it again', async () => {
    const file = await kept(user('hello'));
    expect(openStatement(crypto, file.statement).system).toEqual(sha(text));
    expect(new TextDecoder('latin1').decode(encodeAnswerFile(file))).not.toContain('pirate.');
    const brought = decodeAnswerFile(encodeAnswerFile({ ...file, system: text }));
    expect(await checkAnswer(crypto, brought, [first], never)).toMatchObject({ verdict: 'equal' });
    expect(await checkAnswer(crypto, file, [first], never, ['another', text])).toMatchObject({ verdict: 'equal' });
  });

  it('that is not there, or is another one, accuses nobody', async () => {
    const file = await kept(user('hello'));
    await expect(checkAnswer(crypto, file, [first], never)).rejects.toThrow(code('SYSTEM_TEXT_MISSING'));
    const other = { ...file, system: 'Answer as a poet.' };
    await expect(checkAnswer(crypto, other, [first], never)).rejects.toThrow('its hash is another one');
  });

  it('is not stated where the question brought one: then the provider puts none', async () => {
    const prompt: Prompt = { messages: [{ role: 'system', text: 'Answer as a' }, ...user('hello').messages] };
    const file = await kept(prompt);
    expect(openStatement(crypto, file.statement)).not.toHaveProperty('system');
  });

  it('has a hash of 32 bytes', async () => {
    const statement = openStatement(crypto, (await kept(user('hello'))).statement);
    const short = signStatement(signer, { ...statement, system: new Uint8Array(31) });
    expect(() => openStatement(crypto, short)).toThrow(code('INVALID_FORMAT'));
  });
});

describe('no statement', () => {
  it('comes with a model that is not deterministic, says not what it is, or cannot; the answer comes all the same', async () => {
    const card = { ...honest.card, deterministic: false };
    for (const model of [
      words(undefined, { card }),
      mute,
      words(undefined, { identify: () => Promise.reject(new Error('no file')) }),
    ]) {
      const { statement, file } = await asked(model);
      expect(statement).toBeUndefined();
      expect(new TextDecoder().decode(file.answer)).toBe('Paris is city ');
    }
  });
});

describe('a check', () => {
  it('says nothing about a provider when prompt or answer are not those it signed', async () => {
    const { file } = await asked(honest);
    const change = (other: Partial<AnswerFile>) => checkAnswer(crypto, { ...file, ...other }, [honest], never);
    await expect(change({ prompt: user('London is a city') })).rejects.toThrow(code('HASH_MISMATCH'));
    await expect(change({ answer: utf8('London is city ') })).rejects.toThrow(code('HASH_MISMATCH'));
    const broken = file.statement.slice();
    broken[broken.length - 3] = (broken[broken.length - 3] ?? 0) ^ 1;
    await expect(change({ statement: broken })).rejects.toThrow(code('INVALID_SIGNATURE'));
  });

  it('is not made with other weights, another engine, another version, or a model that is not deterministic', async () => {
    const { file } = await asked(honest);
    for (const other of [{ weights: sha('others') }, { engine: 'x' }, { version: '1 wasm-simd' }]) {
      const model = words(undefined, { identify: () => Promise.resolve({ ...own, ...other }) });
      await expect(checkAnswer(crypto, file, [model], never)).rejects.toThrow(code('MODEL_UNKNOWN'));
    }
    const unsteady = words(undefined, { card: { ...honest.card, deterministic: false } });
    await expect(checkAnswer(crypto, file, [unsteady], never)).rejects.toThrow(code('MODEL_UNKNOWN'));
  });

  it('takes statements and files up to their limits, and not one byte more', async () => {
    const { statement } = await checkAnswer(crypto, (await asked(honest)).file, [honest], never);
    const named = (length: number) => {
      const version = 'v'.repeat(length);
      return openStatement(crypto, signStatement(signer, { ...statement, identity: { ...own, version } }));
    };
    expect(named(limits.engineNameBytesMax).identity.version).toHaveLength(limits.engineNameBytesMax);
    expect(() => named(limits.engineNameBytesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
    const short = { ...statement, prompt: new Uint8Array(31) };
    expect(() => openStatement(crypto, signStatement(signer, short))).toThrow(code('INVALID_FORMAT'));
    expect(() => openStatement(crypto, new Uint8Array(limits.statementBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => openStatement(crypto, new Uint8Array(limits.statementBytesMax))).toThrow(code('INVALID_FORMAT'));
    const file = (length: number) =>
      decodeAnswerFile(
        encodeAnswerFile({ statement: new Uint8Array(), prompt: user('x'), answer: new Uint8Array(length) }),
      );
    expect(file(limits.answerBytesMax).answer).toHaveLength(limits.answerBytesMax);
    expect(() => file(limits.answerBytesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => decodeAnswerFile(new Uint8Array(limits.answerFileBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => decodeAnswerFile(new Uint8Array(limits.answerFileBytesMax))).toThrow(code('INVALID_FORMAT'));
  });

  it('of files and statements mutated ten thousand times gives an error with a code, or what was signed', async () => {
    const { file } = await asked(honest);
    const bytes = encodeAnswerFile(file);
    // Signatures are checked at their own place: here every one is taken, so that what is under them is read.
    const taking = { ...crypto, ed25519: { ...crypto.ed25519, verify: () => true } };
    let refused = 0;
    for (let turn = 0; turn < 20_000; turn += 1)
      try {
        if (turn % 2 === 0) decodeAnswerFile(mutated(bytes, random));
        else openStatement(taking, mutated(file.statement, random));
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
        refused += 1;
      }
    expect(refused).toBeGreaterThan(8_000);
    expect(concatBytes(decodeAnswerFile(bytes).answer)).toEqual(file.answer);
  });
});
