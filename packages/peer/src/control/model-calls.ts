import { PeerAiError } from '@peerai/core-protocol';
import type { AnswerCheckView } from '../chat/chat.schema.ts';
import type { OfferedRunsView, OfferedRunView } from '../models/imported.schema.ts';
import type { ExportFormat } from '../models/own-models.schema.ts';
import type { TrainingPrediction } from '../training/training.schema.ts';
import type { SplitRequest, SplitsView, SplitView } from '../models/split/split.schema.ts';

/** A file as it comes from the agent. */
export interface Download {
  readonly bytes: number;
  readonly content: ReadableStream<Uint8Array>;
  readonly blob: () => Promise<Blob>;
}
const besides = ['tokenizer_config.json', 'config.json', 'generation_config.json'] as const;
const template = 'chat_template.jinja';
/** What the agent reads of the files that lie beside a model. */
export const textFileNames: readonly string[] = ['tokenizer.json', ...besides, template];

/**
 * The body of `addTokenizer`: a `tokenizer.json` and the files beside it in one JSON object by their names. Files of other names are left out.
 *
 * Throws MODEL_FILE_MISSING without a `tokenizer.json`, and what a file that cannot be read throws.
 */
export async function textFiles(files: ReadonlyMap<string, Blob>): Promise<Blob> {
  const tokenizer = files.get('tokenizer.json');
  if (tokenizer === undefined) throw new PeerAiError('MODEL_FILE_MISSING', 'tokenizer.json is missing');
  const parts: (string | Blob)[] = ['{"tokenizer.json":', tokenizer];
  for (const name of besides) {
    const file = files.get(name);
    if (file !== undefined) parts.push(`,${JSON.stringify(name)}:`, file);
  }
  const words = await files.get(template)?.text();
  if (words !== undefined) parts.push(`,${JSON.stringify(template)}:`, JSON.stringify(words));
  return new Blob([...parts, '}']);
}
/** Models whose weights this peer has. */
export interface ModelCalls {
  /** A trained, imported or built-in model as a file for other programs. */
  exportModel(name: string, format: ExportFormat, signal?: AbortSignal): Promise<Download>;
  /** What a trained model says of each row of a table. */
  predict(run: string, table: Blob, signal?: AbortSignal): Promise<TrainingPrediction>;
  /** Model files that take numbers, at the devices that let this peer run them: at one of them, or at all that are here. */
  offeredRuns(at?: string, signal?: AbortSignal): Promise<readonly OfferedRunView[]>;
  splitModels(signal?: AbortSignal): Promise<readonly SplitView[]>;
  /** Resolves when every stage is loaded where it belongs. */
  splitModel(request: SplitRequest, signal?: AbortSignal): Promise<SplitView>;
  stopSplit(name: string): Promise<void>;
  /** Asks the model of a kept answer again, here. @param file - what `run --proof` wrote. */
  checkAnswer(file: Blob, signal?: AbortSignal): Promise<AnswerCheckView>;
}

type Ask = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<Response>;

export const modelCalls = (ask: Ask): ModelCalls => ({
  async exportModel(name, format, signal) {
    const path = `/models/${encodeURIComponent(name)}/export?${new URLSearchParams({ format }).toString()}`;
    const response = await ask('GET', path, undefined, signal);
    const content = response.body ?? new Blob([]).stream();
    return { bytes: Number(response.headers.get('content-length') ?? 0), content, blob: () => response.blob() };
  },
  predict: async (run, table, signal) =>
    (
      await ask('POST', `/training/runs/${encodeURIComponent(run)}/predict`, table, signal)
    ).json() as Promise<TrainingPrediction>,
  async offeredRuns(at, signal) {
    const query = at === undefined ? '' : `?${new URLSearchParams({ at }).toString()}`;
    return ((await (await ask('GET', `/models/offered${query}`, undefined, signal)).json()) as OfferedRunsView).models;
  },
  splitModels: async (signal) => {
    const response = await ask('GET', '/models/splits', undefined, signal);
    return ((await response.json()) as SplitsView).splits;
  },
  checkAnswer: async (file, signal) =>
    (await ask('POST', '/chat/check', file, signal)).json() as Promise<AnswerCheckView>,
  splitModel: async (request, signal) =>
    (await (await ask('POST', '/models/splits', request, signal)).json()) as SplitView,
  async stopSplit(name) {
    await ask('DELETE', `/models/splits/${encodeURIComponent(name)}`);
  },
});
