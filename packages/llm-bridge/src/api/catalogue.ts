import type { LanguageModel, ModelCard, PeerId, Provenance } from '@peerai/core-protocol';

/** A model under the name the gateway gives it: `mistral` for ours, `mistral@study-pc` for a peer's. */
export interface CatalogueEntry {
  readonly name: string;
  readonly card: ModelCard;
  readonly peer: PeerId;
  /** The peer's name for people. */
  readonly owner: string;
  readonly local: boolean;
}
/** One question's model: made for each request, so that `servedBy` speaks of that request. */
export interface ResolvedModel {
  readonly model: LanguageModel;
  /** Who answers and over which path: known when the first part is there, undefined before where several may. */
  servedBy(): Pick<Provenance, 'peer' | 'path'> | undefined;
}
/** What can be asked, ours and others'. */
export interface Catalogue {
  list(signal: AbortSignal): Promise<readonly CatalogueEntry[]>;
  /** `mistral` goes to whoever serves it best, `mistral@study-pc` to that peer. Throws MODEL_UNKNOWN, DEVICE_UNKNOWN, PEER_UNREACHABLE, NO_MODELS. */
  resolve(name: string, signal: AbortSignal): Promise<ResolvedModel>;
}
