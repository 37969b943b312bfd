import { createInterface } from 'node:readline/promises';
import { text as readAll } from 'node:stream/consumers';
import { PeerAiError } from '@peerai/core-protocol';
import type { ChatEvent, ChatRequest, ControlClient, ServedBy } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';

/** Of a note's summary on one line, characters. */
const summaryCharsMax = 72;

interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}
interface Asking {
  readonly client: ControlClient;
  readonly output: Output;
  readonly model: string;
  readonly signal: AbortSignal;
  /** Where the answer is kept with what its peer signed. */
  readonly proof?: string | undefined;
  readonly sampling: Partial<Pick<ChatRequest, 'maxTokens' | 'temperature' | 'memory'>>;
}

export const run: Verb = {
  run: command(
    'run',
    'Ask a model; without a prompt, a conversation (or the prompt from a pipe)',
    {
      model: { type: 'positional', required: true, description: 'Model, or model@peer' },
      prompt: { type: 'positional', required: false, description: 'The question' },
      peer: { type: 'string', valueHint: 'P', description: 'Ask this peer and no other' },
      system: { type: 'string', valueHint: 'S', description: 'System text' },
      tokens: { type: 'string', valueHint: 'N', description: 'Tokens the answer may have' },
      temperature: { type: 'string', valueHint: 'T', description: '0 to 2' },
      memory: {
        type: 'boolean',
        description: 'Give the model what is remembered that fits, and name it below the answer',
      },
      proof: {
        type: 'string',
        valueHint: 'FILE',
        description: 'Keep the answer with what its peer signed, for `peerai check-answer`',
      },
    } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const model = args.peer === undefined ? args.model : `${args.model}@${args.peer}`;
      const asking: Asking = { client, output, model, signal, sampling: samplingOf(args), proof: args.proof };
      const before: Turn[] = args.system === undefined ? [] : [{ role: 'system', text: args.system }];
      const question = args.prompt ?? (process.stdin.isTTY ? undefined : (await readAll(process.stdin)).trim());
      if (question === undefined) return converse(asking, before);
      if (question === '') throw new PeerAiError('USAGE', 'the prompt is empty');
      await ask(asking, [...before, { role: 'user', text: question }]);
    },
  ),
};

/** Prints the answer as it comes; returns its text. Throws the code of a broken answer, after the part that came. */
async function ask(
  { client, output, model, signal, sampling, proof }: Asking,
  messages: readonly Turn[],
): Promise<string> {
  let answer = '';
  for await (const event of client.chat({ model, messages: [...messages], ...sampling }, signal)) {
    if (event.type === 'delta') {
      answer += event.text;
      if (!output.json) output.write(event.text);
    }
    if (event.type === 'error') {
      if (answer !== '' && !output.json) output.write('\n');
      throw new PeerAiError(event.code, event.message, {
        ...(event.hint === undefined ? {} : { hint: event.hint }),
        partial: answer.length > 0,
      });
    }
    if (event.type === 'finish') {
      finish(output, model, answer, event);
      if (proof !== undefined) await keep(output, proof, event.servedBy, messages, answer);
    }
  }
  return answer;
}

async function keep(
  output: Output,
  path: string,
  { statement }: ServedBy,
  messages: readonly Turn[],
  answer: string,
): Promise<void> {
  const { keepAnswer } = await import('./check-answer.ts');
  await keepAnswer(path, statement, { messages }, answer);
  output.note(`  kept in ${path}: peerai check-answer ${path}`);
}

function finish(output: Output, model: string, answer: string, event: Extract<ChatEvent, { type: 'finish' }>): void {
  if (output.json) {
    const { type: _type, ...rest } = event;
    output.data({ model, answer, ...rest }, () => answer);
    return;
  }
  output.write('\n');
  for (const line of remembered(event.sources)) output.note(line);
  output.note(`  ${foot(event.servedBy)} · ${event.answerTokens} tokens · ${event.tokensPerSecond.toFixed(0)} tok/s`);
}

function foot({ name, path, signed }: ServedBy): string {
  return `${name} · ${path}${signed === undefined ? '' : signed ? ' · signed ✓' : ' · not signed'}`;
}

/** The notes the model was given, by the numbers it may name. */
function remembered(sources: Extract<ChatEvent, { type: 'finish' }>['sources']): readonly string[] {
  if (sources === undefined) return [];
  if (sources.length === 0) return ['  nothing remembered that it may be told fits the question'];
  return sources.map(
    ({ id, summary, authorName, kind }, index) =>
      `  [${index + 1}] ${oneLine(summary)} · ${authorName} · ${kind} · ${id.slice(0, 8)}`,
  );
}
const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/gu, ' ');
  return line.length > summaryCharsMax ? `${line.slice(0, summaryCharsMax - 1)}…` : line;
};

async function converse(asking: Asking, before: readonly Turn[]): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const turns: Turn[] = [...before];
  asking.output.note(`${asking.model}: type a question, /exit ends`);
  try {
    for (;;) {
      const line = (await terminal.question('> ', { signal: asking.signal })).trim();
      if (line === '/exit' || line === '/bye') return;
      if (line === '') continue;
      turns.push({ role: 'user', text: line });
      turns.push({ role: 'assistant', text: await ask(asking, turns) });
    }
  } finally {
    terminal.close();
  }
}

function samplingOf(args: {
  readonly tokens?: string | undefined;
  readonly temperature?: string | undefined;
  readonly memory?: boolean | undefined;
}): Asking['sampling'] {
  const maxTokens = args.tokens === undefined ? undefined : Number(args.tokens);
  const temperature = args.temperature === undefined ? undefined : Number(args.temperature);
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens > 0))
    throw new PeerAiError('USAGE', `--tokens is "${args.tokens}"; it must be a whole number from 1`);
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2))
    throw new PeerAiError('USAGE', `--temperature is "${args.temperature}"; it must be 0 to 2`);
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(args.memory === true ? { memory: {} } : {}),
  };
}
