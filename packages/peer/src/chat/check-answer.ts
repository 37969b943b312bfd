import { type CryptoProvider, fromUtf8 } from '@peerai/core-protocol';
import { type Engine, llmLimits } from '@peerai/llm-bridge';
import { checkAnswer, decodeAnswerFile, openStatement } from '@peerai/llm-bridge/proof';
import { gathered } from '../store/gathered.ts';
import type { AnswerCheckView } from './chat.schema.ts';

export interface CheckAnswerDeps {
  readonly crypto: CryptoProvider;
  /** As they are, without the system text of this peer. */
  readonly engines: () => readonly Engine[];
  /** Another one's may be the same. */
  readonly systemPrompt: string | undefined;
}

/**
 * Asks the model that an answer is said to be of again, where it is here with the same weights. Throws MODEL_UNKNOWN where it is not, INVALID_FORMAT, INVALID_SIGNATURE, HASH_MISMATCH,
 * SYSTEM_TEXT_MISSING, LIMIT_EXCEEDED, and what the model throws.
 */
export async function checkAnswerHere(
  { crypto, engines, systemPrompt }: CheckAnswerDeps,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<AnswerCheckView> {
  const file = decodeAnswerFile(await gathered(content, llmLimits.answerFileBytesMax));
  const { engine: kind } = openStatement(crypto, file.statement).identity;
  const own = await Promise.all(engines().map(async (engine) => (engine.kind === kind ? engine.list(signal) : [])));
  const systemTexts = systemPrompt === undefined ? [] : [systemPrompt];
  const found = await checkAnswer(crypto, file, own.flat(), signal, systemTexts);
  const { statement, verdict, margin, answer, reason } = found;
  const { provider, model, identity, statedMs } = statement;
  const { engine, version } = identity;
  const what = { v: 1, verdict, provider, model, engine, version, statedMs } as const;
  if (verdict === 'equal') return what;
  return { ...what, here: fromUtf8(answer), reason, ...(margin === undefined ? {} : { margin }) };
}
