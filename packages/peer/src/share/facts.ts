import {
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Identity,
  type PeerId,
  toHex,
  type Usage,
} from '@peerai/core-protocol';
import { readTicketProof, type ShareFacts, ticketProof } from '@peerai/core-protocol/access';
import type { Share, Shares } from './shares.ts';

/** The share that a grant names, and whether its proof was made with the share's secret for this very key. Throws INVALID_FORMAT. */
export function claimedShare(
  {
    crypto,
    shares,
    identity,
  }: { readonly crypto: CryptoProvider; readonly shares: Shares; readonly identity: Identity },
  peer: PeerId,
  grant: Uint8Array,
): { readonly share?: Share; readonly valid: boolean } {
  const { ticket, proof } = readTicketProof(grant);
  const share = shares.get(toHex(ticket));
  if (share === undefined) return { valid: false };
  return { share, valid: equalBytes(proof, ticketProof(crypto, fromHex(share.secret), ticket, identity.peer, peer)) };
}

/** The share with one more visit of this guest, who used so many tokens. */
export function seenBy(share: Share, peer: PeerId, tokens: number, nowMs: number): Share {
  const tokensUsed = (share.guests[peer]?.tokensUsed ?? 0) + tokens;
  return {
    ...share,
    tokensUsed: share.tokensUsed + tokens,
    guests: { ...share.guests, [peer]: { tokensUsed, lastSeenMs: nowMs } },
  };
}

export function shareFacts(
  share: Share,
  { reserved, active }: { readonly reserved: number; readonly active: number },
): ShareFacts {
  return {
    ticketId: fromHex(share.id),
    models: share.models,
    tokens: share.tokens,
    tokensUsed: share.tokensUsed,
    tokensReserved: reserved,
    expiresMs: share.expiresMs,
    revoked: share.stoppedMs !== undefined,
    guests: share.guestsMax,
    guestsSeen: Object.keys(share.guests) as PeerId[],
    concurrency: share.concurrency,
    active,
  };
}

/** Whole tokens, and together never more than was reserved: a budget holds whatever an engine counts. */
export function within(usage: Usage, units: number): Usage {
  const answerTokens = Math.min(whole(usage.answerTokens), units);
  const promptTokens = Math.min(whole(usage.promptTokens), units - answerTokens);
  return { ...usage, promptTokens, answerTokens };
}

const whole = (count: number): number => (Number.isFinite(count) ? Math.max(0, Math.round(count)) : 0);
