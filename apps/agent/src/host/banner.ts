import type { PeerAiError } from '@peerai/core-protocol';
import type { Engine } from '@peerai/llm-bridge';
import type { Instance } from '../cli/locate.ts';

export interface BannerFacts {
  readonly instance: Instance;
  /** Left out where what is printed may be kept: a pipe, a file, a journal. */
  readonly token: string | undefined;
  readonly took: string;
  readonly relays: readonly string[];
  readonly engines: readonly Engine[];
  readonly files: readonly string[];
  /** A usual port was taken and another one chosen. */
  readonly moved: string | undefined;
  /** Why nothing is added to the log of this peer. */
  readonly refusal: PeerAiError | undefined;
}

/** What a person sees when the agent is up: what was found, where to go next. */
export function banner({ instance, token, took, relays, engines, files, moved, refusal }: BannerFacts): string {
  const engine = engines.map(({ kind, url }) => (url === undefined ? `${kind} (built in)` : `${kind} at ${url}`));
  return [
    `${instance.name} is up (${took})`,
    `  engine     ${engine.length === 0 ? 'none' : engine.join(', ')}`,
    `  relay      ${relays.length === 0 ? 'none: LAN only (give one with --relay)' : relays.join(', ')}`,
    `  dashboard  ${token === undefined ? `${instance.api}   (peerai open)` : `${instance.api}/#token=${token}`}`,
    `  gateway    ${instance.api}/v1   (OpenAI; Ollama at ${instance.api})`,
    ...(refusal === undefined ? [] : [`  ledger     closed: ${refusal.message}.`, `             peerai ledger repair`]),
    ...(moved === undefined ? [] : [`  note       ${moved}`]),
    ...(files.length === 0 ? [] : [`  settings   ${files.join(', ')}`]),
    '',
    '  Let another device in:   peerai invite',
    '  Share with a friend:     peerai share <model>',
  ].join('\n');
}
