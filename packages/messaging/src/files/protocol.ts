import { type Method, PeerAiError, utf8, wire } from '@peerai/core-protocol';
import { fileLimits } from './limits.ts';

const { bytes, message, nested, oneOf, optional, repeated, string, uint32, uint53 } = wire;

/** `offer`: may I, and what is missing? `piece`: one of it. `cancel`: it does not come any more. */
const questionForm = message({
  /** 16 bytes, chosen by the sender: the same over all attempts. */
  transfer: bytes(1),
  step: oneOf(2, ['offer', 'piece', 'cancel']),
  offer: optional(nested(3, message({ name: string(1), size: uint53(2), sha256: bytes(3) }))),
  index: optional(uint32(4)),
  data: optional(bytes(5)),
});
/** `wanted`: go on. `done`: whole, checked and on the disk, now or before. `refused`: never. `later`: not now. */
export const fileAnswerForm = message({
  state: oneOf(1, ['wanted', 'done', 'refused', 'later']),
  /** After an offer: pieces that are not here yet. */
  missing: repeated(uint32(2), fileLimits.piecesMax),
  code: optional(string(3)),
  retryAfterMs: optional(uint53(4)),
});
export type FileAnswer = ReturnType<typeof fileAnswerForm.decode>;
export interface FileOffer {
  readonly name: string;
  readonly size: number;
  readonly sha256: Uint8Array;
}
export type FileQuestion = { readonly transfer: Uint8Array } & (
  | { readonly step: 'offer'; readonly offer: FileOffer }
  | { readonly step: 'piece'; readonly index: number; readonly data: Uint8Array }
  | { readonly step: 'cancel' }
);

const wrong = (what: string): PeerAiError =>
  new PeerAiError('INVALID_FORMAT', `this is no question about a file: ${what}`);

/** Written and read; `decode` throws INVALID_FORMAT. */
export const fileQuestionForm = {
  encode: (question: FileQuestion): Uint8Array =>
    questionForm.encode({ offer: undefined, index: undefined, data: undefined, ...question }),
  decode(body: Uint8Array): FileQuestion {
    const { transfer, step, offer, index, data } = questionForm.decode(body);
    if (transfer.length !== 16) throw wrong('its id has 16 bytes');
    if (step === 'cancel') return { transfer, step };
    if (step === 'offer') {
      if (offer === undefined || offer.sha256.length !== 32) throw wrong('an offer says what is offered');
      const nameBytes = utf8(offer.name).length;
      if (nameBytes === 0 || nameBytes > fileLimits.nameBytesMax) throw wrong('its name');
      return { transfer, step, offer };
    }
    if (index === undefined || data === undefined || data.length === 0 || data.length > fileLimits.pieceBytes) {
      throw wrong('a piece');
    }
    return { transfer, step, index, data };
  },
};

/** `/peerai/file/1`: one question, one answer. */
export const fileMethod: Method<FileQuestion, FileAnswer> = {
  protocol: {
    id: '/peerai/file/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: fileLimits.pieceBytes + 1_024,
    priority: 'low',
    channelsPerPeerMax: fileLimits.channelsPerPeerMax,
  },
  request: fileQuestionForm,
  response: fileAnswerForm,
  timeoutMs: fileLimits.questionMs,
};

export const piecesOf = (size: number): number => Math.ceil(size / fileLimits.pieceBytes);
/** Bytes of one piece. */
export const pieceLength = (size: number, index: number): number =>
  Math.min(fileLimits.pieceBytes, size - index * fileLimits.pieceBytes);
