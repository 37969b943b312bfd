import {
  callMethod,
  type Clock,
  type CryptoProvider,
  equalBytes,
  fromUtf8,
  type Network,
  PeerAiError,
  type PeerId,
  toHex,
} from '@peerai/core-protocol';
import type { Run } from '@peerai/nn-engine/rounds';
import type { Devices } from '../pairing/devices.ts';
import { decodePlan, taskOf, termsOf } from './plan.ts';
import { type Offer, offersMethod } from './training-protocol.ts';
import { type TrainingOffersView, type TrainingOfferView, type TrainingPlan } from './training.schema.ts';
import { memberOf, visibleOf } from './views.ts';

export interface OffersDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly devices: Devices;
  readonly nameOf: (peer: PeerId) => string;
  readonly mayTrain: (peer: PeerId) => boolean;
}
export interface FoundOffer {
  readonly from: PeerId;
  readonly run: Run;
  readonly plan: TrainingPlan;
  readonly planText: string;
  readonly view: TrainingOfferView;
}

/** Asks all devices with the right to train; a run that several offer is named once. */
export async function askForOffers(
  deps: OffersDeps,
  signal: AbortSignal,
): Promise<{ readonly found: readonly FoundOffer[]; readonly unanswered: TrainingOffersView['unanswered'] }> {
  const asked = deps.devices.list().filter(({ peer }) => deps.mayTrain(peer));
  const found = new Map<string, FoundOffer>();
  const unanswered: TrainingOffersView['unanswered'] = [];
  await Promise.all(
    asked.map(async ({ peer, addresses }) => {
      try {
        const { offers } = await callMethod(deps, peer, offersMethod, { version: 1 }, { signal, addresses });
        for (const offer of offers) {
          const one = await understood(deps, peer, offer);
          if (!found.has(one.view.id)) found.set(one.view.id, one);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'unknown' };
        unanswered.push({ peerId: peer, name: deps.nameOf(peer), code, message });
      }
    }),
  );
  return { found: [...found.values()], unanswered };
}

/** Throws INVALID_FORMAT and what the terms throw, for a run that this version does not train. */
export async function understood(
  { crypto, nameOf }: Pick<OffersDeps, 'crypto' | 'nameOf'>,
  from: PeerId,
  offer: Offer,
): Promise<FoundOffer> {
  const { decodeRun, meanPacking, sizeOfPlan, updatePacking } = await import('./lazy.ts');
  const run = decodeRun(crypto, offer.terms);
  const plan = decodePlan(offer.plan);
  const terms = termsOf(run);
  if (run.size !== sizeOfPlan(plan) || !equalBytes(run.task, taskOf(crypto, offer.plan)))
    throw new PeerAiError('INVALID_FORMAT', 'the run that is offered is not one this version trains');
  return {
    from,
    run,
    plan,
    planText: fromUtf8(offer.plan),
    view: {
      id: toHex(run.hash),
      name: run.name,
      from: { peerId: from, name: nameOf(from) },
      plan,
      terms,
      parameters: run.size,
      round: offer.round,
      members: offer.members,
      invited: (run.private?.members ?? []).map((peer) => memberOf(peer, nameOf)),
      asks: {
        firstBytes: 8 + run.size * 8,
        roundBytesReceived: meanPacking(run).bytesMax,
        // Masked, each number is a word.
        roundBytesSent: run.private === undefined ? updatePacking(run).bytesMax : 4 * run.size,
        stepsLeft: Math.max(0, run.rounds - offer.round) * run.localSteps,
        visible: visibleOf(run, plan, nameOf(from)),
      },
    },
  };
}
