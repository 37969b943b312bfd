import {
  type Admission,
  type Clock,
  type CryptoProvider,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  toBase64Url,
} from '@peerai/core-protocol';
import { workHash } from '@peerai/llm-bridge/share';
import { type Devices, mayUse } from '../pairing/devices.ts';
import type { LeasedModels } from '../share/admission.ts';
import { bytesOf, numbersGiven, promptOf, usageOf } from './counted-run.ts';
import type { ImportedModels } from './imported-models.ts';
import { type ImportedModelView, offeredRunSchema } from './imported.schema.ts';
import { modelLimits } from './limits.ts';
import type { Models } from './models.ts';
import { inferMethod, offeredMethod, type RunAnswer, type RunQuestion, type RunsTold } from './run-wire.ts';

export interface ServeRunsDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly devices: Pick<Devices, 'get'>;
  readonly imported: Pick<ImportedModels, 'run' | 'list'>;
  readonly models: Pick<Models, 'isNamed'>;
  /** Rights and budgets of who asks here, and the halves of their receipts. */
  readonly reserve: Admission['reserve'];
  readonly leased: Pick<LeasedModels, 'usable'>;
  readonly stopping: AbortSignal;
}

/** Runs model files for devices that may, each run counted and its use signed, until disposed. */
export function serveRuns(deps: ServeRunsDeps): readonly Disposable[] {
  const { network, clock, crypto, devices, imported, models, stopping } = deps;
  const mayRun = (peer: PeerId, model: string): boolean =>
    deps.leased.usable(peer, model) !== undefined || (mayUse(devices, peer, 'chat') && models.isNamed(model));
  /** What is not offered is as if it were not there; admission says whether who asks may ask at all. */
  const check = async (model: string, peer: PeerId): Promise<void> => {
    const isOffered = models.isNamed(model) || deps.leased.usable(peer, model) !== undefined;
    if (isOffered && (await imported.list()).models.some(({ name }) => name === model)) return;
    if (!mayUse(devices, peer, 'chat'))
      throw new PeerAiError('NOT_GRANTED', 'this device may not ask models here; its owner can allow it');
    const hint = 'Its owner offers it by `peerai models expose <model>`.';
    throw new PeerAiError('MODEL_UNKNOWN', `no model "${model}" that takes numbers is offered there`, { hint });
  };
  const spent = (): PeerAiError => new PeerAiError('BUDGET_SPENT', 'the tokens left do not reach for these numbers');

  const answer = async (
    { requestId, model, inputs }: RunQuestion,
    peer: PeerId,
    asked: AbortSignal,
  ): Promise<RunAnswer> => {
    await check(model, peer);
    const given = numbersGiven(inputs);
    const units = given + modelLimits.modelElementsMax;
    const reservation = await deps.reserve({ peer, requestId, resource: `model:${model}`, units });
    try {
      if (reservation.units <= given) throw spent();
      const ran = await imported.run(model, inputs, AbortSignal.any([asked, reservation.revoked, stopping]));
      const usage = usageOf(inputs, ran);
      // An answer of numbers cannot be cut as words can: what is not paid for is not given, and not counted.
      if (usage.promptTokens + usage.answerTokens > reservation.units) throw spent();
      const hash = workHash(crypto, promptOf(inputs), [bytesOf(ran.outputs)]);
      return { ...ran, receipt: toBase64Url(await reservation.settle(usage, hash)) };
    } catch (error) {
      await reservation.release();
      throw error;
    }
  };
  const offered = async (peer: PeerId): Promise<RunsTold> => {
    const wordless = (await imported.list()).models.filter(
      ({ language, embedding }) => language === undefined && embedding === undefined,
    );
    const own = wordless.filter(({ name }) => mayRun(peer, name)).map(toldOf);
    // Where a file names its values as no screen should show them, only its owner sees it.
    return { models: own.filter((model) => offeredRunSchema.safeParse(model).success) };
  };
  return [
    serveMethod(network, inferMethod, async (question, { peer, signal }) => answer(question, peer, signal), { clock }),
    serveMethod(network, offeredMethod, async (_, { peer }) => offered(peer), { clock }),
  ];
}

/** What another device needs to know to run it. */
function toldOf({ name, bytes, inputs, outputs }: ImportedModelView): RunsTold['models'][number] {
  const first = (values: ImportedModelView['inputs']): ImportedModelView['inputs'] =>
    values.slice(0, modelLimits.offeredValuesMax);
  return { name, bytes, inputs: first(inputs), outputs: first(outputs) };
}
