import { type Clock, PeerAiError, type Random, type Shelf, type Store } from '@peerai/core-protocol';
import type { Engine } from '@peerai/llm-bridge';
import { onDemand } from '../store/on-demand.ts';
import type { ImportedModelsView, ImportedModelView, ModelRunView } from './imported.schema.ts';
import { fileOf as modelFile } from './imported/places.ts';
import type { ImportedRoom } from './imported/imported-room.ts';
import type { ModelRunner } from './imported/runner.ts';

/** In the store. */
const importedRoomName = 'imported-models';

export interface ImportedModelsDeps {
  readonly store: Store;
  /** Without one, or without a runner, nothing can be imported. */
  readonly shelf?: Shelf | undefined;
  readonly modelRunner?: ModelRunner | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly isTaken: (name: string) => boolean;
  readonly changed: () => void;
}
/** Model files of the user's, kept by their hash and run with limits. */
export interface ImportedModels {
  list(): Promise<ImportedModelsView>;
  /** Throws MODEL_UNKNOWN. */
  get(name: string): Promise<ImportedModelView>;
  /** The same file under the same name again changes nothing. Throws MODEL_* of the runner, MODEL_EXISTS, INVALID_FORMAT, LIMIT_EXCEEDED, STORE_FULL, UNSUPPORTED. */
  add(name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ImportedModelView>;
  /**
   * A `tokenizer.json` for one that is here, or that and what lies beside it (`config.json`, `generation_config.json`, `tokenizer_config.json`, `chat_template.jinja`) in one JSON
   * object by file names: it answers or makes vectors of texts from then on, under its name and for the gateway too. Throws as `add`, and MODEL_FILE_MISSING.
   */
  addTokenizer(name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ImportedModelView>;
  /** Those with a tokenizer, as models that answer, and models that make embeddings. */
  readonly engine: Engine;
  /** Where the file with this SHA-256 lies on the shelf, and its length; undefined when none was imported. */
  fileOf(sha256: string): Promise<{ readonly file: string; readonly bytes: number } | undefined>;
  /** Throws MODEL_UNKNOWN. */
  remove(name: string): Promise<void>;
  /** Throws MODEL_UNKNOWN, INVALID_FORMAT, HASH_MISMATCH, LIMIT_EXCEEDED, LIMIT_REACHED, and what the runner throws. */
  run(name: string, inputs: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ModelRunView>;
  stop(): Promise<void>;
}

/** What keeps and runs them is loaded when it is used: most peers never import one. */
export function createImportedModels(deps: ImportedModelsDeps): ImportedModels {
  const { shelf, modelRunner: runner } = deps;
  let isOver = false;
  const open = async (): Promise<ImportedRoom> => {
    if (shelf === undefined || runner === undefined)
      throw new PeerAiError('UNSUPPORTED', 'this peer runs no model files');
    if (isOver) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openImportedRoom } = await import('./imported/imported-room.ts');
    return openImportedRoom({ ...deps, store: deps.store.room(importedRoomName), shelf, runner });
  };
  const held = onDemand(open);
  const room = held.get;
  /** Opens nothing where nothing was imported. */
  const known = async (): Promise<ImportedRoom | undefined> => {
    if (isOver || shelf === undefined || runner === undefined) return undefined;
    for await (const _ of deps.store.room(importedRoomName).range('', '\uFFFF', { limit: 1 })) return room();
    return undefined;
  };
  const texts = async () => await import('./imported/text-models.ts');
  const list = async (): Promise<ImportedModelsView> => ({
    v: 1,
    models: shelf === undefined || runner === undefined ? [] : (await room()).list(),
  });
  return {
    list,
    get: async (name) => (await room()).get(name),
    add: async (name, bytes, signal) => (await room()).add(name, bytes, signal),
    addTokenizer: async (name, bytes, signal) => (await room()).addTokenizer(name, bytes, signal),
    engine: {
      kind: 'onnx',
      async list() {
        const opened = await known();
        return opened === undefined ? [] : (await texts()).textModels(opened);
      },
      async model(name) {
        const opened = await known();
        return opened === undefined ? undefined : (await texts()).textModel(opened, name);
      },
    },
    async fileOf(sha256) {
      const { models } = await list();
      const model = models.find((one) => one.sha256 === sha256);
      return model === undefined ? undefined : { file: modelFile(sha256), bytes: model.bytes };
    },
    remove: async (name) => (await room()).remove(name),
    run: async (name, inputs, signal) => (await room()).run(name, inputs, signal),
    async stop() {
      isOver = true;
      await (await held.settled())?.stop();
    },
  };
}
