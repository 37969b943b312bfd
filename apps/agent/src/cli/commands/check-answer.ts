import { readFile, writeFile } from 'node:fs/promises';
import { equalBytes, fromBase64Url, fromUtf8, PeerAiError, type Prompt, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { promptBytes } from '@peerai/llm-bridge/share';
import {
  type AnswerFile,
  checkAnswer,
  decodeAnswerFile,
  encodeAnswerFile,
  openStatement,
} from '@peerai/llm-bridge/proof';
import type { AnswerCheckView } from '@peerai/peer/control';
import { systemClock } from '@peerai/platform';
import { nanoEngine } from '../../host/nano-engine.ts';
import { command, type Verb } from '../command.ts';
import { unreadable } from '../open-file.ts';

export const checkAnswerVerb: Verb = {
  run: command(
    'check-answer',
    'Ask the same model the same again, and see whether an answer kept with `run --proof` is what it gives; for nano needs no running peer, for a model that was trained together one that has it',
    { file: { type: 'positional', required: true, description: 'File of `peerai run --proof FILE`' } } as const,
    async ({ args, agent, output, signal }) => {
      const bytes = await readFile(args.file).catch((cause: unknown) => {
        throw unreadable(args.file, cause);
      });
      const file = decodeAnswerFile(bytes);
      const isNano = openStatement(nodeCrypto, file.statement).identity.engine === 'nano';
      const found = isNano
        ? await askedOfNano(file, signal)
        : await (await agent()).client.checkAnswer(new Blob([bytes.slice()]), signal);
      const { verdict, provider, model, engine, version, statedMs } = found;
      if (verdict !== 'equal') throw partedError(found, file.answer);
      const view = { equal: true, provider, model, engine, version, statedMs };
      output.data(view, () => `${model} gives the same answer here. It is what ${provider} signed.`);
    },
  ),
};

type Found = Omit<AnswerCheckView, 'v'>;

async function askedOfNano(file: AnswerFile, signal: AbortSignal): Promise<Found> {
  const models = await nanoEngine(systemClock).list(signal);
  const { statement, verdict, answer, reason } = await checkAnswer(nodeCrypto, file, models, signal);
  const { provider, model, identity, statedMs } = statement;
  const { engine, version } = identity;
  return { verdict, provider, model, engine, version, statedMs, here: fromUtf8(answer), reason };
}

/** What is said of an answer that the model here does not give. */
export function partedError(
  { verdict, provider, model, here = '', reason, margin }: Found,
  signed: Uint8Array,
): PeerAiError {
  const what = equalBytes(utf8(here), signed) ? `ends for another reason (${reason})` : 'gives another answer';
  const facts = { provider, model, here, ...(margin === undefined ? {} : { margin }) };
  if (verdict === 'different')
    return new PeerAiError(
      'PROOF_WRONG',
      `${model} ${what} here than ${provider} signed; the file is the evidence.`,
      facts,
    );
  return new PeerAiError(
    'PROOF_UNCLEAR',
    `${model} ${what} here than ${provider} signed, and where they part it was as near to another word: another processor may choose that one. It is evidence of nothing.`,
    facts,
  );
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
