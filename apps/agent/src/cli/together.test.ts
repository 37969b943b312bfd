import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIdentity, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { attestAnswers, decodeAnswerFile, encodeAnswerFile, openStatement } from '@peerai/llm-bridge/proof';
import { systemClock } from '@peerai/platform';
import { add, Graph } from '@peerai/nn-engine';
import type { BroadcastView, DocumentContents, DocumentView, ModelRunView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, ended, homes, pairUp, peerai, start, up } from '../../test/cli.ts';
import { nanoEngine } from '../host/nano-engine.ts';
import { exitCodes } from './exit-codes.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
const laptopHome = folders.make();
const laptopEnv = { PEERAI_NETWORK__NAME: 'laptop' };
beforeAll(async () => {
  [desk, laptop] = await Promise.all([
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'desk', PEERAI_LLM__ENGINES: 'nano' } }),
    up(laptopHome, { env: laptopEnv }),
  ]);
  await pairUp(desk, laptop);
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

test(
  'an answer of another peer is kept with what it signed, and asked again; a liar is found',
  { timeout: 120_000 },
  async () => {
    const file = join(laptopHome, 'nano.answer');
    const asked = await laptop.run(['run', 'nano@desk', 'who are you', '--proof', file]);
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/nano|guide/iu) as string });
    const checked = await peerai(['check-answer', file, '--json']);
    expect(JSON.parse(checked.stdout)).toMatchObject({ equal: true, provider: desk.info.peerId, model: 'nano' });

    const kept = decodeAnswerFile(readFileSync(file));
    const { identity: model } = openStatement(nodeCrypto, kept.statement);
    const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(7));
    const attest = attestAnswers({ identity, crypto: nodeCrypto, clock: { nowMs: () => 1 } });
    const [nano] = await nanoEngine(systemClock).list(AbortSignal.timeout(20_000));
    if (nano === undefined) throw new Error('no nano');
    const never = new AbortController().signal;
    const answer = [utf8('I am no guide.')];
    const facts = {
      requestId: 'r',
      prompt: kept.prompt,
      sampling: { maxTokens: 100 },
      answer,
      reason: 'stop',
    } as const;
    const statement = await attest({ ...nano, identify: () => Promise.resolve(model) }, facts, never);
    const lie = { statement: statement ?? new Uint8Array(), prompt: kept.prompt, answer: utf8('I am no guide.') };
    writeFileSync(file, encodeAnswerFile(lie));
    const found = await peerai(['check-answer', file]);
    expect(found.stderr).toContain(identity.peer);
    expect(found.stderr).toContain('gives another answer');
    expect(found.code).toBe(exitCodes.verification);

    writeFileSync(file, encodeAnswerFile({ ...lie, answer: kept.answer }));
    expect(await peerai(['check-answer', file])).toMatchObject({ code: exitCodes.verification });
    expect(await peerai(['check-answer', join(laptopHome, 'nothing')])).toMatchObject({ code: 2 });
  },
);

test('a model file of one peer is run by another, once it is offered', { timeout: 120_000 }, async () => {
  const file = join(laptopHome, 'double.onnx');
  const graph = new Graph();
  const x = graph.input('x', ['rows', 2]);
  graph.output('y', add(x, x));
  writeFileSync(file, graph.toModel());
  const infer = ['models', 'infer', 'double@desk', '--data', '{"x": [[1, 2.5]]}'];
  await desk.json(['models', 'import', file]);
  expect(await laptop.run(infer)).toMatchObject({ stderr: expect.stringContaining('MODEL_UNKNOWN') as string });
  await desk.json(['models', 'expose', 'double']);
  const { outputs } = await laptop.json<ModelRunView>(infer);
  expect(outputs).toEqual({ y: { type: 'float32', shape: [1, 2], data: [2, 5] } });
});

const read = (agent: Agent): Promise<DocumentContents> => agent.json<DocumentContents>(['state', 'get', 'notes']);
const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 30_000, interval: 250 });

