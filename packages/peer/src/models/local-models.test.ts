import type { Engine } from '@peerai/llm-bridge';
import { scriptedEngine } from '@peerai/llm-bridge';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { createLocalModels } from './local-models.ts';

/** Names of the engines that are shown, when `engine` stands beside the scripted one. */
async function shownBeside(engine: Partial<Engine>): Promise<readonly string[]> {
  const clock = new ManualClock();
  const beside = { kind: 'onnx', list: async () => [], model: async () => undefined, ...engine } as unknown as Engine;
  const models = createLocalModels({
    clock,
    logger: silentLogger,
    engines: () => [scriptedEngine({ clock }), beside],
    findings: () => [],
    systemPrompt: undefined,
    changed: () => undefined,
  });
  await models.refresh(live());
  return models.findings().map(({ kind, state, detail }) => `${kind} ${state}: ${detail}`);
}

test('an engine that is built in is shown once it has a model; one at an address, or that fails, also without', async () => {
  expect(await shownBeside({})).toEqual([expect.stringMatching(/^scripted found/u)]);
  const [, far] = await shownBeside({ url: 'http://127.0.0.1:1' });
  expect(far).toBe('onnx found: 0 models at http://127.0.0.1:1');
  const [, broken] = await shownBeside({ list: () => Promise.reject(new Error('x')) });
  expect(broken).toBe('onnx absent: it failed without a reason');
});
