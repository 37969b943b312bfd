import { createHash } from 'node:crypto';
import { rfc8785 } from './canonical.ts';
import type { Channel } from './channel.ts';
import { fromPlain } from './json.ts';
import { bytesOf, type Field, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

const ROLES = { system: 1n, user: 2n, assistant: 3n, tool: 4n } as const;

export interface Question {
  readonly requestId: string;
  readonly model: string;
  readonly messages: readonly { readonly role: keyof typeof ROLES; readonly text: string }[];
  readonly maxTokens: number;
  /** A ticket's proof; none for paired peers. */
  readonly grant?: Buffer;
  readonly resumeOffset?: number;
}

/** An answer of `/peerai/model/1` (docs/protocol/model-share.md). */
export interface Answer {
  readonly text: string;
  /** Where each part began. */
  readonly offsets: readonly number[];
  /** Tokens this request might have used. */
  readonly units: number;
  readonly reason: 'stop' | 'length' | 'tool-calls';
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly receiptHalf: Buffer;
}

const frameOf = (kind: bigint, field: Field): Buffer => writeFields([[1, kind], field]);

/** Asks one question and reads the answer to its end; `sign` gives the receipt with both signatures. Throws the error's code. */
export async function ask(channel: Channel, question: Question, sign: (half: Buffer) => Buffer): Promise<Answer> {
  await channel.send(frameOf(1n, [2, writeQuestion(question)]));
  let text = '';
  let units = 0;
  const offsets: number[] = [];
  for (;;) {
    const message = await channel.next();
    if (message === undefined) throw new Refusal('INVALID_FORMAT', 'the answer has no end');
    const frame = readFields(message);
    const kind = numberOf(frame, 1);
    if (kind === 2n) units = Number(numberOf(frame, 3));
    if (kind === 3n) {
      offsets.push(Number(numberOf(frame, 4)));
      text += bytesOf(frame, 5).toString('utf8');
    }
    if (kind === 6n) throw refusalOf(bytesOf(frame, 8));
    if (kind === 5n) {
      const finish = readFields(bytesOf(frame, 7));
      const receiptHalf = bytesOf(finish, 5);
      await channel.send(frameOf(2n, [3, sign(receiptHalf)]));
      channel.end();
      const reason = (['stop', 'length', 'tool-calls'] as const)[Number(numberOf(finish, 1)) - 1] ?? 'stop';
      const [promptTokens, answerTokens] = [Number(numberOf(finish, 2)), Number(numberOf(finish, 3))];
      return { text, offsets, units, reason, promptTokens, answerTokens, receiptHalf };
    }
  }
}

/** SHA-256 over prompt and answer, as both sides count them. */
export function workHashOf(question: Question, answer: string): Buffer {
  const prompt = rfc8785(fromPlain(question.messages.map(({ role, text }) => ({ role, text }))));
  return createHash('sha256').update(prompt).update(answer).digest();
}

function writeQuestion(question: Question): Buffer {
  return writeFields([
    [1, Buffer.from(question.requestId)],
    [2, Buffer.from(question.model)],
    ...question.messages.map(({ role, text }): Field => {
      const message: Field[] = [
        [1, ROLES[role]],
        [2, Buffer.from(text)],
      ];
      return [3, writeFields(message)];
    }),
    [4, BigInt(question.maxTokens)],
    ...(question.grant === undefined ? [] : [[9, question.grant] as const]),
    ...(question.resumeOffset === undefined ? [] : [[10, BigInt(question.resumeOffset)] as const]),
  ]);
}

function refusalOf(bytes: Buffer): Refusal {
  const error = readFields(bytes);
  return new Refusal(bytesOf(error, 1).toString('utf8'), bytesOf(error, 2).toString('utf8'));
}
