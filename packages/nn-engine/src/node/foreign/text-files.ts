import { ChildFault } from './child-fault.ts';

/**
 * What lies beside an ONNX file of a model that takes texts, in one JSON object by the names that exporters give the files. A `tokenizer.json` alone, as it
 * is, stands for an object with nothing else.
 */
export interface TextFiles {
  readonly 'tokenizer.json': object;
  readonly 'tokenizer_config.json'?: Readonly<Record<string, unknown>>;
  readonly 'config.json'?: Readonly<Record<string, unknown>>;
  readonly 'generation_config.json'?: Readonly<Record<string, unknown>>;
  readonly 'chat_template.jinja'?: string;
}

const optional = ['tokenizer_config.json', 'config.json', 'generation_config.json'] as const;

/** Throws MODEL_INVALID for what is no JSON of such files, MODEL_FILE_MISSING without a tokenizer. */
export function readTextFiles(bytes: Uint8Array): TextFiles {
  const whole = parsed(bytes);
  if ('model' in whole) return { 'tokenizer.json': whole };
  const tokenizer = whole['tokenizer.json'];
  if (tokenizer === undefined) {
    const hint = 'Export the model with its tokenizer, or give the one it was made with.';
    throw new ChildFault('MODEL_FILE_MISSING', 'The file tokenizer.json is missing.', { hint });
  }
  const bad = ['tokenizer.json', ...optional].find((name) => name in whole && !isRecord(whole[name]));
  if (bad !== undefined) throw invalid(`${bad} is no JSON object.`);
  const template = whole['chat_template.jinja'];
  if (template !== undefined && typeof template !== 'string') throw invalid('chat_template.jinja is no text.');
  return whole as unknown as TextFiles;
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    const whole: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(whole)) return whole;
  } catch (error) {
    throw invalid('This is no tokenizer.json.', error);
  }
  throw invalid('This is no tokenizer.json.');
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function invalid(message: string, cause?: unknown): ChildFault {
  return new ChildFault('MODEL_INVALID', cause instanceof Error ? `${message} (${cause.message})` : message);
}
