import type { PromptMessage } from '@peerai/core-protocol';

import { ChildFault } from './child-fault.ts';
import { isRecord, type TextFiles } from './text-files.ts';

/** What was said as the text that a model was trained to answer. Throws INVALID_FORMAT when its template refuses the messages. */
export type PromptText = (messages: readonly PromptMessage[]) => string;

const named = ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token', 'cls_token', 'mask_token'];

/**
 * The model's chat template (Jinja, as transformers' `apply_chat_template` uses it), or undefined where it has none. A template that takes no system message gets it at the
 * beginning of the first message of the user.
 *
 * Throws MODEL_INVALID for a template that is none.
 */
export async function chatTemplate(files: TextFiles): Promise<PromptText | undefined> {
  const source = sourceOf(files);
  if (source === undefined) return undefined;
  const { Template } = await import('@huggingface/jinja');
  const config = files['tokenizer_config.json'] ?? {};
  const tokens = Object.fromEntries(named.map((name) => [name, tokenText(config[name]) ?? '']));
  let template: InstanceType<typeof Template>;
  try {
    template = new Template(source);
  } catch (error) {
    throw new ChildFault('MODEL_INVALID', `The chat template cannot be read: ${wordsOf(error)}.`);
  }
  const render = (messages: readonly PromptMessage[]): string =>
    template.render({
      ...tokens,
      messages: messages.map(({ role, text }) => ({ role, content: text })),
      add_generation_prompt: true,
    });
  return (messages) => {
    try {
      return render(messages);
    } catch (error) {
      const told = withoutSystem(messages);
      try {
        if (told.length < messages.length) return render(told);
      } catch {
        // What it says of the messages as they came is the better word.
      }
      throw new ChildFault('INVALID_FORMAT', `The model's chat template refuses these messages: ${wordsOf(error)}.`);
    }
  };
}

/** Its own file, or in the tokenizer's settings: one, or several by name of which `default` is for chats. */
function sourceOf(files: TextFiles): string | undefined {
  const template = files['chat_template.jinja'] ?? files['tokenizer_config.json']?.['chat_template'];
  if (typeof template === 'string') return template;
  const several: unknown[] = Array.isArray(template) ? template : [];
  const one = several.find((entry) => isRecord(entry) && entry['name'] === 'default');
  return isRecord(one) && typeof one['template'] === 'string' ? one['template'] : undefined;
}

/** A token is written as text, or as an object with its settings. */
export const tokenText = (token: unknown): string | undefined => {
  const text = isRecord(token) ? token['content'] : token;
  return typeof text === 'string' ? text : undefined;
};

function withoutSystem(messages: readonly PromptMessage[]): readonly PromptMessage[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => text);
  const rest = messages.filter(({ role }) => role !== 'system');
  const first = rest.findIndex(({ role }) => role === 'user');
  return rest.map((message, at) =>
    at === first ? { ...message, text: [...system, message.text].join('\n\n') } : message,
  );
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
