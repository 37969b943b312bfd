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
  openStage,
  openStageAnywhere,
  packWeights,
  type PlacedStage,
  type Stage,
  stageDecoder,
  splitModel,
  stageWeights,
} from '@peerai/nn-engine/split';
import type { Decoder } from '@peerai/nn-engine/text';
import type { LanguageSource } from '../own/sources.ts';
import type { SplitRow } from './split-row.ts';

export interface OpenSplitDeps {
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
  /** Its stages' weights, for the peers that hold them. */
  readonly weights: BlobSource;
}

/** The stages of a model that answers, and the SHA-256 of the weights of each. */
export function stagesOf(crypto: CryptoProvider, { sizes, weights }: LanguageSource, count: number) {
  const batch = { rows: 1, length: sizes.context, learned: 1 };
  return splitModel({ type: 'language-model', sizes, batch }, count).map((stage) => {
    const bytes = packWeights(stageWeights(stage, weights));
    return { stage, bytes, sha256: crypto.sha256(bytes) };
  });
}
export type CutStage = ReturnType<typeof stagesOf>[number];

/** Loads every stage where it belongs, or with a spare. Throws STAGE_LOST, ABORTED, ENGINE_MISSING. */
export async function openSplit(
  deps: OpenSplitDeps,
  { row, source, cut }: { readonly row: SplitRow; readonly source: LanguageSource; readonly cut: readonly CutStage[] },
  signal: AbortSignal,
): Promise<OpenSplit> {
  await using owned = new AsyncDisposableStack();
  const placed: PlacedStage[] = [];
  for (const [index, { stage, sha256 }] of cut.entries()) {
    const runner = await openStageAnywhere(deps, {
      stage,
      weights: sha256,
      mode: 'decode',
      activations: row.activations,
      peers: row.stages[index]?.places ?? [],
      own: { peer: deps.network.self, open: (until) => openHere(deps, stage, source, until) },
      onOpened: (peer) => deps.opened(index, peer),
      onLost: (peer, error) => deps.lost(index, peer, PeerAiError.is(error) ? error.code : 'INTERNAL'),
      signal,
    });
    placed.push({ stage, runner: owned.use(runner) });
  }
  const kept = owned.move();
  return {
    source,
    decoder: stageDecoder(placed),
    weights: weightsOf(row, cut),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const openHere = ({ runtime }: OpenSplitDeps, stage: Stage, { weights }: LanguageSource, signal: AbortSignal) =>
  openStage({ runtime }, { stage, weights: stageWeights(stage, weights), mode: 'decode', signal });

/** Given to those who hold the stage or may take it over, and to nobody else. */
export function weightsOf(row: SplitRow, cut: readonly CutStage[]): BlobSource {
  const find = (sha256: Uint8Array): number => cut.findIndex((one) => toHex(one.sha256) === toHex(sha256));
  return {
    async length(sha256, peer) {
      const index = find(sha256);
      return row.stages[index]?.places.includes(peer) === true ? cut[index]?.bytes.length : undefined;
    },
    read: async (sha256, offset, count) => cut[find(sha256)]?.bytes.slice(offset, offset + count) ?? new Uint8Array(),
  };
}
