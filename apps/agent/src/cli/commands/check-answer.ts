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
    {
      file: { type: 'positional', required: true, description: 'File of `peerai run --proof FILE`' },
      system: {
        type: 'string',
        valueHint: 'TEXT|@file',
        description:
          'The text its provider puts before questions (llm.system_prompt), where it does and you were given it',
      },
    } as const,
    async ({ args, agent, output, signal }) => {
      const bytes = await readFile(args.file).catch((cause: unknown) => {
        throw unreadable(args.file, cause);
      });
      const kept = decodeAnswerFile(bytes);
      const file = args.system === undefined ? kept : { ...kept, system: await readText(args.system) };
      const isNano = openStatement(nodeCrypto, file.statement).identity.engine === 'nano';
      const found = isNano
        ? await askedOfNano(file, signal)
        : await (await agent()).client.checkAnswer(new Blob([encodeAnswerFile(file).slice()]), signal);
      const { verdict, provider, model, engine, version, statedMs } = found;
      if (verdict !== 'equal') throw partedError(found, file.answer);
      const view = { equal: true, provider, model, engine, version, statedMs };
      output.data(view, () => `${model} gives the same answer here. It is what ${provider} signed.`);
    },
  ),
};

/** A text, or what is in a file. */
async function readText(given: string): Promise<string> {
  if (!given.startsWith('@')) return given;
  return readFile(given.slice(1), 'utf8').catch((cause: unknown) => {
    throw unreadable(given.slice(1), cause);
  });
}

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
      'the answer came without a statement: only nano and models that peers trained together, asked of another peer, can be asked again to the same bytes',
      {
        hint: 'Imported files and split models are computed by kernels that round as each processor does, Ollama, llama.cpp and other engines do not say what they run, and older peers sign nothing.',
      },
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
