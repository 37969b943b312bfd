import { callMethod, type Clock, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { fileLimits } from './limits.ts';
import { type FileAnswer, fileAnswerForm, fileMethod, type FileQuestion, fileQuestionForm } from './protocol.ts';

/** Asks a peer by HTTP, the question's bytes for the answer's; undefined where that leads nowhere. */
export type FileHttp = (
  peer: PeerId,
) => ((question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>) | undefined;

/** One way to a peer. */
export interface FileWay {
  readonly way: 'link' | 'http';
  /** Questions that may be under way at once. */
  readonly window: number;
  ask(question: FileQuestion, signal: AbortSignal): Promise<FileAnswer>;
}

/** What another way may get past, because no answer of the peer came over the link. */
const linkCodes = ['PEER_UNREACHABLE', 'CHANNEL_CLOSED', 'TIMEOUT'];

/** The first way that leads to the peer, with its answer to this question: a live link, else HTTP. Throws what the last one threw. */
export async function askFirst(
  deps: { readonly network: Network; readonly clock: Clock; readonly http?: FileHttp },
  peer: PeerId,
  question: FileQuestion,
  signal: AbortSignal,
): Promise<{ readonly way: FileWay; readonly answer: FileAnswer }> {
  const link: FileWay = {
    way: 'link',
    window: fileLimits.windowPieces,
    ask: (asked, given) => callMethod(deps, peer, fileMethod, asked, { signal: given }),
  };
  const post = deps.http?.(peer);
  try {
    return { way: link, answer: await link.ask(question, signal) };
  } catch (error) {
    if (post === undefined || !PeerAiError.is(error, ...linkCodes)) throw error;
  }
  signal.throwIfAborted();
  const http: FileWay = {
    way: 'http',
    window: 1,
    ask: async (asked, given) => fileAnswerForm.decode(await post(fileQuestionForm.encode(asked), given)),
  };
  return { way: http, answer: await http.ask(question, signal) };
}
