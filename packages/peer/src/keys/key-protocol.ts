import { limits as coreLimits, type Method, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bytes, message, uint32 } = wire;

/** A succession or revocation as core-protocol signs it; it proves itself, whoever brings it. */
export const keyNews = message({ statement: bytes(1) });
/** 1: it was a key known here, and what it says is kept. 0: nobody here knows that key. */
export const keyAnswer = message({ known: uint32(1) });

/** `/peerai/key/1`: for anyone, as a peer with a new key is a stranger until it is heard. */
export const keyMethod: Method<ReturnType<typeof keyNews.decode>, ReturnType<typeof keyAnswer.decode>> = {
  protocol: {
    id: '/peerai/key/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 2 * coreLimits.keyStatementBytesMax,
    channelsPerPeerMax: 2,
  },
  request: keyNews,
  response: keyAnswer,
  timeoutMs: limits.questionMs,
};
