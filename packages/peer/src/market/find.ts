import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { MarketDeps } from './market.ts';
import type { MarketOffersQuestion, MarketOffersView } from './market.schema.ts';
import type { MarketAnswer, MarketQuestion } from './market-protocol.ts';
import { offerView } from './views.ts';

interface FindDeps extends Pick<MarketDeps, 'devices' | 'isOnline' | 'nodeLending'> {
  readonly storageOffers: (signal: AbortSignal) => Promise<MarketOffersView['storage']>;
  readonly ask: (
    peer: PeerId,
    kind: MarketQuestion['kind'],
    document: undefined,
    signal: AbortSignal,
  ) => Promise<MarketAnswer>;
}

/** What all devices that are here offer: models, storage and nodes, or one of these; others are not asked for the rest. */
export async function findOffers(
  deps: FindDeps,
  signal: AbortSignal,
  { kind }: MarketOffersQuestion = {},
): Promise<MarketOffersView> {
  const isWanted = (one: MarketOffersQuestion['kind']): boolean => kind === undefined || kind === one;
  const here = deps.devices.list().filter(({ peer, blocked }) => !blocked && deps.isOnline(peer));
  const models: MarketOffersView['models'] = [];
  const unanswered: MarketOffersView['unanswered'] = [];
  const asked = isWanted('model') ? here : [];
  const asking = asked.map(async ({ peer, name }) => {
    try {
      const { offers } = await deps.ask(peer, 'offers', undefined, signal);
      models.push(...offers.map((offer) => ({ peerId: peer, peerName: name, ...offerView(offer) })));
    } catch (error) {
      if (signal.aborted) throw error;
      const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'unknown' };
      unanswered.push({ peerId: peer, peerName: name, code, message });
    }
  });
  const [{ peers }, storage] = await Promise.all([
    isWanted('node') ? deps.nodeLending.free(signal) : { peers: [] },
    isWanted('storage') ? deps.storageOffers(signal) : [],
    ...asking,
  ]);
  const nodes = peers.map(({ peerId, name, free, nodeHourMicro, minutesMax }) => {
    return { peerId, peerName: name, free, nodeHourMicro, minutesMax };
  });
  const cheapest = (a: MarketOffersView['models'][number], b: MarketOffersView['models'][number]): number =>
    Number(BigInt(a.unitPriceMicro) - BigInt(b.unitPriceMicro));
  return { v: 1, models: models.toSorted(cheapest), nodes, storage, unanswered };
}
