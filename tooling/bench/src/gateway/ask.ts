import { answerTokens } from './workload.ts';

/** How one streamed answer arrived. */
export interface Arrival {
  /** From the request to the first text, milliseconds. */
  readonly firstMs: number;
  readonly tokensPerSecond: number;
  /** The gap between two tokens that one in a hundred exceeds, milliseconds. */
  readonly gapP99Ms: number;
  /** `x-peerai-path` of the answer. */
  readonly path: string | null;
}

/** Asks an OpenAI-compatible server and notes when each token comes. Throws when the answer is not whole. */
export async function ask(baseUrl: string, model: string, signal: AbortSignal): Promise<Arrival> {
  const startMs = performance.now();
  const response = await fetch(`${baseUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'go on' }] }),
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`${response.status}: ${await response.text()}`);
  const timesMs: number[] = [];
  for await (const data of serverSentData(response.body)) if (hasText(data)) timesMs.push(performance.now());
  return { ...arrivalOf(startMs, timesMs), path: response.headers.get('x-peerai-path') };
}

/** Throws when there are not as many tokens as the engine gives. */
export function arrivalOf(startMs: number, timesMs: readonly number[], tokens = answerTokens): Omit<Arrival, 'path'> {
  const [first, last] = [timesMs[0], timesMs.at(-1)];
  if (timesMs.length !== tokens || first === undefined || last === undefined) {
    throw new Error(`${timesMs.length} tokens came; the engine gives ${tokens}`);
  }
  const gaps = timesMs.slice(1).map((time, index) => time - (timesMs[index] ?? time));
  const sorted = gaps.sort((a, b) => a - b);
  return {
    firstMs: first - startMs,
    tokensPerSecond: ((tokens - 1) / (last - first)) * 1000,
    gapP99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0,
  };
}

/** The `data:` lines of a server-sent stream, whatever pieces they come in. */
export async function* serverSentData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
  }
}

interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
}

function hasText(data: string): boolean {
  if (data === '[DONE]') return false;
  const { choices, error } = JSON.parse(data) as Chunk;
  if (error !== undefined) throw new Error(data);
  return (choices?.[0]?.delta?.content ?? '') !== '';
}
