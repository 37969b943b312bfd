import {
  type Clock,
  type CryptoProvider,
  type Network,
  PeerAiError,
  type PeerId,
  type Runtime,
  toHex,
} from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import {
  type ActivationForm,
  openStage,
  openStageAnywhere,
  packWeights,
  type PlacedStage,
  stageDecoder,
  splitModel,
  type SplitModel,
  type StageMode,
  stageWeights,
} from '@peerai/nn-engine/split';
import type { Decoder } from '@peerai/nn-engine/text';
import type { LanguageSource } from '../own/sources.ts';
import type { SplitRow } from './split-row.ts';

export interface PlaceDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly runtime: Runtime;
  readonly opened: (index: number, peer: PeerId) => void;
  readonly lost: (index: number, peer: PeerId, code: string) => void;
}
/** A model whose stages are loaded, here and there. */
export interface OpenSplit extends AsyncDisposable {
  readonly source: LanguageSource;
  readonly decoder: Decoder;
}
/** Who may hold a stage, the first one first. */
export type Places = readonly { readonly places: readonly PeerId[] }[];

/** The stages of a model, and the SHA-256 of the weights of each. Throws what `splitModel` throws. */
export const cutModel = (crypto: CryptoProvider, model: SplitModel, weights: Float32Array, count: number) =>
  splitModel(model, count).map((stage) => {
    const bytes = packWeights(stageWeights(stage, weights));
    return { stage, bytes, sha256: crypto.sha256(bytes) };
  });
export type CutStage = ReturnType<typeof cutModel>[number];

/** The stages of a model that answers. */
export const stagesOf = (crypto: CryptoProvider, { sizes, weights }: LanguageSource, count: number) =>
  cutModel(
    crypto,
    { type: 'language-model', sizes, batch: { rows: 1, length: sizes.context, learned: 1 } },
    weights,
    count,
  );

export interface PlaceOptions {
  readonly cut: readonly CutStage[];
  readonly stages: Places;
  readonly weights: Float32Array;
  readonly mode: StageMode;
  readonly activations: ActivationForm;
  /** For stages here, 1 unless said. */
  readonly threads?: number;
}

/** Loads every stage where it belongs, or with the next of its places. Throws STAGE_LOST, ABORTED, ENGINE_MISSING. */
export async function placeStages(
  deps: PlaceDeps,
  { cut, stages, weights, mode, activations, threads = 1 }: PlaceOptions,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly placed: readonly PlacedStage[] }> {
  const { runtime, network, opened, lost } = deps;
  await using owned = new AsyncDisposableStack();
  const placed: PlacedStage[] = [];
  for (const [index, { stage, sha256 }] of cut.entries()) {
    const here = { stage, weights: stageWeights(stage, weights), mode, threads };
    const runner = await openStageAnywhere(deps, {
      stage,
      weights: sha256,
      mode,
      activations,
      peers: stages[index]?.places ?? [],
      own: { peer: network.self, open: (until) => openStage({ runtime }, { ...here, signal: until }) },
      onOpened: (peer) => opened(index, peer),
      onLost: (peer, error) => lost(index, peer, PeerAiError.is(error) ? error.code : 'INTERNAL'),
      signal,
    });
    placed.push({ stage, runner: owned.use(runner) });
  }
  const kept = owned.move();
  return { placed, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Opens a model that answers. Throws what `placeStages` throws. */
export async function openSplit(
  deps: PlaceDeps,
  { row, source, cut }: { readonly row: SplitRow; readonly source: LanguageSource; readonly cut: readonly CutStage[] },
  signal: AbortSignal,
): Promise<OpenSplit> {
  const { stages, activations } = row;
  const { weights } = source;
  const open = await placeStages(deps, { cut, stages, weights, mode: 'decode', activations }, signal);
  return { source, decoder: stageDecoder(open.placed), [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

/** Given to those who hold the stage or may take it over, and to nobody else. */
export function weightsOf(stages: Places, cut: readonly CutStage[]): BlobSource {
  const find = (sha256: Uint8Array): number => cut.findIndex((one) => toHex(one.sha256) === toHex(sha256));
  return {
    async length(sha256, peer) {
      const index = find(sha256);
      return stages[index]?.places.includes(peer) === true ? cut[index]?.bytes.length : undefined;
    },
    read: async (sha256, offset, count) => cut[find(sha256)]?.bytes.slice(offset, offset + count) ?? new Uint8Array(),
  };
}
