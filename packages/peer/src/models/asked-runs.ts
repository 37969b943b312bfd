import {
  callMethod,
  fromBase64Url,
  fromHex,
  type Logger,
  PeerAiError,
  type PeerId,
  type Random,
  toHex,
} from '@peerai/core-protocol';
import { readReceipt } from '@peerai/ledger';
import { workHash } from '@peerai/llm-bridge/share';
import { receiptsMethod } from '../ledger/receipts-protocol.ts';
import type { Signing } from '../ledger/signing.ts';
import type { Device, Devices } from '../pairing/devices.ts';
import { bytesOf, promptOf, usageOf } from './counted-run.ts';
import type { ImportedModels } from './imported-models.ts';
import type {
  ImportedModelsView,
  ImportedModelView,
  ModelRunView,
  OfferedRunsView,
  OfferedRunView,
} from './imported.schema.ts';
import { modelLimits } from './limits.ts';
import { inferMethod, offeredMethod, type RunAnswer, type RunQuestion } from './run-wire.ts';
import { serveRuns, type ServeRunsDeps } from './serve-runs.ts';

export interface ModelRunsDeps extends ServeRunsDeps {
  readonly random: Random;
  readonly logger: Logger;
  readonly devices: Pick<Devices, 'get' | 'find' | 'list'>;
  readonly imported: Pick<ImportedModels, 'run' | 'list' | 'get'>;
  /** The pen for what this peer asks elsewhere. */
  readonly signing: Signing;
  /** Who ran it gave a receipt that cannot be signed. */
  readonly receiptWrong: (peer: PeerId, error: unknown) => void;
  readonly isOnline: (peer: PeerId) => boolean;
}
/** Model files that take and give numbers: run here, or by a device that offers them. */
export interface ModelRuns {
  /** What was imported here, and whether its owner offers it by name. */
  list(): Promise<ImportedModelsView>;
  /** Throws MODEL_UNKNOWN. */
  get(name: string): Promise<ImportedModelView>;
  /**
   * What this peer may run at one device, or at all that are here now; of those who does not answer is left out.
   * Throws, of one device, DEVICE_UNKNOWN, PEER_UNREACHABLE, UNSUPPORTED, TIMEOUT, CHANNEL_CLOSED.
   */
  offered(at: string | undefined, signal: AbortSignal): Promise<OfferedRunsView>;
  /**
   * `model` is run here, `model@device` there, where it is counted as an answer is, each number one token, and signed by both. Throws what running here throws, DEVICE_UNKNOWN, NOT_GRANTED,
   * MODEL_UNKNOWN, BUDGET_SPENT, RECEIPT_UNSIGNED, PEER_UNREACHABLE, TIMEOUT, CHANNEL_CLOSED, LIMIT_REACHED, LIMIT_EXCEEDED.
   */
  run(name: string, inputs: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ModelRunView>;
  start(): void;
}

export function createModelRuns(deps: ModelRunsDeps): ModelRuns {
  const { network, crypto, random, devices, imported, models, signing, stopping } = deps;
  const told = (model: ImportedModelView): ImportedModelView => ({ ...model, exposed: models.isNamed(model.name) });

  /** Signs what this peer counted itself, or nothing, and brings the signature over; what is lost on the way is caught up with. */
  const countersign = async (
    { peer, addresses, lease }: Device,
    requestId: string,
    inputs: RunQuestion['inputs'],
    { outputs, receipt }: RunAnswer,
    signal: AbortSignal,
  ): Promise<NonNullable<ModelRunView['usage']>> => {
    const usage = usageOf(inputs, { outputs });
    const { promptTokens, answerTokens } = usage;
    try {
      const seen = { requestId, usage, workHash: workHash(crypto, promptOf(inputs), [bytesOf(outputs)]) };
      const countersigned = await signing.sign(fromBase64Url(receipt), seen);
      const signed = { lease: readReceipt(countersigned).lease, countersigned };
      await callMethod(deps, peer, receiptsMethod, signed, { signal, addresses }).catch(() =>
        signing.keepUp(peer, fromHex(lease)),
      );
      return { promptTokens, answerTokens, signed: true };
    } catch (error) {
      deps.receiptWrong(peer, error);
      deps.logger.warn('run-receipt-wrong', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      return { promptTokens, answerTokens, signed: false };
    }
  };

  const askOnce = async (device: Device, model: string, inputs: RunQuestion['inputs'], signal: AbortSignal) => {
    const { peer, addresses, lease } = device;
    const requestId = toHex(random.bytes(16));
    const maxTokens = modelLimits.modelElementsMax;
    await signing.asked(requestId, {
      provider: peer,
      lease: fromHex(lease),
      model,
      prompt: promptOf(inputs),
      maxTokens,
    });
    const ran = await callMethod(deps, peer, inferMethod, { requestId, model, inputs }, { signal, addresses });
    const usage = await countersign(device, requestId, inputs, ran, signal);
    const { v, outputs, tookMs } = ran;
    return { v, model, outputs, tookMs, usage };
  };

  const offeredAt = async ({ peer, name, addresses }: Device, signal: AbortSignal): Promise<OfferedRunView[]> => {
    const answered = await callMethod(deps, peer, offeredMethod, {}, { signal, addresses });
    return answered.models.map((model) => ({ ...model, peerId: peer, peerName: name }));
  };

  return {
    list: async () => ({ v: 1, models: (await imported.list()).models.map(told) }),
    get: async (name) => told(await imported.get(name)),
    async offered(at, asked) {
      const signal = AbortSignal.any([asked, stopping]);
      if (at !== undefined) return { v: 1, models: await offeredAt(devices.find(at), signal) };
      const here = devices.list().filter(({ peer, blocked }) => !blocked && deps.isOnline(peer));
      const found = here.map((device) =>
        offeredAt(device, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          return [];
        }),
      );
      return { v: 1, models: (await Promise.all(found)).flat() };
    },
    async run(name, inputs, asked) {
      const at = name.lastIndexOf('@');
      if (at < 0) return imported.run(name, inputs, asked);
      const [model, who] = [name.slice(0, at), name.slice(at + 1)];
      if (who === network.self) return imported.run(model, inputs, asked);
      const device = devices.find(who);
      const signal = AbortSignal.any([asked, stopping]);
      try {
        return { ...(await askOnce(device, model, inputs, signal)), model: name };
      } catch (error) {
        if (!PeerAiError.is(error, 'RECEIPT_UNSIGNED')) throw error;
        const { peer, lease, addresses } = device;
        if ((await signing.catchUp(peer, fromHex(lease), { signal, addresses })) === 0) throw error;
        return { ...(await askOnce(device, model, inputs, signal)), model: name };
      }
    },
    start() {
      const serving = serveRuns(deps);
      stopping.addEventListener('abort', () => serving.forEach((one) => one[Symbol.dispose]()), { once: true });
    },
  };
}
