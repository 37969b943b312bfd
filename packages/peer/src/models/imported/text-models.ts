import {
  type AnswerPart,
  type LanguageModel,
  type ModelCard,
  orAborted,
  PeerAiError,
  reasonOf,
} from '@peerai/core-protocol';
import type { ImportedModelView } from '../imported.schema.ts';
import { modelLimits } from '../limits.ts';
import { type ImportedRoom, withoutTokenizer } from './imported-room.ts';
import type { WriterFinish } from './runner.ts';

type Room = Pick<ImportedRoom, 'list' | 'embed' | 'write'>;

/** Imported models that have a tokenizer, as what is asked. */
export const textModels = (room: Room): readonly LanguageModel[] =>
  room.list().flatMap((model) => {
    if (model.language !== undefined) return [writer(model, model.language, room)];
    return model.embedding === undefined ? [] : [embedder(model, room)];
  });

/** One by name; also a language model without a tokenizer, which says what it lacks. */
export function textModel(room: Room, name: string): LanguageModel | undefined {
  const found = textModels(room).find(({ card }) => card.name === name);
  if (found !== undefined) return found;
  const model = room.list().find((one) => one.name === name && one.texts === 'language');
  if (model === undefined) return undefined;
  const description = 'An imported ONNX language model without its tokenizer.';
  return silent(cardOf(model, { contextTokensMax: 0, deterministic: false, fits: false, description }), () =>
    withoutTokenizer(name),
  );
}

type Said = Pick<ModelCard, 'contextTokensMax' | 'deterministic' | 'fits' | 'description'> & {
  readonly embeds?: boolean;
  readonly forEmbeddings?: boolean;
};
const cardOf = ({ name, bytes, loaded }: ImportedModelView, said: Said): ModelCard => ({
  name,
  engine: 'onnx',
  memoryBytes: bytes,
  loaded,
  ...said,
});

const silent = (card: ModelCard, why: () => PeerAiError): LanguageModel => ({
  specification: 1,
  card,
  // oxlint-disable-next-line require-yield -- the port wants a generator, and there is no answer
  async *generate() {
    throw why();
  },
});

function embedder(model: ImportedModelView, room: Room): LanguageModel {
  const { name } = model;
  const card = cardOf(model, {
    contextTokensMax: modelLimits.importedTokensMax,
    deterministic: true,
    fits: true,
    embeds: true,
    forEmbeddings: true,
    description: 'An imported ONNX model: it makes embeddings and answers nothing.',
  });
  return {
    ...silent(card, () => new PeerAiError('UNSUPPORTED', `${name} makes embeddings only; ask another model`)),
    embed: (texts, signal) => room.embed(name, texts, signal),
  };
}

function writer(
  model: ImportedModelView,
  { contextTokens, hasTemplate }: NonNullable<ImportedModelView['language']>,
  room: Room,
): LanguageModel {
  const way = hasTemplate ? 'it answers chats' : 'it goes on with what was said, having no chat template';
  return {
    specification: 1,
    card: cardOf(model, {
      contextTokensMax: contextTokens,
      // Another machine's kernels may round otherwise.
      deterministic: false,
      fits: true,
      description: `An imported ONNX language model: ${way}.`,
    }),
    async *generate(prompt, sampling, signal): AsyncGenerator<AnswerPart, void, undefined> {
      if (signal.aborted) throw reasonOf(signal);
      const leaving = new AbortController();
      let news = Promise.withResolvers<void>();
      const answer: { pieces: string[]; finish?: WriterFinish } = { pieces: [] };
      const heard = (text: string): void => {
        if (text !== '') answer.pieces.push(text);
        news.resolve();
      };
      const write = async (): Promise<void> => {
        const until = AbortSignal.any([signal, leaving.signal]);
        answer.finish = await room.write(model.name, { prompt, sampling, heard }, until);
      };
      const whole = write();
      // Who waits for it below hears of its fault; who left before does not.
      whole.catch(() => undefined);
      try {
        while (answer.finish === undefined || answer.pieces.length > 0) {
          const [text, next] = [answer.pieces.splice(0).join(''), Promise.withResolvers<void>()];
          news = next;
          if (text !== '') yield { type: 'text-delta', text };
          // What was heard while the reader was busy is shown before anything is waited for.
          if (answer.pieces.length === 0) await orAborted(Promise.race([next.promise, whole]), signal);
        }
      } finally {
        leaving.abort();
      }
      const { reason, promptTokens, answerTokens } = answer.finish;
      yield { type: 'finish', reason: reason === 'stop' ? 'stop' : 'length', usage: { promptTokens, answerTokens } };
    },
  };
}
