import {
  type Channel,
  type Clock,
  concatBytes,
  fromUtf8,
  PeerAiError,
  type Prompt,
  type Sampling,
  utf8,
} from '@peerai/core-protocol';
import { withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';

/** What a client of `/llama/1.0.0` asks. */
export interface LlamaRequest {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly stream: boolean;
  readonly apiKey?: string;
  /** Not in the seed's format: which of several models. */
  readonly model?: string;
}
/** An error whose message goes to the client word for word. */
export class LlamaRefusal extends Error {}

/** Bytes until the client half-closes. Throws LlamaRefusal in the seed's words, CHANNEL_CLOSED. */
export async function readRequest(clock: Clock, channel: Channel): Promise<LlamaRequest> {
  const bytes = await withDeadline(clock, limits.llamaRequestMs, channel.signal, () => readAll(channel)).catch(
    (error: unknown) => {
      throw PeerAiError.is(error, 'TIMEOUT') ? new LlamaRefusal('Request timed out') : error;
    },
  );
  if (bytes.length === 0) throw new LlamaRefusal('No request data received');
  return parseRequest(bytes);
}

async function readAll(channel: Channel): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of channel) {
    length += piece.length;
    if (length > limits.llamaRequestBytesMax) throw new LlamaRefusal('Request too large');
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}

/** Throws LlamaRefusal. */
export function parseRequest(bytes: Uint8Array): LlamaRequest {
  const body = parseObject(bytes);
  const { prompt, stream, apiKey, model } = body;
  if (typeof prompt !== 'string' || prompt === '') throw new LlamaRefusal('Invalid request: prompt must be a text');
  if (
    apiKey !== undefined &&
    apiKey !== null &&
    (typeof apiKey !== 'string' || utf8(apiKey).length > limits.llamaApiKeyBytesMax)
  ) {
    throw new LlamaRefusal('Invalid API key');
  }
  return {
    prompt: { messages: [{ role: 'user', text: prompt }] },
    sampling: readSampling(body),
    stream: stream === true,
    ...(typeof apiKey === 'string' && apiKey !== '' ? { apiKey } : {}),
    ...(typeof model === 'string' && model !== '' ? { model } : {}),
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    throw new LlamaRefusal('Invalid JSON request');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LlamaRefusal('Invalid JSON request');
  return value as Record<string, unknown>;
}

/** In the seed `parameters` went to the engine as they were; here `n_predict temperature top_p seed stop` may, the rest is left out. */
function readSampling(body: Record<string, unknown>): Sampling {
  const { parameters } = body;
  const allowed = typeof parameters === 'object' && parameters !== null ? (parameters as Record<string, unknown>) : {};
  const pick = (name: string, own: string, fallback: number, min: number, max: number): number => {
    const value = allowed[own] ?? body[name];
    // As in the seed, 0 and nothing mean the default.
    if (value === undefined || value === null || value === 0) return fallback;
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw new LlamaRefusal(`Invalid request: ${name} is ${min} to ${max}`);
    return value;
  };
  const { seed, stop } = allowed;
  const stops = typeof stop === 'string' ? [stop] : Array.isArray(stop) ? stop : [];
  const fits = stops.every(
    (text) => typeof text === 'string' && text !== '' && utf8(text).length <= limits.stopTextBytesMax,
  );
  if (!fits || stops.length > limits.stopTextsMax)
    throw new LlamaRefusal(`Invalid request: stop is up to ${limits.stopTextsMax} short texts`);
  return {
    maxTokens: Math.floor(pick('max_tokens', 'n_predict', limits.llamaMaxTokensDefault, 1, limits.answerTokensMax)),
    temperature: pick('temperature', 'temperature', 0.7, 0, 5),
    topP: pick('top_p', 'top_p', 0.9, 0, 1),
    ...(Number.isSafeInteger(seed) ? { seed: seed as number } : {}),
    ...(stops.length === 0 ? {} : { stop: stops as string[] }),
  };
}
