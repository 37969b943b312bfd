import { type Channel, PeerAiError, toHex, utf8 } from '@peerai/core-protocol';
import { orAborted, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { embedClientFrame, embedProtocol, embedProviderFrame } from './embed-protocol.ts';
import type { RemoteDeps, RemoteOptions } from './remote-model.ts';
import { readRows } from './vectors.ts';
import { fromWireError } from './wire-error.ts';
import { workHash } from './work.ts';

/**
 * Texts to vectors at a peer. One try: vectors are asked again under a new id. Throws the provider's code, LIMIT_EXCEEDED, PEER_UNREACHABLE,
 * CHANNEL_CLOSED, TIMEOUT, the signal's reason.
 */
export async function embedRemotely(
  deps: RemoteDeps,
  options: RemoteOptions,
  texts: readonly string[],
  caller: AbortSignal,
): Promise<readonly Float32Array[]> {
  if (texts.length === 0) return [];
  checkTexts(texts);
  const requestId = toHex(deps.random.bytes(16));
  await options.onAsk?.({ requestId, model: options.card.name, prompt: embedPrompt(texts), maxTokens: 0 });
  return withDeadline(deps.clock, limits.embedMs, caller, async (signal) => {
    const { peer, addresses } = options;
    const channel = await deps.network.open(peer, embedProtocol, {
      signal,
      ...(addresses === undefined ? {} : { addresses }),
    });
    const stop = (): void => void channel.close('ABORTED').catch(() => undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const rows = await exchange(deps, options, channel, requestId, texts, signal);
      await channel.close();
      return rows;
    } catch (error) {
      stop();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  });
}

/** Throws LIMIT_EXCEEDED. */
export function checkTexts(texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + utf8(text).length, 0);
  if (texts.length > limits.embedTextsMax || bytes > limits.promptBytesMax) {
    throw new PeerAiError(
      'LIMIT_EXCEEDED',
      `${texts.length} texts of ${bytes} bytes; at most ${limits.embedTextsMax} of ${limits.promptBytesMax}`,
    );
  }
}

/** The texts as a prompt: what is counted and hashed. */
export const embedPrompt = (texts: readonly string[]): Parameters<typeof workHash>[1] => ({
  messages: texts.map((text) => ({ role: 'user', text })),
});

async function exchange(
  { crypto }: RemoteDeps,
  { card, grant, onReceipt }: RemoteOptions,
  channel: Channel,
  requestId: string,
  given: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const texts = given.map((text) => text.toWellFormed());
  const ask = { requestId, model: card.name, texts, grant: grant?.() };
  await orAborted(channel.send(embedClientFrame.encode({ kind: 'ask', ask, receipt: undefined })), signal);
  const { done, value } = await orAborted(channel[Symbol.asyncIterator]().next(), signal);
  if (done) throw new PeerAiError('CHANNEL_CLOSED', 'the answer broke off');
  const { vectors, error } = embedProviderFrame.decode(value);
  if (vectors === undefined) throw fromWireError(error);
  const rows = readRows(vectors.rows, vectors.dimensions, texts.length);
  const prompt = embedPrompt(texts);
  const receipt = await onReceipt?.(vectors.receiptHalf, {
    model: card.name,
    requestId,
    usage: { promptTokens: vectors.promptTokens, answerTokens: 0, estimated: true },
    prompt,
    maxTokens: 0,
    workHash: workHash(crypto, prompt, [vectors.rows]),
  }).catch(() => undefined);
  if (receipt !== undefined)
    await channel.send(embedClientFrame.encode({ kind: 'countersigned', ask: undefined, receipt }));
  return rows;
}
