import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Ledger,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Runtime,
  serveMethod,
  type Shelf,
  type Store,
} from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import type { BaseModel } from '@peerai/nn-engine/text';
import type { z } from 'zod';
import type { EventHub } from '../events/hub.ts';
import { type Devices, mayUse } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { TrainingRoom } from './room.ts';
import type { ShareReach } from '../share/sharing.ts';
import { linkMethod } from './link-protocol.ts';
import { isForVisitors, offersMethod } from './training-protocol.ts';
import type {
  TrainingDataView,
  TrainingDetail,
  trainingJoinSchema,
  trainingLinkRequestSchema,
  TrainingLinkView,
  TrainingOffersView,
  TrainingPrediction,
  trainingRequestSchema,
  TrainingRunView,
} from './training.schema.ts';

export interface TrainingDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  /** This peer's own log: each round it takes the result of is stated there. */
  readonly ledger: Pick<Ledger, 'append'>;
  /** Where data, states and models lie; without one this peer does not train. */
  readonly shelf?: Shelf | undefined;
  /** The shipped guide's file; without it the guide is no base. */
  readonly nanoFile?: ((signal: AbortSignal) => Promise<Uint8Array>) | undefined;
  readonly network: Network;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly ownName: () => string;
  /** Where links lead. Throws SHARE_INVALID. */
  readonly reach: () => Promise<ShareReach>;
  /** A run came to its end. */
  readonly ended: () => void;
  /** Gives weights of stages to those who hold them. */
  readonly giveWeights: (source: BlobSource) => Promise<Disposable>;
  /** What computes; without it this peer does not train. */
  readonly runtime: (() => Promise<Runtime>) | undefined;
}
/** A run that is over with its model, as what has weights. */
export type TrainedRun = Pick<TrainingRunView, 'id' | 'name' | 'plan' | 'parameters'> & { readonly rounds: number };
/** Models that paired devices train together: each with its own data, which stays where it is. */
export interface Training {
  /** Newest first. */
  list(): Promise<readonly TrainingRunView[]>;
  /** By id or its beginning (8 digits or more), or by name. Throws RUN_UNKNOWN. */
  get(text: string): Promise<TrainingDetail>;
  /** Throws DATA_INVALID, DATA_TOO_SMALL, LIMIT_EXCEEDED, UNSUPPORTED. */
  readIn(name: string, bytes: AsyncIterable<Uint8Array>): Promise<TrainingDataView>;
  /** Throws RUN_ACTIVE, DATA_UNKNOWN, DATA_INVALID, DATA_TOO_SMALL, BASE_MISSING, ENGINE_MISSING, INVALID_OPTION, LIMIT_REACHED, NOT_GRANTED, PRIVACY_SPENT, UNSUPPORTED; in stages DEVICE_UNKNOWN, LIMIT_EXCEEDED. */
  begin(wish: z.output<typeof trainingRequestSchema>): Promise<TrainingRunView>;
  /** Runs that paired devices offer now. */
  offers(signal: AbortSignal): Promise<TrainingOffersView>;
  /** Throws OFFER_UNKNOWN, REFUSED, and what `begin` throws. */
  join(text: string, wish: z.output<typeof trainingJoinSchema>, signal: AbortSignal): Promise<TrainingRunView>;
  /** Leaves the run; the others go on. Throws RUN_UNKNOWN, RUN_OVER. */
  stop(text: string): Promise<TrainingRunView>;
  /** Forgets a run that is over, with its model. Throws RUN_UNKNOWN, RUN_ACTIVE. */
  remove(text: string): Promise<void>;
  /** A link with which browsers may take part in a run that this peer coordinates. Throws RUN_UNKNOWN, RUN_OVER, NOT_LEADING, LIMIT_REACHED, SHARE_INVALID, DATA_UNKNOWN, DATA_TOO_SMALL. */
  link(text: string, wish: z.output<typeof trainingLinkRequestSchema>): Promise<TrainingLinkView>;
  /** Links into a run, newest last. Throws RUN_UNKNOWN. */
  links(text: string): Promise<readonly TrainingLinkView[]>;
  /** From now on it is refused, and who came with it is out; the run goes on. Throws SHARE_UNKNOWN. */
  stopLink(id: string): Promise<TrainingLinkView>;
  /** The trained model, with a name for its file. Throws RUN_UNKNOWN, NOT_FOUND while there is none, HASH_MISMATCH. */
  model(text: string): Promise<{ readonly name: string; readonly bytes: Uint8Array }>;
  /**
   * What the trained model says of each row of a table, which is not kept. Throws RUN_UNKNOWN, NOT_FOUND while there is no model, UNSUPPORTED where it tells no
   * labels apart, DATA_INVALID naming columns or the place, DATA_TOO_SMALL, LIMIT_EXCEEDED, HASH_MISMATCH.
   */
  predict(text: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<TrainingPrediction>;
  /** Runs here that have a model, newest first. Loads nothing where there never was a run. */
  trained(): Promise<readonly TrainedRun[]>;
  /** The language model that such a run ended with, whole. Throws RUN_UNKNOWN, UNSUPPORTED, BASE_MISSING, NOT_FOUND, HASH_MISMATCH. */
  languageOf(id: string): Promise<BaseModel>;
  /** For the transport: may this peer open training protocols here? */
  mayTrain(peer: PeerId): boolean;
  /** For the transport: is this a visitor with a link, who may open this protocol? */
  isVisitor(peer: PeerId, protocolId: string): boolean;
  /** The rights of a device changed: what it may not do any more ends. */
  review(peer: PeerId): void;
  /** Answers, and goes on with what was under way. */
  start(): Promise<void>;
  /** Runs go on at the next start. */
  close(): Promise<void>;
}

/** What trains is loaded when somebody does: most peers never do, and all start sooner. */
export function createTraining(deps: TrainingDeps): Training {
  const mayTrain = (peer: PeerId): boolean => mayUse(deps.devices, peer, 'train');
  let isClosing = false;
  const serving: Disposable[] = [];
  const open = async (): Promise<TrainingRoom> => {
    if (isClosing) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openTrainingRoom } = await import('./room.ts');
    return openTrainingRoom({ ...deps, mayTrain });
  };
  const held = onDemand(open);
  const room = held.get;
  return {
    list: async () => (await room()).list(),
    get: async (text) => (await room()).get(text),
    readIn: async (name, bytes) => (await room()).readIn(name, bytes),
    begin: async (wish) => (await room()).begin(wish),
    offers: async (signal) => (await room()).offers(signal),
    join: async (text, wish, signal) => (await room()).join(text, wish, signal),
    stop: async (text) => (await room()).stop(text),
    remove: async (text) => (await room()).remove(text),
    link: async (text, wish) => (await room()).link(text, wish),
    links: async (text) => (await room()).links(text),
    stopLink: async (id) => (await room()).stopLink(id),
    model: async (text) => (await room()).model(text),
    predict: async (text, content, signal) => (await room()).predict(text, content, signal),
    trained: async () => (held.now() === undefined && !(await hasRuns(deps.store)) ? [] : (await room()).trained()),
    languageOf: async (id) => (await room()).languageOf(id),
    mayTrain,
    isVisitor: (peer, protocolId) => isForVisitors(protocolId) && held.now()?.admits(peer) === true,
    review: (peer) => held.now()?.review(peer),
    async start() {
      const resumed = (await hasRuns(deps.store)) ? await room() : undefined;
      const answer = async (peer: PeerId) => {
        if (mayTrain(peer)) return { offers: held.now()?.ownOffers(peer) ?? [] };
        throw new PeerAiError('NOT_GRANTED', 'this device may not train here; its owner can allow it');
      };
      // Without a room there is no run, so there is no link either: a stranger's question loads nothing.
      const greet = async (peer: PeerId, grant: Uint8Array) => {
        const opened = await held.settled();
        if (opened !== undefined) return opened.greet(peer, grant);
        throw new PeerAiError('TICKET_INVALID', 'this link is not known here');
      };
      const { clock, network } = deps;
      serving.push(
        serveMethod(network, offersMethod, (_, { peer }) => answer(peer), { clock }),
        serveMethod(network, linkMethod, ({ grant }, { peer }) => greet(peer, grant), { clock }),
      );
      resumed?.resume();
    },
    async close() {
      isClosing = true;
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await (await held.settled())?.close();
    },
  };
}

/** Whether there was ever a run here that is still in the list. */
async function hasRuns(store: Store): Promise<boolean> {
  for await (const _ of store.room('training').range('run/', 'run0', { limit: 1 })) return true;
  return false;
}
