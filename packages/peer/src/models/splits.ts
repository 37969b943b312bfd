import {
  type Channel,
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Runtime,
  type Shelf,
  type Store,
} from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import { type Engine, findModel } from '@peerai/llm-bridge';
import { stageProtocol } from '@peerai/nn-engine/split/protocol';
import type { z } from 'zod';
import type { Devices } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { OwnRoom } from './own/own-room.ts';
import type { GivenWeights } from './split/given-weights.ts';
import type { SplitRoom } from './split/split-room.ts';
import type { splitRequestSchema, SplitsView, SplitView } from './split/split.schema.ts';

export interface SplitsDeps {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  /** Where weights of stages that others gave stay; without it they are fetched each time. */
  readonly shelf?: Shelf | undefined;
  readonly network: Network;
  readonly devices: Pick<Devices, 'find'>;
  readonly nameOf: (peer: PeerId) => string;
  readonly mayTrain: (peer: PeerId) => boolean;
  readonly own: () => Promise<Pick<OwnRoom, 'source'>>;
  /** Computes stages, here for others and of our own models. Throws ENGINE_MISSING. */
  readonly runtime: Runtime;
  /** Another engine has a model of this name. */
  readonly isTaken: (name: string) => boolean;
  readonly changed: () => void;
  /** So many of the bytes of a split model's stages are at their devices. */
  readonly handed: (name: string, moved: number, bytes: number) => void;
}
/** Models whose layers several devices compute, one after the other. */
export interface Splits {
  /** They answer like any other model. */
  readonly engine: Engine;
  list(): Promise<SplitsView>;
  /** Hands out the stages and keeps who has what. Throws MODEL_UNKNOWN, MODEL_EXISTS, UNSUPPORTED, DEVICE_UNKNOWN, INVALID_OPTION, LIMIT_REACHED, STAGE_LOST. */
  create(wish: z.output<typeof splitRequestSchema>, signal: AbortSignal): Promise<SplitView>;
  /** Ends its answers and frees its stages. Throws MODEL_UNKNOWN. */
  remove(name: string): Promise<void>;
  /** Gives weights of stages of something else that this peer drives, until what it resolves with is disposed. Throws ABORTED. */
  giveWeights(source: BlobSource): Promise<Disposable>;
  /** The rights of a device changed: stages that it has here and may not have any more end. */
  review(peer: PeerId): void;
  start(): void;
  stop(): Promise<void>;
}

/** What cuts and computes is loaded when somebody splits a model, or a device brings a stage. */
export function createSplits(deps: SplitsDeps): Splits {
  const { store, network, mayTrain } = deps;
  let isOver = false;
  const given = onDemand<GivenWeights>(async () => {
    if (isOver) throw new PeerAiError('ABORTED', 'this peer is stopping');
    return (await import('./split/given-weights.ts')).openGivenWeights(network);
  });
  const held = onDemand<SplitRoom>(async () => {
    const weights = await given.get();
    return (await import('./split/split-room.ts')).openSplitRoom(deps, weights);
  });
  const host = onDemand(async () => (await import('./split/stage-host.ts')).openStageHost(deps));
  const open = new Set<Channel>();
  let serving: Disposable | undefined;
  /** Opens nothing where nothing was ever split. */
  const known = async (): Promise<SplitRoom | undefined> => {
    if (isOver || held.now() !== undefined) return held.now();
    for await (const _ of store.room('splits').range('', '\uFFFF', { limit: 1 })) return held.get();
    return undefined;
  };
  const models = async (): Promise<readonly LanguageModel[]> => (await known())?.models() ?? [];
  return {
    engine: { kind: 'split', list: models, model: async (name) => findModel(await models(), name) },
    list: async () => ({ v: 1, splits: [...((await known())?.list() ?? [])] }),
    create: async (wish, signal) => (await held.get()).create(wish, signal),
    remove: async (name) => (await held.get()).remove(name),
    giveWeights: async (source) => (await given.get()).give(source),
    review(peer) {
      for (const channel of open) if (channel.link.peer === peer && !mayTrain(peer)) void channel.close('REFUSED');
    },
    start() {
      serving ??= network.answer(stageProtocol, async (channel) => {
        open.add(channel);
        try {
          await (await host.get()).answer(channel);
        } finally {
          open.delete(channel);
        }
      });
    },
    async stop() {
      isOver = true;
      serving?.[Symbol.dispose]();
      await (await held.settled())?.close();
      (await given.settled())?.[Symbol.dispose]();
    },
  };
}

/** A runtime that is there when something is loaded into it. Throws ENGINE_MISSING then. */
export const lateRuntime = (open: (() => Promise<Runtime>) | undefined): Runtime => ({
  async load(model, options) {
    if (open !== undefined) return (await open()).load(model, options);
    throw new PeerAiError('ENGINE_MISSING', 'this peer has nothing to compute with: install onnxruntime-node');
  },
});
