import { PeerAiError } from '@peerai/core-protocol';
import { type ArgDef, type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty';
import type { Located } from './locate.ts';
import { createOutput, fail, type Output } from './output.ts';
import { nearest } from './verbs.ts';

/** Flags that every command takes. */
export const globalArgs = {
  json: { type: 'boolean', description: 'Print one line of JSON' },
  jsonl: { type: 'boolean', description: 'Print one line of JSON for each item of a list' },
  quiet: { type: 'boolean', alias: 'q', description: 'Print the answer only' },
  verbose: { type: 'boolean', alias: 'v', description: 'Say more about a failure' },
  color: { type: 'boolean', default: true, description: 'Colour in help', negativeDescription: 'No colour' },
  input: {
    type: 'boolean',
    default: true,
    description: 'Ask when something is missing',
    negativeDescription: 'Never ask',
  },
  yes: { type: 'boolean', alias: 'y', description: 'Answer yes to every question' },
  home: { type: 'string', valueHint: 'DIR', description: 'Folder of this peer (PEERAI_HOME)' },
  api: { type: 'string', valueHint: 'URL', description: 'Local API of a running agent (PEERAI_API)' },
  timeout: { type: 'string', valueHint: 'S', description: 'Give up after so many seconds' },
} as const satisfies ArgsDef;
/** What an interrupted command may take to clean up, milliseconds; an agent's own orderly end takes less. */
const graceMs = 6_000;

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
        refuseUnknown(given, { ...args, ...globalArgs });
        refuseEmptyAndExtra(given, { ...args, ...globalArgs });
        const seconds = flags.timeout === undefined ? undefined : secondsOf(flags.timeout);
        const timer =
          seconds === undefined
            ? undefined
            : setTimeout(() => stop.abort(new PeerAiError('TIMEOUT', `no answer within ${seconds} s`)), seconds * 1000);
        const agent = async (): Promise<Located> => (await import('./locate.ts')).locate(flags);
        await bounded(
          async () => run({ args: given, output: createOutput(flags), agent, signal: stop.signal }),
          stop.signal,
        );
        clearTimeout(timer);
      } catch (error) {
        fail(stop.signal.aborted ? stop.signal.reason : error, flags);
      } finally {
        process.off('SIGINT', interrupt);
      }
    },
  });
}

/** Ends when the work ends, or a moment after the signal: an interrupted demo still stops what it started. */
async function bounded(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const working = work();
  const over = new Promise<never>((_, reject) => {
    const late = (): void => void setTimeout(() => reject(signal.reason as Error), graceMs).unref();
    signal.addEventListener('abort', () => {
      working.then(() => reject(signal.reason as Error), reject);
      late();
    });
  });
  await Promise.race([working, over]);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new PeerAiError('USAGE', `--timeout is "${text}"; it must be a number of seconds`);
  return seconds;
}

const aliases = (definition: ArgDef): readonly string[] =>
  'alias' in definition && definition.alias !== undefined ? [definition.alias].flat() : [];

/** A flag that does nothing is worse than an error. */
function refuseUnknown(given: Readonly<Record<string, unknown>>, known: ArgsDef): void {
  const names = new Set([
    '_',
    ...Object.entries(known).flatMap(([name, definition]) => [name, ...aliases(definition)]),
  ]);
  const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  for (const name of Array.from(names)) names.add(camel(name));
  const unknown = Object.keys(given).find((name) => !names.has(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, Object.keys(known));
  const guess = meant === undefined ? '' : `; did you mean --${meant}?`;
  throw new PeerAiError('USAGE', `there is no flag --${unknown} here${guess}`, { hint: '--help lists them.' });
}

/** `--name` without a value, and words that nothing reads. */
function refuseEmptyAndExtra(given: Readonly<Record<string, unknown>>, known: ArgsDef): void {
  const definitions = Object.entries(known);
  const empty = definitions.find(([name, { type }]) => type === 'string' && given[name] === '');
  if (empty !== undefined) throw new PeerAiError('USAGE', `--${empty[0]} needs a value`);
  const words = (given['_'] ?? []) as readonly string[];
  const wanted = definitions.filter(([, { type }]) => type === 'positional').length;
  const extra = words[wanted];
  if (extra === undefined) return;
  throw new PeerAiError('USAGE', `"${extra}" is one word too many`, {
    hint: 'A text of several words is quoted; --help says which words belong here.',
  });
}
