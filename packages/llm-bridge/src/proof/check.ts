import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  type LanguageModel,
  PeerAiError,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { createTranscript } from '../share/transcript.ts';
import { promptBytes } from '../share/work.ts';
import type { AnswerFile } from './answer-file.ts';
import { proofLimits } from './limits.ts';
import { type AnswerStatement, openStatement } from './statement.ts';

/**
 * What asking again gave. `equal`: the model gives these bytes, and ends for this reason. `different`: it does not, and the statement with the file is
 * evidence against its signer that anybody can check. `cannot-tell`: it does not either, and where they part the model here was so near to another
 * choice that another processor's last bits may decide: that is evidence of nothing.
 */
export type AnswerVerdict = 'equal' | 'different' | 'cannot-tell';
export interface AnswerCheck {
  readonly statement: AnswerStatement;
  readonly verdict: AnswerVerdict;
  /** How sure the model here was where they part, nats; absent where they do not, or it does not say. */
  readonly margin?: number;
  /** What the model gives here. */
  readonly answer: Uint8Array;
  readonly reason: AnswerStatement['reason'];
}

/**
 * Asks the same model the same again. Throws INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED; HASH_MISMATCH when prompt or answer are not those that
 * were signed: then the file says nothing about the provider; MODEL_UNKNOWN when none of `models` is the one stated, weights, engine and version;
 * SYSTEM_TEXT_MISSING when
 * its provider put a text before the question that is neither in the file nor among `systemTexts`; and what the model throws.
 */
export async function checkAnswer(
  crypto: CryptoProvider,
  file: AnswerFile,
  models: readonly LanguageModel[],
  signal: AbortSignal,
  systemTexts: readonly string[] = [],
): Promise<AnswerCheck> {
  const statement = openStatement(crypto, file.statement);
  if (!equalBytes(crypto.sha256(promptBytes(file.prompt)), statement.prompt)) throw other('prompt');
  if (!equalBytes(crypto.sha256(file.answer), statement.answer)) throw other('answer');
  const model = await findModel(statement, models, signal);
  const prompt = withSystem(crypto, file, statement, systemTexts);
  const { answer, reason, margin } = await ask(model, { ...file, prompt }, statement, signal);
  const given = { statement, answer, reason };
  if (reason === statement.reason && equalBytes(answer, file.answer)) return { ...given, verdict: 'equal' };
  if (margin === undefined) return { ...given, verdict: 'different' };
  return { ...given, margin, verdict: margin < proofLimits.answerMarginMin ? 'cannot-tell' : 'different' };
}

/** The prompt as the model got it. */
function withSystem(
  crypto: CryptoProvider,
  { prompt, system }: AnswerFile,
  { system: hash }: AnswerStatement,
  known: readonly string[],
): AnswerFile['prompt'] {
  if (hash === undefined) return prompt;
  const text = [...(system === undefined ? [] : [system]), ...known].find((one) =>
    equalBytes(crypto.sha256(utf8(one)), hash),
  );
  if (text !== undefined) return { messages: [{ role: 'system', text }, ...prompt.messages] };
  throw llmError(
    'SYSTEM_TEXT_MISSING',
    system === undefined
      ? 'its provider put a text of its own before the question (llm.system_prompt), and signed its hash: who checks needs that text'
      : 'this is not the text that its provider put before the question: its hash is another one',
    { sha256: toHex(hash), hint: 'Ask its owner for it: `peerai check-answer FILE --system @text.txt`.' },
  );
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

interface Again extends Pick<AnswerCheck, 'answer' | 'reason'> {
  readonly margin: number | undefined;
}

/** The same bytes as a provider's, by the same transcript. */
async function ask(
  model: LanguageModel,
  { prompt, answer: claimed }: AnswerFile,
  { sampling }: AnswerStatement,
  signal: AbortSignal,
): Promise<Again> {
  const transcript = createTranscript();
  /** Of the piece in which the two part, and how many pieces were compared. */
  let parted: { readonly margin: number | undefined } | undefined;
  let compared = 0;
  const ended = (reason: AnswerStatement['reason'], ofEnd?: number): Again => {
    transcript.end({ type: 'error', error: { code: 'INTERNAL', message: '', retryAfterMs: undefined } });
    const answer = concatBytes(...transcript.entries.map(({ bytes }) => bytes));
    return { answer, reason, margin: parted === undefined ? ofEnd : parted.margin };
  };
  for await (const part of model.generate(prompt, sampling, signal)) {
    if (part.type === 'finish') return ended(part.reason, part.margin);
    const fits = part.type === 'text-delta' ? transcript.text(part.text) : transcript.call(part);
    if (!fits) return ended('length');
    const fresh = transcript.entries.slice(compared);
    compared += fresh.length;
    if (fresh.some(({ offset, bytes }) => !equalBytes(bytes, claimed.subarray(offset, offset + bytes.length))))
      parted ??= { margin: part.type === 'text-delta' ? part.margin : undefined };
  }
  throw llmError('ENGINE_FAILED', 'the engine ended without a finish');
}

const other = (what: string): PeerAiError =>
  new PeerAiError('HASH_MISMATCH', `the ${what} in this file is not the one that was signed`, { what });
