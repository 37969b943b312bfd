import { type Channel, type Clock, concatBytes, fromUtf8, PeerAiError } from '@peerai/core-protocol';
import { orAborted, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { encodeProviderFrame } from './protocol.ts';
import type { Ending, Entry, Transcript } from './transcript.ts';

/**
 * A transcript over a channel, from an offset to its ending, each part as soon as it is there; parts that gathered while the reader was slow
 * go together. Throws INVALID_FORMAT when no part begins at the offset, TIMEOUT when the reader takes nothing, the signal's reason.
 */
export async function sendAnswer(
  clock: Clock,
  channel: Channel,
  transcript: Transcript,
  offset: number,
  signal: AbortSignal,
): Promise<void> {
  const send = (frame: Parameters<typeof encodeProviderFrame>[0]): Promise<void> =>
    withDeadline(clock, limits.readerStallMs, signal, () => channel.send(encodeProviderFrame(frame)));
  let next = transcript.indexAt(offset);
  if (next === undefined) throw new PeerAiError('INVALID_FORMAT', 'no part of the answer begins at that offset');
  let position: number | undefined;
  let accepted = false;
  for (;;) {
    const changed = transcript.changed();
    if (transcript.position !== undefined && transcript.position !== position) {
      position = transcript.position;
      await send({ kind: 'queued', position });
    }
    if (transcript.units !== undefined && !accepted) {
      accepted = true;
      await send({ kind: 'accepted', units: transcript.units });
    }
    if (next < transcript.entries.length) {
      const piece = gather(transcript.entries, next);
      next = piece.next;
      await send(piece.frame);
    } else if (transcript.ending !== undefined) return send(endingFrame(transcript.ending));
    else await orAborted(changed, signal);
  }
}

/** The entry at `first`, with the texts right after it as far as one delta goes. */
function gather(
  entries: readonly Entry[],
  first: number,
): { readonly next: number; readonly frame: Parameters<typeof encodeProviderFrame>[0] } {
  const entry = entries[first] as Entry;
  const { offset, call } = entry;
  if (call !== undefined) return { next: first + 1, frame: { kind: 'tool-call', offset, toolCall: call } };
  const texts = [entry.bytes];
  let size = entry.bytes.length;
  let next = first + 1;
  for (let more = entries[next]; more !== undefined && more.call === undefined; more = entries[next]) {
    if (size + more.bytes.length > limits.deltaBytesMax) break;
    texts.push(more.bytes);
    size += more.bytes.length;
    next += 1;
  }
  return {
    next,
    frame: { kind: 'delta', offset, text: fromUtf8(texts.length === 1 ? entry.bytes : concatBytes(...texts)) },
  };
}

function endingFrame(ending: Ending): Parameters<typeof encodeProviderFrame>[0] {
  if (ending.type === 'finish') return { kind: 'finish', finish: ending.finish };
  return { kind: 'error', error: ending.error, finish: ending.finish };
}

/** An error's frame as the last word; a reader that does not take it is dropped. */
export async function tellError(clock: Clock, channel: Channel, frame: Uint8Array): Promise<void> {
  await withDeadline(clock, limits.errorFrameMs, channel.signal, () => channel.send(frame)).catch(() =>
    channel.close('TIMEOUT'),
  );
}
