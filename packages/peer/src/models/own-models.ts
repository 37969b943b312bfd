import type { Clock, CryptoProvider, LanguageModel, Random, Shelf } from '@peerai/core-protocol';
import { type Engine, findModel } from '@peerai/llm-bridge';
import { onDemand } from '../store/on-demand.ts';
import type { TrainedRun, Training } from '../training/training.ts';
import type { ImportedModels } from './imported-models.ts';
import type { OwnRoom } from './own/own-room.ts';
import type { ExportFormat } from './own-models.schema.ts';

/** A file to be saved. */
export interface ExportedModel {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}
export interface OwnModelsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly shelf?: Shelf | undefined;
  /** The shipped guide's file; without it the guide is not exported. */
  readonly nanoFile?: ((signal: AbortSignal) => Promise<Uint8Array>) | undefined;
  readonly training: () => Pick<Training, 'trained' | 'languageOf' | 'model'>;
  readonly imported: () => Pick<ImportedModels, 'list' | 'get'>;
  /** Is there a model of this name, of any engine here? */
  readonly isKnown: (name: string) => boolean;
}
/** Models whose weights this peer has: those it trained, which answer here, the guide, and files that were imported. */
export interface OwnModels {
  /** Language models that were trained here. */
  readonly engine: Engine;
  /** Throws MODEL_UNKNOWN, UNSUPPORTED for what has no such form or whose weights are elsewhere, HASH_MISMATCH. */
  export(name: string, format: ExportFormat, signal: AbortSignal): Promise<ExportedModel>;
  /** What knows the weights, loaded when it is asked for. */
  readonly room: () => Promise<OwnRoom>;
}

/** Whether a run left a language model. */
const isLanguage = ({ plan }: Pick<TrainedRun, 'plan'>): boolean =>
  plan.model === 'language' || plan.model === 'adapter';

/** What reads weights is loaded when they are asked for: a peer that never trained loads none of it. */
export function createOwnModels(deps: OwnModelsDeps): OwnModels {
  const held = onDemand(async () => (await import('./own/own-room.ts')).openOwnRoom(deps));
  const list = async (): Promise<readonly LanguageModel[]> => {
    const runs = await deps.training().trained();
    return runs.some(isLanguage) ? (await held.get()).models(runs) : [];
  };
  return {
    engine: { kind: 'trained', list, model: async (name) => findModel(await list(), name) },
    export: async (name, format, signal) => (await held.get()).export(name, format, signal),
    room: held.get,
  };
}
