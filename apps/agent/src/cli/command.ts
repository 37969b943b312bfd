import { PeerAiError } from '@peerai/core-protocol';
import { type ArgDef, type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty';
import type { Located } from './locate.ts';
import { createOutput, fail, type Output } from './output.ts';

/** Flags that every command takes. */
export const globalArgs = {
  json: { type: 'boolean', description: 'Print one line of JSON' },
  quiet: { type: 'boolean', alias: 'q', description: 'Print the answer only' },
  color: { type: 'boolean', default: true, description: 'Colour on a terminal', negativeDescription: 'No colour' },
  input: { type: 'boolean', default: true, description: 'Ask when something is missing', negativeDescription: 'Never ask' },
  yes: { type: 'boolean', alias: 'y', description: 'Answer yes to every question' },
  home: { type: 'string', valueHint: 'DIR', description: 'Folder of this peer (PEERAI_HOME)' },
  api: { type: 'string', valueHint: 'URL', description: 'Local API of a running agent (PEERAI_API)' },
  timeout: { type: 'string', valueHint: 'S', description: 'Give up after so many seconds' },
} as const satisfies ArgsDef;
export type GlobalArgs = ParsedArgs<typeof globalArgs>;

// oxlint-disable-next-line typescript/no-explicit-any -- commands with different flags in one table
export type AnyCommand = CommandDef<any>;
/** `peerai <verb>`: what it does by itself, and its own verbs. */
export interface Verb {
  readonly run?: AnyCommand;
  readonly subs?: Readonly<Record<string, AnyCommand>>;
}

export interface Context<T extends ArgsDef> {
  readonly args: ParsedArgs<T & typeof globalArgs>;
  readonly output: Output;
  /** The running agent. Throws AGENT_NOT_RUNNING. */
  readonly agent: () => Promise<Located>;
  /** Fires on Ctrl-C and when `--timeout` is over. */
  readonly signal: AbortSignal;
}

/** One verb: its flags, what it does; every failure ends in a sentence, a remedy and the status of its code. */
export function command<const T extends ArgsDef>(
  name: string,
  description: string,
  args: T,
  run: (context: Context<T>) => Promise<void> | void,
): CommandDef<T & typeof globalArgs> {
  return defineCommand<T & typeof globalArgs>({
    meta: { name, description },
    args: { ...args, ...globalArgs },
    async run({ args: given }) {
      const flags = given as GlobalArgs;
      const stop = new AbortController();
      const interrupt = (): void => stop.abort(new PeerAiError('ABORTED', 'interrupted'));
      process.once('SIGINT', interrupt);
      try {
        refuseUnknown(given as Record<string, unknown>, { ...args, ...globalArgs });
        const seconds = flags.timeout === undefined ? undefined : secondsOf(flags.timeout);
        const timer = seconds === undefined ? undefined : setTimeout(() => stop.abort(new PeerAiError('TIMEOUT', `no answer within ${seconds} s`)), seconds * 1000);
        const agent = async (): Promise<Located> => (await import('./locate.ts')).locate(flags);
        await run({ args: given as Context<T>['args'], output: createOutput(flags), agent, signal: stop.signal });
        clearTimeout(timer);
      } catch (error) {
        fail(stop.signal.aborted ? stop.signal.reason : error, flags);
      } finally {
        process.off('SIGINT', interrupt);
      }
    },
  });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new PeerAiError('USAGE', `--timeout is "${text}"; it must be a number of seconds`);
  return seconds;
}

const aliases = (definition: ArgDef): readonly string[] => ('alias' in definition && definition.alias !== undefined ? [definition.alias].flat() : []);

/** A flag that does nothing is worse than an error. */
function refuseUnknown(given: Readonly<Record<string, unknown>>, known: ArgsDef): void {
  const names = new Set(['_', ...Object.entries(known).flatMap(([name, definition]) => [name, ...aliases(definition)])]);
  const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  for (const name of [...names]) names.add(camel(name));
  const unknown = Object.keys(given).find((name) => !names.has(name));
  if (unknown !== undefined) throw new PeerAiError('USAGE', `there is no flag --${unknown} here; see --help`);
}
