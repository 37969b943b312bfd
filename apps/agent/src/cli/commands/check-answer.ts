import { readFile, writeFile } from 'node:fs/promises';
import { equalBytes, fromBase64Url, fromUtf8, PeerAiError, type Prompt, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { promptBytes } from '@peerai/llm-bridge/share';
import {
  type AnswerCheck,
  checkAnswer,
  decodeAnswerFile,
  encodeAnswerFile,
  openStatement,
} from '@peerai/llm-bridge/proof';
import { systemClock } from '@peerai/platform';
import { nanoEngine } from '../../host/nano-engine.ts';
import { command, type Verb } from '../command.ts';
import { unreadable } from '../open-file.ts';

export const checkAnswerVerb: Verb = {
  run: command(
    'check-answer',
    'Ask the same model the same again, and see whether an answer kept with `run --proof` is what it gives; needs no running peer',
    { file: { type: 'positional', required: true, description: 'File of `peerai run --proof FILE`' } } as const,
    async ({ args, output, signal }) => {
      const bytes = await readFile(args.file).catch((cause: unknown) => {
        throw unreadable(args.file, cause);
      });
      const file = decodeAnswerFile(bytes);
      const found = await checkAnswer(nodeCrypto, file, await nanoEngine(systemClock).list(signal), signal);
      if (!found.equal) throw lie(found, file.answer);
      const { provider, model, identity, statedMs } = found.statement;
      const view = { equal: true, provider, model, engine: identity.engine, version: identity.version, statedMs };
      output.data(view, () => `${model} gives the same answer here. It is what ${provider} signed.`);
    },
  ),
};

function lie({ statement, answer, reason }: AnswerCheck, signed: Uint8Array): PeerAiError {
  const { provider, model } = statement;
  const what = equalBytes(answer, signed) ? `ends for another reason (${reason})` : 'gives another answer';
  return new PeerAiError('PROOF_WRONG', `${model} ${what} here than ${provider} signed; the file is the evidence.`, {
    provider,
    model,
    here: fromUtf8(answer),
  });
}

/**
 * Keeps an answer with what its provider signed. Throws NOT_FOUND when it signed nothing, HASH_MISMATCH when it signed another question or answer than
 * these, INVALID_FORMAT, INVALID_SIGNATURE.
 */
export async function keepAnswer(
  path: string,
  signed: string | undefined,
  prompt: Prompt,
  answer: string,
): Promise<void> {
  if (signed === undefined)
    throw new PeerAiError(
      'NOT_FOUND',
      'the answer came without a statement: the model is not deterministic, is your own, or its peer is older',
    );
  const file = { statement: fromBase64Url(signed), prompt, answer: utf8(answer) };
  const statement = openStatement(nodeCrypto, file.statement);
  const same = equalBytes(nodeCrypto.sha256(promptBytes(prompt)), statement.prompt);
  if (!same || !equalBytes(nodeCrypto.sha256(file.answer), statement.answer))
    throw new PeerAiError(
      'HASH_MISMATCH',
      'the peer signed another question or answer than these; with --memory the model is told more than you asked',
    );
  await writeFile(path, encodeAnswerFile(file));
}
