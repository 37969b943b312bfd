import { type AnswerPart, type Channel, PeerAiError, type Usage, utf8 } from '@peerai/core-protocol';
import { createWatchdog, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { createPatientReader, type PatientReader } from '../flow/patient-reader.ts';
import { encodeClientFrame, type FinishFrame, type ProviderFrame, providerFrame } from './protocol.ts';
import type { Received, RemoteDeps, RemoteOptions } from './remote-model.ts';
import { toolCallBytes, workHash } from './work.ts';
import { fromWireError } from './wire-error.ts';

/** One channel's share of an answer, asked from where `received` ends: yields what comes, and ends with the signed receipt. */
export async function* readAnswer(
  deps: RemoteDeps,
  options: RemoteOptions,
  channel: Channel,
  received: Received,
  caller: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  const silence = createWatchdog(
    deps.clock,
    limits.providerGapMsMax,
    () => new PeerAiError('TIMEOUT', 'the peer said nothing for too long'),
  );
  const signal = AbortSignal.any([caller, silence.signal]);
  const frames = createPatientReader(channel[Symbol.asyncIterator]());
  let ended = false;
  try {
    for (;;) {
      const frame = providerFrame.decode(await frames.next(signal));
      silence.touch(limits.providerGapMsMax);
      ended = frame.kind === 'finish' || frame.kind === 'error';
      if (frame.kind === 'error') {
        if (frame.finish !== undefined) await sign(deps, options, channel, received, frame.finish, false);
        throw fromWireError(frame.error);
      }
      if (frame.kind === 'finish') {
        const part = await finish(deps, options, channel, received, frame.finish);
        // Before the last part: a reader that has it may never ask again, and the channel would stay.
        await channel.close().catch(() => undefined);
        return yield part;
      }
      const part = take(frame, received);
      if (part !== undefined) yield part;
    }
  } finally {
    silence.stop();
    if (ended) await channel.close().catch(() => undefined);
    else if (!channel.signal.aborted) void cancel(deps, options, channel, frames, received);
  }
}

/** Throws INVALID_FORMAT when a part does not begin where the last one ended. */
function take({ kind, offset, text, toolCall }: ProviderFrame, received: Received): AnswerPart | undefined {
  if (kind !== 'delta' && kind !== 'tool-call') return undefined;
  const bytes = toolCall === undefined ? utf8(text ?? '') : toolCallBytes(toolCall);
  if (offset !== received.length || received.length + bytes.length > limits.answerBytesMax) {
    throw new PeerAiError('INVALID_FORMAT', 'a part of the answer in the wrong place');
  }
  received.bytes.push(bytes);
  received.length += bytes.length;
  if (toolCall !== undefined) return { type: 'tool-call', ...toolCall };
  return text === undefined || text === '' ? undefined : { type: 'text-delta', text };
}

async function finish(
  deps: RemoteDeps,
  options: RemoteOptions,
  channel: Channel,
  received: Received,
  frame: FinishFrame | undefined,
): Promise<AnswerPart> {
  if (frame === undefined) throw new PeerAiError('INVALID_FORMAT', 'a finish without its fields');
  const { path } = channel.link;
  const receipt = await sign(deps, options, channel, received, frame, true);
  const { statement } = frame;
  return {
    type: 'finish',
    reason: frame.reason,
    usage: usageOf(frame),
    servedBy: {
      peer: options.peer,
      path,
      ...(receipt === undefined ? {} : { receipt }),
      ...(statement === undefined ? {} : { statement }),
    },
    ...(frame.suggestions.length === 0 ? {} : { suggestions: frame.suggestions.map(trim) }),
  };
}

/** The double-signed receipt, which the provider gets too; nothing when this side did not sign. */
async function sign(
  deps: RemoteDeps,
  { onReceipt }: RemoteOptions,
  channel: Channel,
  received: Received,
  frame: FinishFrame,
  whole: boolean,
): Promise<Uint8Array | undefined> {
  const { receiptHalf } = frame;
  if (onReceipt === undefined || receiptHalf.length === 0 || receiptHalf.length > limits.receiptBytesMax)
    return undefined;
  const { requestId, model, prompt, sampling } = received.question;
  const facts = {
    model,
    requestId,
    usage: usageOf(frame),
    prompt,
    maxTokens: sampling.maxTokens,
    ...(whole ? { workHash: workHash(deps.crypto, prompt, received.bytes) } : {}),
  };
  try {
    return await withDeadline(deps.clock, limits.countersignMs, channel.signal, async () => {
      const receipt = await onReceipt(receiptHalf, facts);
      await channel.send(encodeClientFrame({ kind: 'countersigned', receipt }));
      return receipt;
    });
  } catch {
    // The answer is here; what is wrong with its receipt is for `onReceipt` to tell its owner.
    return undefined;
  }
}

/** Stops the provider at once, then signs for what was made; nobody waits for this. */
async function cancel(
  deps: RemoteDeps,
  options: RemoteOptions,
  channel: Channel,
  frames: PatientReader<Uint8Array>,
  received: Received,
): Promise<void> {
  try {
    await withDeadline(deps.clock, limits.cancelReceiptMs, channel.signal, async (signal) => {
      await channel.send(encodeClientFrame({ kind: 'cancel' }));
      for (;;) {
        const { kind, finish } = providerFrame.decode(await frames.next(signal));
        if (finish !== undefined) await sign(deps, options, channel, received, finish, false);
        if (kind === 'finish' || kind === 'error') return channel.close();
      }
    });
  } catch {
    await channel.close('ABORTED').catch(() => undefined);
  }
}

function usageOf({ promptTokens, answerTokens, estimated }: FinishFrame): Usage {
  return { promptTokens, answerTokens, ...(estimated === true ? { estimated } : {}) };
}

const trim = (suggestion: string): string => suggestion.slice(0, limits.suggestionCharsMax);
