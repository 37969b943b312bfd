import { PeerAiError } from '@peerai/core-protocol';
import { z } from 'zod';
import { withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import type { Engine } from './engine.ts';
import { engineUrl, type HttpEngineDeps, loopHeader, readText } from './http.ts';
import { ollamaEngine } from './ollama.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';
import { propsSchema } from './openai-schema.ts';

/** Where engines listen by default: Ollama; PeerAI itself, or vLLM; llama.cpp; LM Studio. */
export const probeUrls: readonly string[] = [
  'http://127.0.0.1:11434',
  'http://127.0.0.1:8000',
  'http://127.0.0.1:8080',
  'http://127.0.0.1:1234',
];

/** What is at an address. */
export interface Finding {
  readonly kind: 'ollama' | 'openai-compatible' | 'peerai' | 'unknown';
  readonly url: string;
  /** `absent`: nothing answers. `refused`: something does, and is not used, for the reason in `detail`. */
  readonly state: 'found' | 'absent' | 'refused';
  /** One sentence for people. */
  readonly detail: string;
  /** When found. */
  readonly engine?: Engine;
}

/**
 * Looks at each address for at most `limits.probeMs`, all at once. An engine is known by its own reply, not by its port: Ollama by its
 * version and its list of models, the others by an OpenAI list of models, llama.cpp also by `/props`. PeerAI itself is refused (ENGINE_LOOP).
 *
 * @param options.urls - default `probeUrls`. Throws INVALID_FORMAT for one that is no address, the signal's reason; nothing else.
 */
export function probeEngines(
  deps: HttpEngineDeps,
  options: { readonly urls?: readonly string[]; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  const urls = (options.urls ?? probeUrls).map(engineUrl);
  return Promise.all(urls.map((url) => probe(deps, url, options.signal)));
}

const paths = ['/', '/api/version', '/api/tags', '/v1/models', '/props'] as const;
/** Nothing where that path did not answer in time. */
type Replies = Readonly<Record<(typeof paths)[number], Reply | undefined>>;
interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Nothing when the text is no JSON. */
  readonly json: unknown;
}

async function probe(deps: HttpEngineDeps, url: string, signal: AbortSignal): Promise<Finding> {
  const asked = paths.map(async (path) => [path, await askOne(deps, `${url}${path}`, signal)] as const);
  const replies = Object.fromEntries(await Promise.all(asked)) as Replies;
  if (Object.values(replies).every((reply) => reply === undefined)) {
    return { kind: 'unknown', url, state: 'absent', detail: `nothing answers at ${url}` };
  }
  return isPeerAi(replies)
    ? loop(url)
    : (ollamaIn(deps, url, replies) ?? openAiIn(deps, url, replies) ?? stranger(url, replies));
}

async function askOne(deps: HttpEngineDeps, url: string, signal: AbortSignal): Promise<Reply | undefined> {
  const { clock, fetch = globalThis.fetch } = deps;
  try {
    return await withDeadline(clock, limits.probeMs, signal, async (within) => {
      const headers = { accept: 'application/json' };
      const response = await fetch(url, { signal: within, redirect: 'manual', headers });
      const text = await readText(response, limits.probeBodyBytesMax).catch((error: unknown) => {
        if (PeerAiError.is(error, 'ENGINE_FAILED')) return '';
        throw error;
      });
      return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const versionSchema = z.object({ version: z.string().min(1).max(100) });
const tagsSchema = z.object({ models: z.array(z.object({ name: z.string() })).nullable() });
const listSchema = z.object({
  object: z.literal('list'),
  data: z.array(z.object({ id: z.string().min(1), owned_by: z.string().nullish() })),
});

function isPeerAi(replies: Replies): boolean {
  const marked = Object.values(replies).some(
    (reply) => reply?.headers.has(loopHeader) === true || reply?.headers.has('x-peerai-peer') === true,
  );
  const version = versionSchema.safeParse(replies['/api/version']?.json).data?.version ?? '';
  return marked || /peerai/i.test(version) || replies['/']?.text.startsWith('PeerAI is running') === true;
}

const loop = (url: string): Finding => ({
  kind: 'peerai',
  url,
  state: 'refused',
  detail: `at ${url} answers PeerAI itself, which cannot be its own engine (ENGINE_LOOP)`,
});

function ollamaIn(deps: HttpEngineDeps, url: string, replies: Replies): Finding | undefined {
  const version = versionSchema.safeParse(okJson(replies['/api/version'])).data?.version;
  const tags = tagsSchema.safeParse(okJson(replies['/api/tags'])).data;
  if (version === undefined || tags === undefined) return undefined;
  const detail = `Ollama ${printable(version)} with ${counted(tags.models?.length ?? 0)}`;
  return { kind: 'ollama', url, state: 'found', detail, engine: ollamaEngine(deps, { url }) };
}

const owners: Readonly<Record<string, string>> = {
  llamacpp: 'llama.cpp',
  vllm: 'vLLM',
  organization_owner: 'LM Studio',
};

function openAiIn(deps: HttpEngineDeps, url: string, replies: Replies): Finding | undefined {
  const list = listSchema.safeParse(okJson(replies['/v1/models'])).data;
  const props = propsSchema.safeParse(okJson(replies['/props'])).success;
  if (list === undefined && !props) return undefined;
  const owner = list?.data.map(({ owned_by: by }) => owners[by ?? '']).find((known) => known !== undefined);
  const name = owner ?? (props ? 'llama.cpp' : 'an OpenAI-compatible server');
  const detail = `${name} with ${counted(list?.data.length ?? 1)}`;
  return { kind: 'openai-compatible', url, state: 'found', detail, engine: openAiCompatibleEngine(deps, { url }) };
}

function stranger(url: string, replies: Replies): Finding {
  const refused = (detail: string): Finding => ({ kind: 'unknown', url, state: 'refused', detail });
  const models = replies['/v1/models'];
  if (models?.status === 401 || models?.status === 403) {
    return refused(`something answers at ${url} but wants an API key: name it with its key in the configuration`);
  }
  if (models?.status === 503) return refused(`something answers at ${url} but is still loading, or overloaded`);
  return refused(`something answers at ${url} but it is no engine this version knows`);
}

const okJson = (reply: Reply | undefined): unknown => (reply?.status === 200 ? reply.json : undefined);
const counted = (models: number): string => (models === 1 ? '1 model' : `${models} models`);
/** A stranger's text on its way to a terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
