import { type Clock, type Logger, PeerAiError } from '@peerai/core-protocol';
import { type Engine, ollamaEngine, openAiCompatibleEngine, probeEngines, scriptedEngine } from '@peerai/llm-bridge';
import type { EngineFinding } from '@peerai/peer';
import type { EngineChoice } from '@peerai/platform';
import { ollamaUrl } from '@peerai/platform/node';
import { nanoEngine, nanoOperators } from './nano-engine.ts';

/** How often `auto` looks again for an engine that was started later, milliseconds. */
const probeEveryMs = 30_000;

export interface Engines {
  readonly list: () => readonly Engine[];
  readonly findings: () => readonly EngineFinding[];
  /** Of the networks that an engine of our own computes: none where others answer. */
  readonly operators: () => Promise<readonly string[]>;
  /** Looks once now; true when the engines are others than before. `run` goes on looking. */
  probe(signal: AbortSignal): Promise<boolean>;
  /** Looks again from time to time until the signal fires, and tells when the engines are others. */
  run(signal: AbortSignal, changed: () => Promise<void>): Promise<void>;
}

/** The engines that the configuration names. `auto` takes what answers on the usual ports, and the embedded guide when nothing does. */
export async function createEngines(
  deps: { readonly clock: Clock; readonly logger: Logger },
  choices: readonly EngineChoice[],
): Promise<Engines> {
  const fixed: Engine[] = [];
  for (const choice of choices) {
    const engine = await fixedEngine(deps.clock, choice);
    if (engine !== undefined) fixed.push(engine);
  }
  const auto = choices.some((choice) => kindOf(choice) === 'auto');
  const guide = auto ? nanoEngine(deps.clock) : undefined;
  let found: readonly Engine[] = [];
  let findings: readonly EngineFinding[] = [];
  const probe = async (signal: AbortSignal): Promise<boolean> => {
    if (!auto) return false;
    const probed = await probeEngines({ clock: deps.clock }, { signal });
    findings = probed.map(({ kind, url, state, detail }) => ({ kind, url, state, detail, models: [] }));
    const urls = probed.flatMap(({ state, url, kind }) => (state === 'found' ? [`${kind} ${url}`] : [])).join('\n');
    if (urls === found.map(({ kind, url }) => `${kind} ${url ?? ''}`).join('\n')) return false;
    found = probed.flatMap(({ engine }) => (engine === undefined ? [] : [engine]));
    deps.logger.info('engines-found', { engines: found.map(({ kind, url }) => `${kind} ${url ?? ''}`) });
    return true;
  };
  const list = (): readonly Engine[] => [
    ...fixed,
    ...found,
    ...(guide !== undefined && found.length === 0 && fixed.length === 0 ? [guide] : []),
  ];
  return {
    list,
    findings: () => findings,
    operators: async () => (list().some(({ kind }) => kind === 'nano') ? nanoOperators() : []),
    probe,
    async run(signal, changed) {
      if (!auto) return;
      while (!signal.aborted) {
        await deps.clock.sleep(probeEveryMs, signal).catch(() => undefined);
        if (!signal.aborted && (await probe(signal).catch(() => false))) await changed().catch(() => undefined);
      }
    },
  };
}

const kindOf = (choice: EngineChoice): string => (typeof choice === 'string' ? choice : choice.type);

async function fixedEngine(clock: Clock, choice: EngineChoice): Promise<Engine | undefined> {
  const { type, url, path } = typeof choice === 'string' ? { type: choice, url: undefined, path: undefined } : choice;
  if (type === 'auto') return undefined;
  if (type === 'nano') return nanoEngine(clock);
  if (type === 'scripted') return scriptedEngine({ clock });
  if (type === 'ollama')
    return ollamaEngine({ clock }, { url: url ?? ollamaUrl(process.env['OLLAMA_HOST'] || '127.0.0.1') });
  if (type === 'openai-compatible') return openAiCompatibleEngine({ clock }, { url: url ?? 'http://127.0.0.1:8000' });
  const { llamaCppEngine } = await import('@peerai/llm-bridge/llama-cpp');
  if (path === undefined)
    throw new PeerAiError('CONFIG_INVALID', 'llm.engines: llama-cpp needs the path of a GGUF file');
  return llamaCppEngine({ clock }, { path });
}
