import { utf8 } from '@peerai/core-protocol';
import { createBell } from '../flow/bell.ts';
import { limits } from '../limits.ts';
import type { ErrorFields, FinishFrame } from './protocol.ts';
import { type ToolCall, toolCallBytes } from './work.ts';

/** One part of an answer and where it lies in the answer's bytes. */
export interface Entry {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Absent for text. */
  readonly call?: ToolCall;
}
export type Ending =
  | { readonly type: 'finish'; readonly finish: FinishFrame }
  /** `finish`: what was used until then, where something was. */
  | { readonly type: 'error'; readonly error: ErrorFields; readonly finish?: FinishFrame | undefined };

/** Where a request stands, and its answer so far: written once, read by whoever holds the channel, from any part on. */
export interface Transcript {
  readonly entries: readonly Entry[];
  readonly length: number;
  readonly position: number | undefined;
  readonly units: number | undefined;
  readonly ending: Ending | undefined;
  /** The number of the entry that begins at this offset; nothing where none does. */
  indexAt(offset: number): number | undefined;
  /** Take it before reading, await it after. */
  changed(): Promise<void>;
}
export interface TranscriptWriter extends Transcript {
  queued(position: number): void;
  accepted(units: number): void;
  /** False when the answer, or the call, would pass its limit; then nothing was added. */
  text(text: string): boolean;
  call(call: ToolCall): boolean;
  end(ending: Ending): void;
}

export function createTranscript(bytesMax: number = limits.answerBytesMax): TranscriptWriter {
  const bell = createBell();
  const entries: Entry[] = [];
  let length = 0;
  let half = '';
  let position: number | undefined;
  let units: number | undefined;
  let ending: Ending | undefined;
  const add = (bytes: Uint8Array, call?: ToolCall): boolean => {
    if (length + bytes.length > bytesMax) return false;
    if (bytes.length > 0) entries.push({ offset: length, bytes, ...(call === undefined ? {} : { call }) });
    length += bytes.length;
    bell.ring();
    return true;
  };
  const text = (piece: string): boolean => {
    const whole = half + piece;
    // An engine may cut a text between the two halves of a pair: the first waits for the second.
    const cut = /[\uD800-\uDBFF]$/.test(whole) ? whole.length - 1 : whole.length;
    if (!add(utf8(whole.slice(0, cut).toWellFormed()))) return false;
    half = whole.slice(cut);
    return true;
  };
  const flush = (): void => {
    if (half !== '') add(utf8(half.toWellFormed()));
    half = '';
  };
  return {
    entries,
    get length() {
      return length;
    },
    get position() {
      return position;
    },
    get units() {
      return units;
    },
    get ending() {
      return ending;
    },
    indexAt(offset) {
      if (offset === length) return entries.length;
      const index = entries.findIndex((entry) => entry.offset === offset);
      return index === -1 ? undefined : index;
    },
    changed: () => bell.next(),
    queued(next) {
      position = next;
      bell.ring();
    },
    accepted(allowed) {
      units = allowed;
      position = undefined;
      bell.ring();
    },
    text,
    call(call) {
      flush();
      const bytes = toolCallBytes(call);
      return bytes.length <= limits.toolCallBytesMax && add(bytes, call);
    },
    end(how) {
      flush();
      ending ??= how;
      bell.ring();
    },
  };
}
