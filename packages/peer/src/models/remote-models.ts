import type { ModelCard, PeerId } from '@peerai/core-protocol';

interface Offer {
  readonly cards: readonly ModelCard[];
  readonly atMs: number;
}

/** What other peers said they offer, and how they did lately. */
export interface RemoteModels {
  set(peer: PeerId, cards: readonly ModelCard[], atMs: number): void;
  of(peer: PeerId): readonly ModelCard[];
  /** Milliseconds since the wall clock's start; 0 when never asked. */
  askedMs(peer: PeerId): number;
  forget(peer: PeerId): void;
}

export function createRemoteModels(): RemoteModels {
  const offers = new Map<PeerId, Offer>();
  return {
    set: (peer, cards, atMs) => void offers.set(peer, { cards, atMs }),
    of: (peer) => offers.get(peer)?.cards ?? [],
    askedMs: (peer) => offers.get(peer)?.atMs ?? 0,
    forget: (peer) => void offers.delete(peer),
  };
}
