import { concatBytes, type CryptoProvider, equalBytes, type LanguageModel, PeerAiError } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { createTranscript } from '../share/transcript.ts';
import { promptBytes } from '../share/work.ts';
import type { AnswerFile } from './answer-file.ts';
import { type AnswerStatement, openStatement } from './statement.ts';

/** What asking again gave. A statement that is not so, with the file, is evidence against its signer that anybody can check. */
export interface AnswerCheck {
  readonly statement: AnswerStatement;
  /** The model gives these bytes, and ends for this reason. */
  readonly equal: boolean;
  /** What the model gives here. */
  readonly answer: Uint8Array;
  readonly reason: AnswerStatement['reason'];
}

/**
 * Asks the same model the same again. Throws INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED; HASH_MISMATCH when prompt or answer are not those that
 * were signed: then the file says nothing about the provider; MODEL_UNKNOWN when none of `models` is the one stated, weights, engine and version;
 * and what the model throws.
 */
export async function checkAnswer(
  crypto: CryptoProvider,
  file: AnswerFile,
  models: readonly LanguageModel[],
  signal: AbortSignal,
): Promise<AnswerCheck> {
  const statement = openStatement(crypto, file.statement);
  if (!equalBytes(crypto.sha256(promptBytes(file.prompt)), statement.prompt)) throw other('prompt');
  if (!equalBytes(crypto.sha256(file.answer), statement.answer)) throw other('answer');
  const model = await findModel(statement, models, signal);
  const { answer, reason } = await ask(model, file, statement, signal);
  const equal = reason === statement.reason && equalBytes(answer, file.answer);
  return { statement, equal, answer, reason };
}

async function findModel(
  { identity, model: name }: AnswerStatement,
  models: readonly LanguageModel[],
  signal: AbortSignal,
): Promise<LanguageModel> {
  for (const model of models) {
    const own = model.card.deterministic ? await model.identify?.(signal) : undefined;
    const same = own?.engine === identity.engine && own.version === identity.version;
    if (own !== undefined && same && equalBytes(own.weights, identity.weights)) return model;
  }
  throw llmError(
    'MODEL_UNKNOWN',
    'the model that this answer is said to be of is not here, not with these weights and this engine',
    {
      model: name,
      engine: identity.engine,
      version: identity.version,
    },
  );
}

/** The same bytes as a provider's, by the same transcript. */
async function ask(
  model: LanguageModel,
  { prompt }: AnswerFile,
  { sampling }: AnswerStatement,
  signal: AbortSignal,
): Promise<Pick<AnswerCheck, 'answer' | 'reason'>> {
  const transcript = createTranscript();
  const ended = (reason: AnswerStatement['reason']): Pick<AnswerCheck, 'answer' | 'reason'> => {
    transcript.end({ type: 'error', error: { code: 'INTERNAL', message: '', retryAfterMs: undefined } });
    return { answer: concatBytes(...transcript.entries.map(({ bytes }) => bytes)), reason };
  };
  for await (const part of model.generate(prompt, sampling, signal)) {
    if (part.type === 'finish') return ended(part.reason);
    const fits = part.type === 'text-delta' ? transcript.text(part.text) : transcript.call(part);
    if (!fits) return ended('length');
  }
  throw llmError('ENGINE_FAILED', 'the engine ended without a finish');
}

const other = (what: string): PeerAiError =>
  new PeerAiError('HASH_MISMATCH', `the ${what} in this file is not the one that was signed`, { what });
