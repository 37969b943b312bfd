import { parseArgs } from 'node:util';
import type { Bench, BenchContext } from './harness.ts';
import { limits } from './limits.ts';
import type { Question } from './questions.ts';
import { jsonLine, table } from './report.ts';

export interface Outside {
  readonly questions: Readonly<Record<string, Question>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** One bench, milliseconds; `limits.benchMs` unless a test says less. */
  readonly benchMs?: number;
}

/**
 * Answers the questions named in the arguments, one after the other. The exit status: 0 whether or not a goal is met, 1 when a bench broke,
 * 2 for a name that is none.
 */
export async function runBenches(args: readonly string[], outside: Outside): Promise<number> {
  const { questions, out, err } = outside;
  const { names, json, problem, ...options } = readArguments(args, questions);
  if (problem !== undefined) {
    err(`bench: ${problem}\n`);
    return 2;
  }
  if (names.length === 0) {
    out(list(questions, json));
    return 0;
  }
  let status = 0;
  for (const name of names) {
    try {
      const entry = questions[name];
      if (entry === undefined) throw new Error('there is no such bench');
      const bench = await entry.load();
      const benchMs = outside.benchMs ?? bench.msMax ?? limits.benchMs;
      const answer = await withTimeLimit(bench, benchMs, { ...options, err });
      out(json ? `${jsonLine(bench, answer)}\n` : `${table({ name, question: entry.question }, answer)}\n`);
    } catch (error) {
      err(`bench ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      status = 1;
    }
  }
  return status;
}

function readArguments(args: readonly string[], questions: Outside['questions']) {
  const none = { names: [] as string[], json: false, quick: false, plot: undefined };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, plot: { type: 'string' } },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !Object.hasOwn(questions, name));
    const { json = false, quick = false, plot } = values;
    const names = { names: positionals, json, quick, plot };
    if (unknown === undefined) return { ...names, problem: undefined };
    return { ...names, problem: `"${unknown}" is none of ${Object.keys(questions).join(', ')}` };
  } catch (error) {
    return { ...none, problem: (error as Error).message };
  }
}

function list(questions: Outside['questions'], json: boolean): string {
  const all = Object.entries(questions).map(([name, { question }]) => ({ name, question }));
  if (json) return `${JSON.stringify(all)}\n`;
  const width = Math.max(...all.map(({ name }) => name.length));
  const lines = all.map(({ name, question }) => `${name.padEnd(width)}  ${question}`);
  return [...lines, '', 'pnpm bench <name> [--json] [--quick] [--plot FILE]', ''].join('\n');
}

/** Gives the bench a moment to end its processes after the limit. */
async function withTimeLimit(
  bench: Bench,
  benchMs: number,
  { err, ...options }: Pick<BenchContext, 'quick' | 'plot'> & Pick<Outside, 'err'>,
) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`not answered within ${benchMs / 1000} s`)), benchMs);
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  limit.signal.addEventListener('abort', () => {
    setTimeout(() => late.reject(limit.signal.reason as Error), limits.stopMs).unref();
  });
  try {
    const context = { ...options, signal: limit.signal, log: (line: string) => err(`${bench.name}: ${line}\n`) };
    return await Promise.race([bench.run(context), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
