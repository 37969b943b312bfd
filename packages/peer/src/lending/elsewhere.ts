import {
  callMethod,
  type Clock,
  type CryptoProvider,
  type Logger,
  type Method,
  type Network,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  toHex,
  wire,
} from '@peerai/core-protocol';
import { type LeaseBook, leaseMs, openLease } from '@peerai/ledger/lease';
import type { Devices } from '../pairing/devices.ts';
import { lendingLimits as limits } from './limits.ts';
import type { LendOffer } from './offer.ts';

const { bytes, message, repeated } = wire;
const question = message({ borrower: bytes(1) });
const answer = message({ leases: repeated(bytes(1), limits.toldLeasesMax) });
export type HeldQuestion = ReturnType<typeof question.decode>;
export type HeldAnswer = ReturnType<typeof answer.decode>;

/** `/peerai/leases/1`: between lenders that count together, the leases somebody holds at one of them, as both signed them. */
export const heldMethod: Method<HeldQuestion, HeldAnswer> = {
  protocol: {
    id: '/peerai/leases/1',
    access: 'granted',
    framing: 'messages',
    messageBytesMax: limits.heldMessageBytesMax,
    channelsPerPeerMax: 2,
  },
  request: question,
  response: answer,
  timeoutMs: limits.heldCallMs,
};

export interface ElsewhereDeps {
  readonly self: PeerId;
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly stopping: AbortSignal;
}

/**
 * Nodes that a borrower holds at other lenders that count together with this one. Only what the borrower itself signed counts, at the lender that shows it and
 * within its time: so no lender can make up a debt, and one that is away or says nothing is not counted.
 */
export async function heldElsewhere(deps: ElsewhereDeps, borrower: PeerId): Promise<number> {
  const { devices, isOnline, stopping, clock, crypto } = deps;
  const others = devices.list().filter(({ peer, blocked }) => !blocked && peer !== borrower && isOnline(peer));
  const asked = { borrower: publicKeyFromPeerId(borrower) };
  const counted = await Promise.all(
    others.slice(0, limits.lendersAskedMax).map(async ({ peer, addresses }) => {
      try {
        const { leases } = await callMethod(deps, peer, heldMethod, asked, { signal: stopping, addresses });
        const shown = new Map(leases.map((lease) => openLease(crypto, lease)).map((lease) => [toHex(lease.id), lease]));
        return [...shown.values()]
          .filter(({ signedBy, terms }) => signedBy === 'both' && terms.lender === peer && terms.borrower === borrower)
          .filter(({ terms }) => clock.nowMs() < terms.startMs + leaseMs(terms))
          .reduce((sum, { terms }) => sum + terms.nodes, 0);
      } catch (error) {
        if (stopping.aborted || !PeerAiError.is(error)) throw error;
        deps.logger.debug('leases-not-told', { peer, code: error.code });
        return 0;
      }
    }),
  );
  return counted.reduce((sum, nodes) => sum + nodes, 0);
}

/** What this lender shows of its active leases with somebody. Throws LENDING_OFF where it does not count together with others. */
export function showHeld(book: LeaseBook, offer: LendOffer | undefined, { borrower }: HeldQuestion): HeldAnswer {
  if (offer?.everywhere === undefined)
    throw new PeerAiError('LENDING_OFF', 'this peer does not count together with other lenders');
  const peer = peerIdFromPublicKey(borrower);
  const leases = book
    .list()
    .filter((lease) => lease.peer === peer && lease.progress.role === 'lender' && lease.progress.state === 'active');
  return { leases: leases.slice(0, limits.toldLeasesMax).map(({ lease }) => lease) };
}
