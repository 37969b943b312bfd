import type { PeerId } from '@peerai/core-protocol';

import type { Aggregate } from './aggregate.ts';
import type { LocalUpdate } from './local.ts';
import type { SumTable } from './private/table.ts';
import type { Seal } from './seal.ts';

/** An update that is in, unpacked. */
export interface Received {
  readonly receipt: Uint8Array;
  readonly salt: Uint8Array | undefined;
  readonly loss: number;
  readonly delta: Float32Array;
  /** Of the coordinator’s own: as it was packed. */
  readonly own?: LocalUpdate;
}

/** What a coordinator has of the round that is open. */
export interface Round {
  readonly updates: Map<PeerId, Received>;
  readonly closing: AbortController;
  /** Of a sealed run: what was committed to, and this peer's own update until the round is opened. */
  readonly seal?: Seal | undefined;
  own?: Received;
  /** Of a private run: the sum that is being made. */
  sum?: { readonly attempt: number; readonly table: SumTable };
}

/** What a round came to. */
export interface Outcome {
  readonly delta: Float32Array;
  readonly loss: number;
  readonly peers: readonly PeerId[];
  readonly receipts: readonly Uint8Array[];
  /** Of a sealed run, in the order of the receipts. */
  readonly salts?: readonly Uint8Array[];
  readonly refused: Aggregate['refused'];
}
