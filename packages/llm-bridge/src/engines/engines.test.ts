import type { Clock, LanguageModel } from '@peerai/core-protocol';
import { languageModelContract, type ModelUnderTest } from '../testing/contract.ts';
import { realClock as clock } from '../testing/real-clock.ts';
import { type Behaviour, type Dialect, startWireEngine } from '../testing/wire-engines.ts';
import type { Engine } from './engine.ts';
import { ollamaEngine } from './ollama.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';
import { scriptedModel } from './scripted.ts';

const never = new AbortController().signal;
const codes = { dies: 'ENGINE_FAILED', error: 'ENGINE_FAILED', busy: 'ENGINE_UNREACHABLE', narrow: 'PROMPT_TOO_LONG' };
type Failing = keyof typeof codes | 'gone';
type Make = (deps: { readonly clock: Clock }, options: { readonly url: string }) => Engine;

const scripted = (name: string): LanguageModel => scriptedModel({ clock }, name) as LanguageModel;
languageModelContract('The scripted engine', () => ({
  model: scripted('echo'),
  slow: scripted('echo-slow'),
  failing: [{ code: 'ENGINE_FAILED', model: scripted('fail') }],
}));

languageModelContract('The Ollama engine', () => named('ollama', ollamaEngine));
languageModelContract('The OpenAI-compatible engine', () => named('openai', openAiCompatibleEngine));
languageModelContract('The OpenAI-compatible engine on /completion', () => unnamed());

/** One server; the model's name says what it does. */
async function named(dialect: Dialect, make: Make): Promise<ModelUnderTest> {
  const server = await startWireEngine(dialect);
  const engine = make({ clock }, server);
  const model = async (name: Behaviour): Promise<LanguageModel> => (await engine.model(name, never)) as LanguageModel;
  const names: readonly Failing[] = ['dies', 'error', 'busy', 'narrow', 'gone'];
  const failing = names.map(async (name) => ({
    code: name === 'gone' ? 'MODEL_UNKNOWN' : codes[name],
    model: await model(name),
  }));
  return {
    model: await model('plain'),
    slow: await model('slow'),
    working: server.working,
    failing: [...(await Promise.all(failing)), await stopped(dialect, make)],
    stop: server.stop,
  };
}

/** `/completion` names no model: a server for each behaviour. */
async function unnamed(): Promise<ModelUnderTest> {
  const names: readonly Behaviour[] = ['plain', 'slow', 'dies', 'error', 'busy', 'narrow'];
  const servers = await Promise.all(names.map((name) => startWireEngine('completion', name)));
  const models = servers.map(
    async (server) => (await openAiCompatibleEngine({ clock }, server).list(never)).at(0) as LanguageModel,
  );
  const [model, slow, ...rest] = (await Promise.all(models)) as [LanguageModel, LanguageModel, ...LanguageModel[]];
  const failing = rest.map((one, index) => ({ code: Object.values(codes)[index] ?? '', model: one }));
  return {
    model,
    slow,
    working: () => servers.reduce((sum, { working }) => sum + working(), 0),
    failing: [...failing, await stopped('completion', openAiCompatibleEngine)],
    stop: async () => void (await Promise.all(servers.map(({ stop }) => stop()))),
  };
}

/** A model whose server has gone since it was listed. */
async function stopped(
  dialect: Dialect,
  make: Make,
): Promise<{ readonly code: string; readonly model: LanguageModel }> {
  const server = await startWireEngine(dialect);
  const models = await make({ clock }, server).list(never);
  await server.stop();
  return { code: 'ENGINE_UNREACHABLE', model: models.at(0) as LanguageModel };
}
