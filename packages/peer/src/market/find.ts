import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { MarketDeps } from './market.ts';
import type { MarketOffersView } from './market.schema.ts';
import type { MarketAnswer, MarketQuestion } from './market-protocol.ts';
import { offerView } from './views.ts';

interface FindDeps extends Pick<MarketDeps, 'devices' | 'isOnline' | 'nodeLending'> {
  readonly ask: (
    peer: PeerId,
    kind: MarketQuestion['kind'],
    document: undefined,
    signal: AbortSignal,
  ) => Promise<MarketAnswer>;
}

/** What all devices that are here offer, models and nodes. */
export async function findOffers(deps: FindDeps, signal: AbortSignal): Promise<MarketOffersView> {
  const here = deps.devices.list().filter(({ peer, blocked }) => !blocked && deps.isOnline(peer));
  const models: MarketOffersView['models'] = [];
  const unanswered: MarketOffersView['unanswered'] = [];
  const asking = here.map(async ({ peer, name }) => {
    try {
      const { offers } = await deps.ask(peer, 'offers', undefined, signal);
      models.push(...offers.map((offer) => ({ peerId: peer, peerName: name, ...offerView(offer) })));
    } catch (error) {
      if (signal.aborted) throw error;
      const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'unknown' };
      unanswered.push({ peerId: peer, peerName: name, code, message });
    }
  });
  const [{ peers }] = await Promise.all([deps.nodeLending.free(signal), ...asking]);
  const nodes = peers.map(({ peerId, name, free, nodeHourMicro, minutesMax }) => {
    return { peerId, peerName: name, free, nodeHourMicro, minutesMax };
  });
  const cheapest = (a: MarketOffersView['models'][number], b: MarketOffersView['models'][number]): number =>
    Number(BigInt(a.unitPriceMicro) - BigInt(b.unitPriceMicro));
  return { v: 1, models: models.toSorted(cheapest), nodes, unanswered };
}
