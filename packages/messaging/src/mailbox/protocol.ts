import { limits as coreLimits, type Method, wire } from '@peerai/core-protocol';
import { mailboxLimits } from './limits.ts';

const question = wire.message({
  verb: wire.oneOf(1, ['register', 'leave', 'unregister', 'next']),
  /** `leave`: for whom. */
  to: wire.optional(wire.string(2)),
  /** `leave`: the sealed letter. */
  letter: wire.optional(wire.bytes(3)),
  /** `next`: the letter behind this place. */
  after: wire.optional(wire.uint53(4)),
  /** `next`: places whose letters are done with. */
  done: wire.repeated(wire.uint53(5), mailboxLimits.donePerQuestionMax),
});
const answer = wire.message({
  /** `next`: where the letter lies, and the letter; both absent when none is left. */
  place: wire.optional(wire.uint53(1)),
  letter: wire.optional(wire.bytes(2)),
});
export type MailboxQuestion = ReturnType<typeof question.decode>;
export type MailboxAnswer = ReturnType<typeof answer.decode>;

/** `/peerai/mailbox/1`: whoever opens it is known by the key of its link, and that is the proof of what it asks. */
export const mailboxMethod: Method<MailboxQuestion, MailboxAnswer> = {
  protocol: {
    id: '/peerai/mailbox/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: mailboxLimits.frameBytesMax,
    channelsPerPeerMax: mailboxLimits.channelsPerPeerMax,
  },
  request: question,
  response: answer,
  timeoutMs: mailboxLimits.questionMsMax,
};

const recordSwap = wire.message({ record: wire.bytes(1) });

/** `/peerai/record/1`: paired peers give each other their signed records, so that each can write to the other while it is away. */
export const recordMethod: Method<{ readonly record: Uint8Array }, { readonly record: Uint8Array }> = {
  protocol: {
    id: '/peerai/record/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: coreLimits.recordBytesMax + 1_024,
    channelsPerPeerMax: mailboxLimits.recordChannelsPerPeerMax,
  },
  request: recordSwap,
  response: recordSwap,
  timeoutMs: mailboxLimits.recordMsMax,
};
