import type { LanguageModel } from '@peerai/core-protocol';
import type { Engine } from './engine.ts';

/** Kinds of engines that compute in this process or a child of it. */
const builtIn: ReadonlySet<string> = new Set(['scripted', 'nano', 'onnx', 'trained', 'llama-cpp']);
/** Ollama sends prompts for such models to its makers (docs.ollama.com/cloud); a model copied to another name is not recognised. */
const cloudName = /[-:]cloud$/u;

/**
 * Does this model read its prompts on this machine? One that is built in does, and one of a server at a loopback address, whatever that server
 * does with them; of any other kind none does.
 */
export function isComputedHere(
  { kind, url }: Pick<Engine, 'kind' | 'url'>,
  { card }: Pick<LanguageModel, 'card'>,
): boolean {
  if (url === undefined) return builtIn.has(kind);
  return isLoopback(url) && !cloudName.test(card.name);
}

function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  // `URL` writes every form of an IPv4 address as four numbers.
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/u.test(host);
}
