import { PeerAiError, type Prompt, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { promptMessage } from '../share/protocol.ts';
import { checkPromptBytes } from '../share/question.ts';

/** A statement with what it is about: all that a third peer needs besides the model. */
export interface AnswerFile {
  readonly statement: Uint8Array;
  readonly prompt: Prompt;
  /** The answer's bytes: its text as UTF-8; a tool call as its JSON. */
  readonly answer: Uint8Array;
  /** What the provider put before the question, from whoever checks: it is not signed, only its hash. */
  readonly system?: string;
}

const fileForm = wire.message({
  statement: wire.bytes(1),
  messages: wire.repeated(wire.nested(2, promptMessage), limits.promptMessagesMax),
  answer: wire.bytes(3),
  system: wire.optional(wire.string(4)),
});

export const encodeAnswerFile = ({ statement, prompt, answer, system }: AnswerFile): Uint8Array =>
  fileForm.encode({ statement, messages: prompt.messages, answer, system });

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED, PROMPT_TOO_LONG. Nothing is checked yet but sizes. */
export function decodeAnswerFile(bytes: Uint8Array): AnswerFile {
  if (bytes.length > limits.answerFileBytesMax) throw tooLong(limits.answerFileBytesMax);
  const { statement, messages, answer, system } = fileForm.decode(bytes);
  if (answer.length > limits.answerBytesMax) throw tooLong(limits.answerBytesMax);
  checkPromptBytes({ messages });
  return { statement, prompt: { messages }, answer, ...(system === undefined ? {} : { system }) };
}

const tooLong = (max: number): PeerAiError =>
  new PeerAiError('LIMIT_EXCEEDED', `an answer's file is above its limit of ${max} bytes`, { max });
