import { type LanguageModel, type ModelIdentity, PeerAiError } from '@peerai/core-protocol';
import { languageModelLayout } from '@peerai/nn-engine';
import { languageModelOnnx } from '@peerai/nn-engine/export';
import { encodeBase, type OpenedText, plainDecoder, textModel } from '@peerai/nn-engine/text';
import type { TrainedRun } from '../../training/training.ts';
import type { ExportedModel, OwnModelsDeps } from '../own-models.ts';
import type { ExportFormat } from '../own-models.schema.ts';
import { importedFile } from '../imported/imported-file.ts';
import { type LanguageSource, modelNameOf, sizesOfRun, sourceOfNano, sourceOfRun } from './sources.ts';

interface Opened extends OpenedText {
  /** SHA-256 of the whole model as one file: an adapter with its base. */
  readonly hash: Uint8Array;
}
/** Of how a trained model reads a prompt and chooses: another one may give other answers with the same weights. */
const answersVersion = '1';

export interface OwnRoom {
  /** Those of the runs that are language models, as what answers. */
  models(runs: readonly TrainedRun[]): readonly LanguageModel[];
  /** Throws MODEL_UNKNOWN, UNSUPPORTED, HASH_MISMATCH. */
  source(name: string, signal: AbortSignal): Promise<LanguageSource>;
  export(name: string, format: ExportFormat, signal: AbortSignal): Promise<ExportedModel>;
}

export function openOwnRoom(deps: OwnModelsDeps): OwnRoom {
  const { clock, random } = deps;
  /** The one that answered last: each holds a few megabytes. */
  let held: { readonly id: string; readonly opened: Promise<Opened> } | undefined;
  const opened = (run: TrainedRun): Promise<Opened> => {
    const load = async (): Promise<Opened> => {
      const { sizes, weights, vocabulary, codec } = await sourceOfRun(deps, run);
      const hash = deps.crypto.sha256(encodeBase({ sizes, vocabulary, weights }));
      return { decoder: await plainDecoder(sizes, weights), codec, context: sizes.context, hash };
    };
    if (held?.id === run.id) return held.opened;
    const next = { id: run.id, opened: load() };
    next.opened.catch(() => {
      if (held === next) held = undefined;
    });
    held = next;
    return next.opened;
  };
  const seed = (): number => new DataView(random.bytes(4).buffer).getUint32(0) % 0x7fff_ffff;
  const models = (runs: readonly TrainedRun[]): readonly LanguageModel[] =>
    runs.flatMap((run) => {
      const sizes = sizesOfRun(run);
      if (sizes === undefined) return [];
      const { context } = sizes;
      const card = {
        name: modelNameOf(run),
        engine: 'trained',
        contextTokensMax: context,
        memoryBytes: 4 * languageModelLayout(sizes).size,
        loaded: held?.id === run.id,
        deterministic: true,
        fits: true,
        description: described(run, context),
      };
      const identify = async (): Promise<ModelIdentity> => {
        const { hash, decoder } = await opened(run);
        return { weights: hash, engine: card.engine, version: `${answersVersion} ${decoder.name}` };
      };
      return [{ ...textModel({ card, clock, seed, open: () => opened(run) }), identify }];
    });
  const runOf = async (name: string): Promise<TrainedRun | undefined> =>
    (await deps.training().trained()).find((run) => run.id === name || run.name === name || modelNameOf(run) === name);
  const languageOf = async (name: string, signal: AbortSignal): Promise<LanguageSource | undefined> => {
    const run = await runOf(name);
    if (run !== undefined) return sourceOfRun(deps, run);
    return name === 'nano' && deps.nanoFile !== undefined ? sourceOfNano(await deps.nanoFile(signal)) : undefined;
  };
  const unknown = (name: string): PeerAiError => {
    if (!deps.isKnown(name))
      return new PeerAiError('MODEL_UNKNOWN', `there is no model "${name.slice(0, 100)}" here`, {
        hint: '`peerai models ls` lists what there is.',
      });
    return new PeerAiError('UNSUPPORTED', `the weights of "${name.slice(0, 100)}" belong to its engine`, {
      hint: 'What was trained or imported here has weights of its own: those, and nano.',
    });
  };
  return {
    models,
    async source(name, signal) {
      const found = await languageOf(name, signal);
      if (found === undefined) throw unknown(name);
      return found;
    },
    async export(name, format, signal) {
      const run = await runOf(name);
      if (run !== undefined && sizesOfRun(run) === undefined && format === 'onnx') {
        const file = await deps.training().model(run.id);
        return fileOf(file.name, file.bytes);
      }
      const source = await languageOf(name, signal);
      if (source !== undefined) return exported(source, format);
      const imported = (await deps.imported().list()).models.find((one) => one.name === name);
      if (imported === undefined || deps.shelf === undefined) throw unknown(name);
      return importedFile(deps.shelf, imported, format);
    },
  };
}

function described({ plan, rounds }: TrainedRun, context: number): string {
  const on = `Trained here in ${rounds} rounds: it goes on with a text and looks back ${context}`;
  if (plan.model !== 'adapter') return `${on} letters.`;
  const { base, rank } = plan;
  return `${on} tokens. An adapter of rank ${rank} of "${base.name}", SHA-256 ${base.sha256}.`;
}

function exported(source: LanguageSource, format: ExportFormat): ExportedModel {
  const { name, sizes, weights } = source;
  if (format === 'tokenizer') return fileOf(`${name}.tokenizer.json`, source.tokenizer());
  if (format === 'gguf') return fileOf(`${name}.gguf`, source.gguf('float32'));
  if (format === 'gguf-q8') return fileOf(`${name}.q8_0.gguf`, source.gguf('q8'));
  return fileOf(`${name}.onnx`, languageModelOnnx(sizes, weights));
}

function fileOf(name: string, bytes: Uint8Array): ExportedModel {
  return {
    name,
    bytes: bytes.length,
    content: (async function* pieces() {
      yield bytes;
    })(),
  };
}
