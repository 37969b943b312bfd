import type { Clock, Logger } from '@peerai/core-protocol';
import { type Engine, scriptedEngine } from '@peerai/llm-bridge';
import type { EngineFinding } from '@peerai/peer';
import type { EngineChoice } from '@peerai/platform';
import { nanoEngine } from './nano-engine.ts';

/** How often `auto` looks again for an engine that was started later, milliseconds. */
const probeEveryMs = 30_000;

export interface Engines {
  readonly list: () => readonly Engine[];
  readonly findings: () => readonly EngineFinding[];
  /** Looks once now; `run` goes on looking. */
  probe(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** The engines that the configuration names. `auto` takes what answers on the usual ports, and the embedded guide when nothing does. */
export async function createEngines(deps: { readonly clock: Clock; readonly logger: Logger }, choices: readonly EngineChoice[]): Promise<Engines> {
  const fixed: Engine[] = [];
  for (const choice of choices) {
    const engine = await fixedEngine(deps.clock, choice);
    if (engine !== undefined) fixed.push(engine);
  }
  const auto = choices.some((choice) => kindOf(choice) === 'auto');
  const guide = auto ? nanoEngine(deps.clock) : undefined;
  let found: readonly Engine[] = [];
  let findings: readonly EngineFinding[] = [];
  const probe = async (signal: AbortSignal): Promise<void> => {
    if (!auto) return;
    signal.throwIfAborted();
    found = [];
    findings = [];
  };
  return {
    list: () => [...fixed, ...found, ...(guide !== undefined && found.length === 0 && fixed.length === 0 ? [guide] : [])],
    findings: () => findings,
    probe,
    async run(signal) {
      while (auto && !signal.aborted) {
        await deps.clock.sleep(probeEveryMs, signal).catch(() => undefined);
        if (!signal.aborted) await probe(signal).catch(() => undefined);
      }
    },
  };
}

const kindOf = (choice: EngineChoice): string => (typeof choice === 'string' ? choice : choice.type);

async function fixedEngine(clock: Clock, choice: EngineChoice): Promise<Engine | undefined> {
  const { type } = typeof choice === 'string' ? { type: choice } : choice;
  if (type === 'auto') return undefined;
  if (type === 'nano') return nanoEngine(clock);
  if (type === 'scripted') return scriptedEngine({ clock });
  return undefined;
}
