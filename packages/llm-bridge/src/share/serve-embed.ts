import { type Channel, type LanguageModel, PeerAiError, type Reservation, utf8 } from '@peerai/core-protocol';
import { findModel } from '../engines/engine.ts';
import { llmError } from '../errors.ts';
import { orAborted, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { estimatePromptTokens } from '../text/tokens.ts';
import { type EmbedAsk, embedClientFrame, embedProtocol, embedProviderFrame } from './embed-protocol.ts';
import { checkTexts, embedPrompt } from './embed-remotely.ts';
import type { FairQueue } from './fair-queue.ts';
import type { ServeModelsDeps } from './serve-models.ts';
import { tellError } from './send-answer.ts';
import { writeRows } from './vectors.ts';
import { unknownModel } from './unknown-model.ts';
import { toWireError } from './wire-error.ts';
import { workHash } from './work.ts';

type Deps = ServeModelsDeps & { readonly queue: FairQueue };

/** Answers `/peerai/embed/1` until disposed. A client that goes frees its place at once; nothing is charged before the vectors are made. */
export function serveEmbeddings(deps: Deps): Disposable {
  return deps.network.answer(embedProtocol, (channel) => serve(deps, channel));
}

async function serve(deps: Deps, channel: Channel): Promise<void> {
  const frames = channel[Symbol.asyncIterator]();
  const { clock } = deps;
  try {
    const ask = await withDeadline(clock, limits.firstFrameMs, channel.signal, () => firstAsk(frames));
    const model = findModel(deps.models(), ask.model) ?? deps.model?.(ask.model);
    if (model === undefined) {
      const { requestId, grant } = ask;
      const claim = { peer: channel.link.peer, requestId, model: ask.model };
      throw await unknownModel(deps, grant === undefined ? claim : { ...claim, grant });
    }
    const { reservation, frame } = await embed(deps, channel, model, ask);
    await withDeadline(clock, limits.readerStallMs, channel.signal, () => channel.send(frame));
    await withDeadline(clock, limits.countersignMs, channel.signal, () => receipt(frames, reservation)).catch(() =>
      deps.logger.info('receipt-open', { peer: channel.link.peer }),
    );
  } catch (error) {
    if (channel.signal.aborted) return;
    await tellError(
      clock,
      channel,
      embedProviderFrame.encode({ kind: 'error', vectors: undefined, error: toWireError(error) }),
    );
  }
  await channel.close();
}

async function firstAsk(frames: AsyncIterator<Uint8Array>): Promise<EmbedAsk> {
  const { done, value } = await frames.next();
  if (done) throw new PeerAiError('INVALID_FORMAT', 'the channel was opened and nothing was asked');
  const { ask } = embedClientFrame.decode(value);
  if (ask === undefined || ask.texts.length === 0)
    throw new PeerAiError('INVALID_FORMAT', 'the first frame is an ask with texts');
  const idBytes = utf8(ask.requestId).length;
  if (idBytes === 0 || idBytes > limits.requestIdBytesMax || (ask.grant?.length ?? 0) > limits.grantBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', 'the request id or the grant has a wrong length');
  }
  checkTexts(ask.texts);
  return ask;
}

async function embed(
  deps: Deps,
  { link, signal: gone }: Channel,
  model: LanguageModel,
  { requestId, texts, grant }: EmbedAsk,
): Promise<{ readonly reservation: Reservation; readonly frame: Uint8Array }> {
  if (model.embed === undefined) throw llmError('UNSUPPORTED', 'this model makes no embeddings');
  const prompt = embedPrompt(texts);
  const promptTokens = estimatePromptTokens(prompt);
  const resource = `model:${model.card.name}`;
  const claim = { peer: link.peer, requestId, resource, units: promptTokens };
  const reservation = await deps.admission.reserve(grant === undefined ? claim : { ...claim, grant });
  try {
    if (reservation.units < promptTokens)
      throw llmError('BUDGET_SPENT', 'the tokens left do not reach for these texts');
    const signal = AbortSignal.any([gone, reservation.revoked]);
    const slot = await deps.queue.enter(link.peer, signal);
    const made = await withDeadline(deps.clock, limits.embedMs, signal, (within) =>
      orAborted(run(model, texts, within), within),
    ).finally(() => slot.free());
    const { dimensions, rows } = writeRows(made);
    const usage = { promptTokens, answerTokens: 0, estimated: true };
    const receiptHalf = await reservation.settle(usage, workHash(deps.crypto, prompt, [rows]));
    const vectors = { dimensions, rows, promptTokens, receiptHalf };
    return { reservation, frame: embedProviderFrame.encode({ kind: 'vectors', vectors, error: undefined }) };
  } catch (error) {
    await reservation.release();
    throw error;
  }
}

async function run(
  model: LanguageModel,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const rows = (await model.embed?.(texts, signal)) ?? [];
  if (rows.length !== texts.length) throw llmError('ENGINE_FAILED', 'the engine gave another number of vectors');
  if (rows.length * (rows[0]?.length ?? 0) * 4 > limits.embedFrameBytesMax - 65_536) {
    throw new PeerAiError('LIMIT_EXCEEDED', 'these vectors do not fit one answer; ask for fewer texts at once');
  }
  return rows;
}

async function receipt(frames: AsyncIterator<Uint8Array>, reservation: Reservation): Promise<void> {
  const { done, value } = await frames.next();
  const countersigned = done ? undefined : embedClientFrame.decode(value).receipt;
  if (countersigned === undefined) throw new PeerAiError('CHANNEL_CLOSED', 'no receipt came');
  if (countersigned.length > limits.receiptBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the receipt is too long');
  await reservation.countersigned(countersigned);
}
