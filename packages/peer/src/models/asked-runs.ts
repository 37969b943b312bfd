import {
  callMethod,
  type Clock,
  type Method,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  wire,
} from '@peerai/core-protocol';
import { z } from 'zod';
import { type Devices, mayUse } from '../pairing/devices.ts';
import type { ImportedModels } from './imported-models.ts';
import {
  type ImportedModelsView,
  type ImportedModelView,
  type ModelRunView,
  modelRunRequestSchema,
  modelRunSchema,
} from './imported.schema.ts';
import { modelLimits } from './limits.ts';
import type { Models } from './models.ts';

export interface ModelRunsDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'find'>;
  readonly imported: Pick<ImportedModels, 'run' | 'list' | 'get'>;
  readonly models: Pick<Models, 'isNamed'>;
  readonly stopping: AbortSignal;
}
/** Model files that take and give numbers: run here, or by a device that offers them. */
export interface ModelRuns {
  /** What was imported here, and whether its owner offers it by name. */
  list(): Promise<ImportedModelsView>;
  /** Throws MODEL_UNKNOWN. */
  get(name: string): Promise<ImportedModelView>;
  /**
   * `model` is run here, `model@device` there. Throws what running here throws, DEVICE_UNKNOWN, NOT_GRANTED, MODEL_UNKNOWN, PEER_UNREACHABLE, TIMEOUT, CHANNEL_CLOSED, LIMIT_REACHED,
   * LIMIT_EXCEEDED.
   */
  run(name: string, inputs: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ModelRunView>;
  /** The rights of a device changed: what it may not do any more ends. */
  review(peer: PeerId): void;
  start(): void;
}

const questionSchema = z.object({
  model: z.string().max(modelLimits.importedNameCharsMax),
  inputs: modelRunRequestSchema.shape.inputs,
});
type RunQuestion = z.output<typeof questionSchema>;

/** `/peerai/infer/1`: one run of a model file, in the JSON of `POST /models/:name/run`. */
export const inferMethod: Method<RunQuestion, ModelRunView> = {
  protocol: {
    id: '/peerai/infer/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: modelLimits.askedRunBytesMax,
    channelsPerPeerMax: modelLimits.askedRunsPerPeerMax,
    priority: 'low',
  },
  request: wire.jsonCodec((value) => questionSchema.parse(value)),
  response: wire.jsonCodec((value) => modelRunSchema.parse(value)),
  timeoutMs: modelLimits.askedRunMs,
};

export function createModelRuns(deps: ModelRunsDeps): ModelRuns {
  const { network, clock, devices, imported, models, stopping } = deps;
  const running = new Map<AbortController, PeerId>();
  const mayRun = (peer: PeerId): boolean => mayUse(devices, peer, 'chat');
  const refused = (): PeerAiError =>
    new PeerAiError('NOT_GRANTED', 'this device may not ask models here; its owner can allow it');
  /** What is not offered is as if it were not there. */
  const check = async (model: string): Promise<void> => {
    if (models.isNamed(model) && (await imported.list()).models.some(({ name }) => name === model)) return;
    const hint = 'Its owner offers it by `peerai models expose <model>`.';
    throw new PeerAiError('MODEL_UNKNOWN', `no model "${model}" that takes numbers is offered there`, { hint });
  };
  const told = (model: ImportedModelView): ImportedModelView => ({ ...model, exposed: models.isNamed(model.name) });
  return {
    list: async () => ({ v: 1, models: (await imported.list()).models.map(told) }),
    get: async (name) => told(await imported.get(name)),
    async run(name, inputs, signal) {
      const at = name.lastIndexOf('@');
      if (at < 0) return imported.run(name, inputs, signal);
      const [model, who] = [name.slice(0, at), name.slice(at + 1)];
      if (who === network.self) return imported.run(model, inputs, signal);
      const { peer, addresses } = devices.find(who);
      const until = { signal: AbortSignal.any([signal, stopping]), addresses };
      return { ...(await callMethod({ network, clock }, peer, inferMethod, { model, inputs }, until)), model: name };
    },
    review(peer) {
      if (mayRun(peer)) return;
      for (const [cut, whose] of running) if (whose === peer) cut.abort(refused());
    },
    start() {
      const answer = async ({ model, inputs }: RunQuestion, peer: PeerId, signal: AbortSignal) => {
        if (!mayRun(peer)) throw refused();
        await check(model);
        const cut = new AbortController();
        running.set(cut, peer);
        try {
          return await imported.run(model, inputs, AbortSignal.any([signal, cut.signal, stopping]));
        } finally {
          running.delete(cut);
        }
      };
      const serving = serveMethod(
        network,
        inferMethod,
        async (question, { peer, signal }) => answer(question, peer, signal),
        { clock },
      );
      stopping.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
    },
  };
}
