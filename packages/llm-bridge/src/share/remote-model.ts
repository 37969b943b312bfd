import {
  type AnswerPart,
  type Channel,
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  type ModelCard,
  type Network,
  PeerAiError,
  type PeerId,
  type Prompt,
  type Random,
  type Sampling,
  toHex,
  type Usage,
} from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { embedRemotely } from './embed-remotely.ts';
import { encodeClientFrame, modelProtocol } from './protocol.ts';
import { checkPromptBytes, type Question, writeAsk } from './question.ts';
import { readAnswer } from './read-answer.ts';
import { wellFormed } from './work.ts';

export interface RemoteDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
}
/** What we know of an answer when its receipt comes, to hold the receipt against. */
export interface ReceiptFacts {
  readonly model: string;
  readonly requestId: string;
  /** What the provider reported. */
  readonly usage: Usage;
  /** Our own SHA-256 over prompt and answer; absent when the answer broke off, as then nobody here knows what was sent. */
  readonly workHash?: Uint8Array;
  readonly prompt: Prompt;
  readonly maxTokens: number;
}
/** Checks the provider's half and returns the receipt with both signatures; throws what is wrong with it. */
export type OnReceipt = (half: Uint8Array, facts: ReceiptFacts) => Promise<Uint8Array>;
export interface RemoteOptions {
  readonly peer: PeerId;
  readonly card: ModelCard;
  /** The proof of a ticket; absent or undefined for paired peers. */
  readonly grant?: () => Uint8Array | undefined;
  /** Multiaddrs to try besides the known ones. */
  readonly addresses?: readonly string[];
  readonly onReceipt?: OnReceipt;
  /**
   * Called, and awaited, before a question leaves: what may be signed for later, also by a program that was restarted meanwhile. The channel
   * is opened meanwhile.
   */
  readonly onAsk?: (asked: Pick<ReceiptFacts, 'model' | 'requestId' | 'prompt' | 'maxTokens'>) => Promise<void>;
}

/**
 * A peer's model. A request that is lost before its first token is sent again under the same id, one lost later is resumed where it broke,
 * each a few times; the provider never charges it twice. `finish.servedBy` names the peer, the path and the double-signed receipt.
 *
 * `generate` throws the provider's code (TOO_MANY, BUDGET_SPENT, QUEUE_FULL with `retryAfterMs`, MODEL_UNKNOWN, ENGINE_FAILED, RESUME_GONE,
 * ANSWER_INTERRUPTED …), PEER_UNREACHABLE, PEER_LOST when the peer went away after the first token, PROMPT_TOO_LONG, TIMEOUT, and the
 * signal's reason. Aborting cancels at the provider; the receipt for what was made until then is signed in the background.
 */
export function remoteModel(deps: RemoteDeps, options: RemoteOptions): LanguageModel {
  return {
    specification: 1,
    card: options.card,
    generate: (prompt, sampling, signal) => ask(deps, options, prompt, sampling, signal),
    ...(options.card.embeds === true
      ? { embed: (texts: readonly string[], signal: AbortSignal) => embedRemotely(deps, options, texts, signal) }
      : {}),
  };
}

/** What has arrived of one answer, over however many channels. */
export interface Received {
  readonly question: Question;
  readonly bytes: Uint8Array[];
  length: number;
  /** A provider had taken the request: a channel was up and the ask was sent. */
  sent: boolean;
}

async function* ask(
  deps: RemoteDeps,
  options: RemoteOptions,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  if (signal.aborted) throw reasonOf(signal);
  checkPromptBytes(prompt);
  const grant = options.grant?.();
  const question = {
    requestId: toHex(deps.random.bytes(16)),
    model: options.card.name,
    prompt: wellFormed(prompt),
    sampling: { ...sampling, maxTokens: Math.min(sampling.maxTokens, limits.answerTokensMax) },
    ...(grant === undefined ? {} : { grant }),
    resumeOffset: 0,
  };
  const { requestId, model, sampling: asked } = question;
  const noted = options.onAsk?.({ requestId, model, prompt: question.prompt, maxTokens: asked.maxTokens });
  noted?.catch(() => undefined);
  const received: Received = { question, bytes: [], length: 0, sent: false };
  for (let tries = 0; ; tries += 1) {
    const before = received.length;
    try {
      if (tries > 0) await deps.clock.sleep(pauseMs(tries), signal);
      if (signal.aborted) throw reasonOf(signal);
      const channel = await open(deps, options, askFrom(received, noted), signal);
      received.sent = true;
      return yield* readAnswer(deps, options, channel, received, signal);
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      await noted;
      if (received.length > before) tries = 0;
      if (!mayTryAgain(error, received, tries)) throw received.length > 0 ? lost(error, received) : error;
    }
  }
}

/** The question from where the answer ends so far, once it may leave. */
async function askFrom({ question, length }: Received, noted: Promise<void> | undefined): Promise<Uint8Array> {
  const ask = writeAsk({ ...question, resumeOffset: length });
  await noted;
  return encodeClientFrame({ kind: 'ask', ask });
}

function open(
  { network }: RemoteDeps,
  { peer, addresses }: RemoteOptions,
  first: Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<Channel> {
  return network.open(peer, modelProtocol, {
    signal,
    first,
    ...(addresses === undefined ? {} : { addresses }),
  });
}

const pauseMs = (tries: number): number => limits.retryPausesMs[Math.min(tries, limits.retryPausesMs.length) - 1] ?? 0;
const linkCodes = ['CHANNEL_CLOSED', 'PEER_UNREACHABLE'] as const;

function mayTryAgain(error: unknown, { sent, length }: Received, tries: number): boolean {
  if (!sent || !PeerAiError.is(error, ...linkCodes)) return false;
  return tries < (length > 0 ? limits.resumeTriesMax : limits.resendTriesMax);
}

/** After the first token a lost link has its own name; what the provider said stays as it is. */
function lost(error: unknown, { length }: Received): unknown {
  const gone = PeerAiError.is(error, ...linkCodes, 'REFUSED', 'LIMIT_REACHED', 'TIMEOUT');
  if (!gone) return error;
  return llmError(
    'PEER_LOST',
    'the peer that answered went away; what came until then is kept',
    { answerBytes: length },
    error,
  );
}
