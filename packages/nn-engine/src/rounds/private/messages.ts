import { type Method, PeerAiError, wire } from '@peerai/core-protocol';

import { limits } from '../../limits.ts';
import { extraElements } from './terms.ts';

/** The steps of one masked sum, in order (Bonawitz et al., CCS 2017). */
export const sumSteps = ['keys', 'shares', 'masked', 'confirm', 'unmask'] as const;
export type SumStep = (typeof sumSteps)[number];

/** Something of one member: its keys, its shares for another, its receipt, its signature, or only its name. */
export interface SumPart {
  readonly peer: string;
  readonly body: Uint8Array;
}

const partForm = wire.message({ peer: wire.string(1), body: wire.bytes(2) });
const parts = (number: number) => wire.repeated(wire.nested(number, partForm), limits.privateMembersMax);
const askForm = wire.message({
  run: wire.bytes(1),
  term: wire.uint32(2),
  base: wire.bytes(3),
  attempt: wire.uint32(4),
  step: wire.oneOf(5, sumSteps),
  parts: parts(6),
});
const answerForm = wire.message({ is: wire.oneOf(1, ['closed', 'open', 'late']), parts: parts(2) });

export type SumAsk = ReturnType<typeof askForm.decode>;
/** `open`: the step waits for others, ask again. `late`: it went on without this member, or the sum is another one now. */
export type SumAnswer = ReturnType<typeof answerForm.decode>;

/** `/peerai/train/sum/1`: a member's part of one step of a masked sum; the answer is what it needs for the next. */
export const sumMethod: Method<SumAsk, SumAnswer> = {
  protocol: {
    id: '/peerai/train/sum/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.sumBytesMax,
    channelsPerPeerMax: 8,
  },
  request: askForm,
  response: answerForm,
  timeoutMs: limits.submitMsMax,
};

/** Bytes of one masked input. */
export const maskedBytes = (size: number): number => (size + extraElements) * 4;

/** Words modulo 2^32, little-endian. */
export function encodeWords(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < words.length; index += 1) view.setUint32(index * 4, words[index] ?? 0, true);
  return bytes;
}

/** @param size - elements of the run's weights. Throws INVALID_FORMAT. */
export function decodeWords(bytes: Uint8Array, size: number): Uint32Array {
  if (bytes.length !== maskedBytes(size))
    throw new PeerAiError('INVALID_FORMAT', 'A masked input has another length than the run’s.', {
      expected: maskedBytes(size),
      received: bytes.length,
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4, true));
}
