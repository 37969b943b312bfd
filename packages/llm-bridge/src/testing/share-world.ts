import {
  type AnswerPart,
  type LanguageModel,
  type Network,
  nobleCrypto,
  type PeerId,
  type Prompt,
} from '@peerai/core-protocol';
import {
  createMemoryNetworks,
  ManualClock,
  type MemoryNetworks,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { scriptedModel } from '../engines/scripted.ts';
import { remoteModel, type RemoteOptions } from '../share/remote-model.ts';
import { serveModels, type ServeModelsOptions, type SharedModels } from '../share/serve-models.ts';
import { type RecordingAdmission, recordingAdmission, signReceipt } from './admission.ts';

export const [consumer, provider] = ['consumer', 'provider'] as PeerId[] as [PeerId, PeerId];
export const user = (text: string): Prompt => ({ messages: [{ role: 'user', text }] });
export const textOf = (parts: readonly AnswerPart[]): string =>
  parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');

/** Reads in the background; what came stays when it fails; `done` gives the error, if any. */
export function reading(parts: AsyncIterable<AnswerPart>): {
  readonly parts: AnswerPart[];
  readonly done: Promise<unknown>;
} {
  const got: AnswerPart[] = [];
  const done = (async () => {
    for await (const part of parts) got.push(part);
  })().then(
    () => undefined,
    (error: unknown) => error,
  );
  return { parts: got, done };
}

/** A consumer and a provider of scripted models over a memory network, under a manual clock. */
export interface ShareWorld {
  readonly clock: ManualClock;
  readonly networks: MemoryNetworks;
  readonly here: Network;
  there: Network;
  admission: RecordingAdmission;
  shared: SharedModels;
  readonly stopping: AbortController;
  restart(options: ServeModelsOptions, extra?: readonly LanguageModel[], admission?: RecordingAdmission): void;
  remote(name: string, options?: Partial<RemoteOptions>, network?: Network): LanguageModel;
  ask(name: string, text?: string, options?: Partial<RemoteOptions>): AsyncIterable<AnswerPart>;
  /** What is still held once everything is stopped and all times have passed: nothing, or there is a leak. */
  leftovers(): Promise<readonly number[]>;
}

export function createShareWorld(): ShareWorld {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const here = networks.join(consumer);
  const serve = (
    world: Pick<ShareWorld, 'there' | 'admission'>,
    options: ServeModelsOptions,
    extra: readonly LanguageModel[],
  ) =>
    serveModels(
      {
        network: world.there,
        admission: world.admission,
        clock,
        crypto: nobleCrypto,
        logger: silentLogger,
        models: () => extra,
        model: (name) => scriptedModel({ clock }, name),
      },
      options,
    );
  const first = { there: networks.join(provider), admission: recordingAdmission() };
  const world: ShareWorld = {
    clock,
    networks,
    here,
    ...first,
    shared: serve(first, {}, []),
    stopping: new AbortController(),
    restart(options, extra = [], admission = world.admission) {
      world.shared[Symbol.dispose]();
      world.admission = admission;
      world.shared = serve(world, options, extra);
    },
    remote(name, options = {}, network = here) {
      const card = scriptedModel({ clock }, 'echo')?.card as LanguageModel['card'];
      return remoteModel(
        { network, clock, random: seededRandom(7), crypto: nobleCrypto },
        { peer: provider, card: { ...card, name }, onReceipt: signReceipt, ...options },
      );
    },
    ask: (name, text = 'hello there', options = {}) =>
      world.remote(name, options).generate(user(text), { maxTokens: 200 }, world.stopping.signal),
    async leftovers() {
      const { shared } = world;
      shared[Symbol.dispose]();
      await clock.advance(60_000);
      return [shared.running, shared.waiting, shared.known, world.admission.open, clock.pending];
    },
  };
  return world;
}
