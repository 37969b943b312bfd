import { type Clock, type Logger, PeerAiError, type PromptMessage } from '@peerai/core-protocol';
import { findModel } from '@peerai/llm-bridge';
import type { Config } from '@peerai/platform';
import { createEngines } from '../../host/engines.ts';
import { chatLimits } from './chat-limits.ts';

/** As the first assistants asked their models; an answer has a little more room here than their 80 tokens. */
const sampling = { maxTokens: chatLimits.answerTokensMax, temperature: 0.6, topP: 0.9 };
/** The model of the first assistants, where none is named. */
const usualModel = 'mistral';

export interface ChatModel {
  /** The answer to the last of these messages. Throws MODEL_UNKNOWN, NO_MODELS, TIMEOUT, what the engine throws. */
  answer(messages: readonly PromptMessage[], signal: AbortSignal): Promise<string>;
}

/** The model that the settings name, looked for at each question: an engine may be started later. Throws CONFIG_INVALID. */
export async function openChatModel(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  { engines: choices, default_model: name, system_prompt: system }: Config['llm'],
  self: string,
): Promise<ChatModel> {
  const engines = await createEngines({ clock, logger }, choices);
  const find = async (signal: AbortSignal) => {
    await engines.probe(signal);
    if (name !== undefined) {
      for (const engine of engines.list()) {
        const model = await engine.model(name, signal);
        if (model !== undefined) return model;
      }
      throw new PeerAiError('MODEL_UNKNOWN', `there is no model ${name} here`);
    }
    const lists = await Promise.all(engines.list().map((engine) => engine.list(signal)));
    const model = findModel(lists.flat(), usualModel) ?? lists.flat()[0];
    if (model === undefined) throw new PeerAiError('NO_MODELS', 'there is no model here');
    return model;
  };
  const about = system ?? `You are ${self}. Answer politely, in fewer than three sentences, without lists.`;
  return {
    async answer(messages, caller) {
      const signal = clock.deadline(chatLimits.answerMsMax, caller);
      const model = await find(signal);
      let text = '';
      const prompt = { messages: [{ role: 'system', text: about } as const, ...messages] };
      for await (const part of model.generate(prompt, sampling, signal)) {
        if (part.type === 'text-delta') text += part.text;
      }
      return text.trim();
    },
  };
}
