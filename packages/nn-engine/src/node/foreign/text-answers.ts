import type { Tensors } from '@peerai/core-protocol';

import { ChildFault } from './child-fault.ts';
import type { ChildAnswer, ChildStart, EmbedQuestion, WriteQuestion, WriterFinish } from './child-messages.ts';
import { type TokenRows, tokenFeeds, tokenRows, unitVectors } from './embed-texts.ts';
import { readLanguage, readTokenizer } from './language.ts';
import { wordsOf } from './prompt-text.ts';
import { readTextFiles } from './text-files.ts';
import { type WriterDeps, writeText } from './write-text.ts';

/** What the child does with texts, where it was started for them. */
export interface TextAnswers {
  readonly facts: Pick<ChildAnswer, 'facts'>;
  embed(question: EmbedQuestion): Promise<{ readonly tensors: Tensors }>;
  write(question: WriteQuestion, say: (text: string) => void, signal: AbortSignal): Promise<WriterFinish>;
}

/** Throws MODEL_INVALID, MODEL_FILE_MISSING, MODEL_REFUSED for text files that are none. */
export async function textAnswers({ texts, writing }: ChildStart, ask: WriterDeps['ask']): Promise<TextAnswers> {
  const language = writing && (await readLanguage(readTextFiles(writing.files)));
  const tokenizer = texts && (await readTokenizer(readTextFiles(texts.files)));
  return {
    facts: language === undefined ? {} : { facts: language.facts },
    async embed(question) {
      if (texts === undefined || tokenizer === undefined) throw otherwise;
      const rows = rowsOf(question.texts, (text) => tokenizer.encode(text).ids, texts.tokensMax);
      const { tensors } = await ask({ kind: 'run', feeds: tokenFeeds(rows, texts.inputs) });
      const output = tensors?.[texts.output];
      const vectors = output === undefined ? undefined : unitVectors(output, rows);
      if (vectors === undefined) throw new ChildFault('MODEL_REFUSED', 'The model gives no vectors for texts.');
      return { tensors: { vectors } };
    },
    write(question, say, signal) {
      if (writing === undefined || language === undefined) throw otherwise;
      return writeText({ shape: writing.shape, language, ask }, question, say, signal);
    },
  };
}

function rowsOf(texts: readonly string[], encode: (text: string) => readonly unknown[], tokensMax: number): TokenRows {
  try {
    return tokenRows(texts, encode, tokensMax);
  } catch (error) {
    throw new ChildFault('MODEL_REFUSED', `The tokenizer cannot take this text: ${wordsOf(error)}.`);
  }
}

const otherwise = new ChildFault('MODEL_REFUSED', 'This model was started for something else.');
