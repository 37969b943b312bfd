import type { PeerId } from '../ports/index.ts';

/** Why somebody may not; each has its own sentence, because the person on the other side should know what to ask for. */
export type RefusalCode =
  | 'NOT_GRANTED'
  | 'PEER_BLOCKED'
  | 'TICKET_INVALID'
  | 'TICKET_REVOKED'
  | 'TICKET_EXPIRED'
  | 'BUDGET_SPENT'
  | 'MODEL_NOT_SHARED'
  | 'TOO_MANY_GUESTS'
  | 'TOO_MANY'
  | 'RECEIPT_UNSIGNED';

/** What pairing allowed this device. */
export interface PairingFacts {
  /** `chat`, `tasks`, `train`. */
  readonly allow: readonly string[];
  readonly blocked: boolean;
}
/** What a share's ticket says and how far it is used. Tokens are prompt and answer together. */
export interface ShareFacts {
  readonly ticketId: Uint8Array;
  readonly models: readonly string[];
  /** Training runs that it admits to, instead of models. */
  readonly runs?: readonly string[];
  readonly tokens: number;
  readonly tokensUsed: number;
  /** Held by answers that run now. */
  readonly tokensReserved: number;
  readonly expiresMs: number;
  readonly revoked: boolean;
  /** Distinct guest keys allowed. */
  readonly guests: number;
  /** Guest keys that have come so far, this one among them if it has. */
  readonly guestsSeen: Iterable<PeerId>;
  readonly concurrency: number;
  /** Answers that run now under this ticket. */
  readonly active: number;
}
export interface AccessFacts {
  readonly nowMs: number;
  readonly peer: PeerId;
  /** `model:<name>`, or `train:<run>`. */
  readonly resource: string;
  /** Tokens asked for at most, above 0. */
  readonly units: number;
  readonly pairing?: PairingFacts;
  /** The share that the presented ticket names, if we know it. */
  readonly share?: ShareFacts;
  /** A ticket was presented, known or not; by default only when `share` is there. */
  readonly ticketPresented?: boolean;
  /** The proof fits the share's secret and this peer's key. */
  readonly proofValid: boolean;
  /** This guest has not countersigned its last answer. */
  readonly owesReceipt: boolean;
}
export type AccessVerdict =
  | { readonly allowed: true; readonly via: 'pairing' | 'share'; readonly units: number }
  | { readonly allowed: false; readonly code: RefusalCode; readonly message: string };

/** The one place that decides who may use what. Pairing with `chat` wins over a ticket; a blocked peer gets nothing either way. */
export function decide(facts: AccessFacts): AccessVerdict {
  const { pairing, share, units } = facts;
  if (pairing?.blocked) return refuse('PEER_BLOCKED', 'the owner of this device has blocked you');
  if (pairing?.allow.includes(rightFor(facts.resource))) return { allowed: true, via: 'pairing', units };
  if (share === undefined && !facts.ticketPresented) {
    return pairing === undefined
      ? refuse('NOT_GRANTED', 'only paired devices and holders of a share link may ask')
      : refuse('NOT_GRANTED', 'this device is paired, but not allowed to use this');
  }
  if (share === undefined || !facts.proofValid) {
    return refuse('TICKET_INVALID', 'this link is not known here, or its secret is wrong');
  }
  return decideShare(facts, share);
}

/** What pairing must allow for a resource. */
function rightFor(resource: string): string {
  return resource.startsWith('model:') ? 'chat' : resource.slice(0, resource.indexOf(':'));
}

/** First what ends the link for good, then what this guest can change, last what only needs waiting. */
function decideShare(facts: AccessFacts, share: ShareFacts): AccessVerdict {
  const left = share.tokens - share.tokensUsed - share.tokensReserved;
  const seen = new Set(share.guestsSeen);
  if (share.revoked) return refuse('TICKET_REVOKED', 'the owner has stopped this share');
  if (facts.nowMs >= share.expiresMs) return refuse('TICKET_EXPIRED', 'this link has expired');
  const admitted = [
    ...share.models.map((model) => `model:${model}`),
    ...(share.runs ?? []).map((run) => `train:${run}`),
  ];
  if (!admitted.includes(facts.resource)) {
    return refuse('MODEL_NOT_SHARED', 'this link does not include that model');
  }
  if (!seen.has(facts.peer) && seen.size >= share.guests) {
    return refuse('TOO_MANY_GUESTS', 'as many guests as this link allows have used it already');
  }
  if (share.tokens - share.tokensUsed <= 0) return refuse('BUDGET_SPENT', 'the tokens of this link are used up');
  if (facts.owesReceipt) return refuse('RECEIPT_UNSIGNED', 'countersign the receipt of your last answer first');
  if (share.active >= share.concurrency) {
    return refuse('TOO_MANY', 'as many answers as this link allows are running; try again in a moment');
  }
  if (left <= 0) return refuse('BUDGET_SPENT', 'the last tokens of this link are held by answers that run now');
  return { allowed: true, via: 'share', units: Math.min(facts.units, left) };
}

function refuse(code: RefusalCode, message: string): AccessVerdict {
  return { allowed: false, code, message };
}
