import type { ExportFormat } from '../models/own-models.schema.ts';
import type { TrainingPrediction } from '../training/training.schema.ts';
import type { SplitRequest, SplitsView, SplitView } from '../models/split/split.schema.ts';

/** A file as it comes from the agent. */
export interface Download {
  readonly bytes: number;
  readonly content: ReadableStream<Uint8Array>;
  readonly blob: () => Promise<Blob>;
}
/** Models whose weights this peer has. */
export interface ModelCalls {
  /** A trained, imported or built-in model as a file for other programs. */
  exportModel(name: string, format: ExportFormat, signal?: AbortSignal): Promise<Download>;
  /** What a trained model says of each row of a table. */
  predict(run: string, table: Blob, signal?: AbortSignal): Promise<TrainingPrediction>;
  splitModels(signal?: AbortSignal): Promise<readonly SplitView[]>;
  /** Resolves when every stage is loaded where it belongs. */
  splitModel(request: SplitRequest, signal?: AbortSignal): Promise<SplitView>;
  stopSplit(name: string): Promise<void>;
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
  splitModels: async (signal) => {
    const response = await ask('GET', '/models/splits', undefined, signal);
    return ((await response.json()) as SplitsView).splits;
  },
  splitModel: async (request, signal) =>
    (await (await ask('POST', '/models/splits', request, signal)).json()) as SplitView,
  async stopSplit(name) {
    await ask('DELETE', `/models/splits/${encodeURIComponent(name)}`);
  },
});