test(
  'what is published reaches who listens to it, by its filter, and a broadcast says who has it',
  { timeout: 180_000 },
  async () => {
    const listening = start(['sub', 'news', '--where', 'room=kitchen and celsius>20', '--jsonl'], {
      home: laptop.home,
    });
    const publish = async (message: object): Promise<void> => {
      expect(await desk.run(['pub', 'news', '--data', JSON.stringify(message)])).toMatchObject({ code: 0 });
    };
    await eventually(async () => {
      await publish({ room: 'bath', celsius: 30 });
      await publish({ room: 'kitchen', celsius: 21 });
      expect(listening.told.stdout).toContain('"celsius":21');
    });
    listening.kill('SIGINT');
    await ended(listening);
    expect(listening.told.stdout).not.toContain('bath');
    expect(await laptop.run(['sub', 'news', '--where', 'a or b'])).toMatchObject({ code: 2 });

    // A busy machine may take longer than a broadcast waits; then it says "queued".
    await eventually(async () => {
      const { deliveries } = await desk.json<BroadcastView>(['send', 'all', 'hello all']);
      expect(deliveries).toMatchObject([{ name: 'laptop', state: 'delivered', path: 'link' }]);
    });
    await eventually(async () => {
      const { code, stdout } = await desk.run(['send', 'laptop,nobody', 'hello']);
      expect({ code, stdout }).toEqual({ code: 5, stdout: 'laptop  delivered\nnobody  refused (DEVICE_UNKNOWN)\n' });
    });
  },
);

test('two agents write one document, also while one of them was down', { timeout: 180_000 }, async () => {
  expect((await desk.run(['state'])).stdout).toMatch(/^None yet/u);
  expect(await laptop.run(['state', 'get', 'notes'])).toMatchObject({ code: 1 });
  expect((await desk.run(['state', 'create', 'notes', '--with', 'laptop'])).stdout).toBe(
    'Made notes, shared by desk, laptop.\n',
  );
  await eventually(async () => {
    const { documents } = await laptop.json<{ documents: DocumentView[] }>(['state', 'ls']);
    expect(documents).toMatchObject([{ name: 'notes', founderName: 'desk', mine: false }]);
  });
  const watching = start(['state', 'watch', 'notes', '--json'], { home: desk.home });
  expect((await laptop.run(['state', 'set', 'notes', 'color', 'red'])).stdout).toBe('Set.\n');
  expect(await laptop.run(['state', 'text', 'notes', 'hello'])).toMatchObject({ code: 0 });
  await eventually(async () => expect(await read(desk)).toMatchObject({ values: { color: 'red' }, text: 'hello' }));

  await laptop.end('SIGKILL');
  expect((await desk.run(['state', 'set', 'notes', 'quoted', '"x"'])).stdout).toContain('as a text');
  expect((await desk.run(['state', 'get', 'notes', 'quoted'])).stdout).toBe('"x"\n');
  expect((await desk.run(['state', 'rm', 'notes', 'quoted'])).stdout).toBe('Removed.\n');
  expect(await desk.run(['state', 'rm', 'notes', 'quoted'])).toMatchObject({ code: 1 });
  expect(await desk.run(['state', 'set', 'notes', 'count', '--data', '{"n":3}'])).toMatchObject({ code: 0 });
  expect(await desk.run(['state', 'rm', 'notes', 'color'])).toMatchObject({ code: 0 });
  expect(await desk.run(['state', 'rm', 'notes', 'color'])).toMatchObject({ code: 1, stdout: '' });
  laptop = await up(laptopHome, { env: laptopEnv });
  await eventually(async () => expect((await read(laptop)).values).toEqual({ count: { n: 3 } }));
  expect((await laptop.run(['state', 'get', 'notes', 'count'])).stdout).toBe('{"n":3}\n');
  await eventually(async () => expect(watching.told.stdout).toContain('"count":{"n":3}'));
  watching.kill('SIGINT');
  expect((await ended(watching)).code).toBe(130);

  expect(await laptop.run(['state', 'share', 'notes', 'desk'])).toMatchObject({ code: 5 });
  expect(await desk.run(['state', 'rm', 'notes'])).toMatchObject({ code: 0 });
  expect((await desk.run(['state', 'ls'])).stdout).toMatch(/^None yet/u);
});
