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

export interface ClaimDeps {
  readonly crypto: CryptoProvider;
  readonly shares: Shares;
  readonly identity: Identity;
  /** 32 bytes of this process: what it proves was made here, for a client that showed an API key instead of a ticket. */
  readonly keySecret: Uint8Array;
}
export interface Claimed {
  readonly share?: Share;
  /** The proof was made with the share's secret for this very key, or here for an API key. */
  readonly valid: boolean;
  /** Such a client knows no receipts: it signs none and owes none. */
  readonly byKey: boolean;
}

/** The share that a grant names, and what its proof is worth. Throws INVALID_FORMAT. */
export function claimedShare(
  { crypto, shares, identity, keySecret }: ClaimDeps,
  peer: PeerId,
  grant: Uint8Array,
): Claimed {
  const { ticket, proof } = readTicketProof(grant);
  const share = shares.get(toHex(ticket));
  if (share === undefined) return { valid: false, byKey: false };
  const fits = (secret: Uint8Array): boolean =>
    equalBytes(proof, ticketProof(crypto, secret, ticket, identity.peer, peer));
  const byKey = fits(keySecret);
  return { share, valid: byKey || fits(fromHex(share.secret)), byKey };
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
