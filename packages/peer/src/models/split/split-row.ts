import type { PeerId } from '@peerai/core-protocol';
import type { SplitView } from './split.schema.ts';

/** A split model as kept on disk: who computes what. The weights stay with the model it was made of. */
export interface SplitRow {
  readonly name: string;
  /** As people call the model, and what finds its weights: a run's id, or `nano`. */
  readonly model: string;
  readonly source: string;
  readonly activations: SplitView['activations'];
  readonly createdMs: number;
  readonly context: number;
  readonly stages: readonly {
    readonly from: number;
    readonly to: number;
    readonly parameters: number;
    readonly sha256: string;
    /** Who was meant to compute it, then the spares. */
    readonly places: readonly PeerId[];
  }[];
}
