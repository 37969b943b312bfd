import { type Clock, type LanguageModel, type Logger, PeerAiError } from '@peerai/core-protocol';
import { type Engine, findModel, isComputedHere } from '@peerai/llm-bridge';
import { limits } from '../limits.ts';
import type { EngineFinding } from '../node/node.schema.ts';

export interface LocalModelsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The engines as they are now; probing may find others later. */
  readonly engines: () => readonly Engine[];
  /** What probing found, engines that were refused included. */
  readonly findings: () => readonly EngineFinding[];
  readonly changed: () => void;
  /** Put before each conversation that brings no system text of its own. */
  readonly systemPrompt: string | undefined;
}

/** The models of our own engines, asked again from time to time. */
export interface LocalModels {
  list(): readonly LanguageModel[];
  /** Also names an engine has without listing them; asks the engines when the list does not have it. */
  find(name: string, signal: AbortSignal): Promise<LanguageModel | undefined>;
  /** Is this one, of `list` or `find`, computed on this machine? */
  isHere(model: LanguageModel): boolean;
  findings(): readonly EngineFinding[];
  /** Asks every engine now. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Refreshes until the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLocalModels(deps: LocalModelsDeps): LocalModels {
  let models: readonly LanguageModel[] = [];
  let broken = new Map<Engine, string>();
  const here = new WeakSet<LanguageModel>();
  const own = (engine: Engine, model: LanguageModel): LanguageModel => {
    const ours = withSystemPrompt(model, deps.systemPrompt);
    if (isComputedHere(engine, model)) here.add(ours);
    return ours;
  };
  const refresh = async (signal: AbortSignal): Promise<void> => {
    const failed = new Map<Engine, string>();
    const lists = await Promise.all(
      deps.engines().map(async (engine) => {
        try {
          return (await engine.list(signal)).map((model) => own(engine, model));
        } catch (error) {
          failed.set(engine, PeerAiError.is(error) ? error.message : 'it failed without a reason');
          return [];
        }
      }),
    );
    const next = unique(lists.flat());
    const same = names(next) === names(models);
    models = next;
    broken = failed;
    if (!same) deps.changed();
  };
  return {
    list: () => models,
    async find(name, signal) {
      const known = findModel(models, name);
      if (known !== undefined) return known;
      for (const engine of deps.engines()) {
        const found = await engine.model(name, signal).catch(() => undefined);
        if (found !== undefined) return own(engine, found);
      }
      return undefined;
    },
    isHere: (model) => here.has(model),
    findings: () => [
      ...deps
        .engines()
        .map((engine): EngineFinding => finding(engine, models, broken.get(engine)))
        // What is built in and has no model yet is nothing to speak of: no file was imported.
        .filter(({ state, url, models: own }) => state !== 'found' || url !== undefined || own.length > 0),
      ...deps.findings().filter(({ state }) => state !== 'found'),
    ],
    refresh,
    async run(signal) {
      while (!signal.aborted) {
        await deps.clock.sleep(limits.engineListEveryMs, signal).catch(() => undefined);
        if (!signal.aborted) await refresh(signal);
      }
    },
  };
}

function finding(engine: Engine, models: readonly LanguageModel[], failure: string | undefined): EngineFinding {
  const own = models.filter(({ card }) => card.engine === engine.kind).map(({ card }) => card.name);
  const url = engine.url === undefined ? {} : { url: engine.url };
  if (failure !== undefined) return { kind: engine.kind, ...url, state: 'absent', detail: failure, models: [] };
  const count = own.length === 1 ? '1 model' : `${own.length} models`;
  return {
    kind: engine.kind,
    ...url,
    state: 'found',
    detail: engine.url === undefined ? `built in, ${count}` : `${count} at ${engine.url}`,
    models: own,
  };
}

function withSystemPrompt(model: LanguageModel, text: string | undefined): LanguageModel {
  if (text === undefined) return model;
  return {
    get card() {
      return model.card;
    },
    specification: 1,
    generate(prompt, sampling, signal) {
      const own = prompt.messages.some(({ role }) => role === 'system');
      return model.generate(
        own ? prompt : { messages: [{ role: 'system', text }, ...prompt.messages] },
        sampling,
        signal,
      );
    },
    ...(model.identify === undefined ? {} : { identify: model.identify.bind(model) }),
    ...(model.embed === undefined ? {} : { embed: model.embed.bind(model) }),
    ...(model.warm === undefined ? {} : { warm: model.warm.bind(model) }),
  };
}

/** Two engines may have a model of one name: the first one wins, as the configuration orders them. */
function unique(models: readonly LanguageModel[]): readonly LanguageModel[] {
  const seen = new Set<string>();
  return models.filter(({ card }) => !seen.has(card.name) && seen.add(card.name));
}

const names = (models: readonly LanguageModel[]): string =>
  models.map(({ card }) => `${card.name} ${card.loaded}`).join('\n');
