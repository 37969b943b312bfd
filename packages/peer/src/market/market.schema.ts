import { z } from 'zod';
import { depositSchema } from '../settlement/settlement.schema.ts';
import { storageFoundSchema } from '../storage/storage.schema.ts';
import { peerMarketLimits as limits } from './limits.ts';

/** Whole micro-credits as decimal text: a millionth of a credit. */
const microSchema = z.string().regex(/^-?\d{1,30}$/u);
/** Credits with up to six places behind the point. */
const creditsSchema = z.string().regex(/^\d{1,3}(\.\d{1,6})?$/u, 'an amount such as 0.5, below 1,000');
const modelSchema = z.string().min(1).max(128);
const tokensSchema = z.number().int().min(1).max(100_000_000);
const minutesSchema = z.number().int().min(1).max(43_200);

const offerShape = {
  model: z.string(),
  /** For 1,000 tokens, prompts and answers. */
  unitPriceMicro: microSchema,
  /** Of one lease. */
  tokensMax: z.number(),
  minutesMax: z.number(),
};
export const meteredLeaseSchema = z.object({
  id: z.string(),
  role: z.enum(['lender', 'borrower']),
  peerId: z.string(),
  peerName: z.string(),
  state: z.enum(['offered', 'active', 'settled', 'refunded', 'disputed']),
  /** What is leased: answers of a model, or room for bytes. */
  resource: z.enum(['model', 'storage']),
  /** Empty for storage. */
  model: z.string(),
  unitPriceMicro: microSchema,
  /** Of storage: bytes. */
  tokensMax: z.number(),
  /** Of receipts that both signed. */
  tokensUsed: z.number(),
  /** Of storage: proofs. */
  answers: z.number(),
  /** The most it may cost; what is due so far, and what is still locked. The rest is the borrower's again. */
  priceMicro: microSchema,
  dueMicro: microSchema,
  lockedMicro: microSchema,
  sinceMs: z.number(),
  endsMs: z.number(),
  endedMs: z.number().nullable(),
  /** Both have signed how it ended. */
  agreed: z.boolean(),
});
export const balanceSchema = z.object({
  peerId: z.string(),
  peerName: z.string(),
  /** Leases of nodes included. Below 0: this peer is owed that much. */
  owesMicro: microSchema,
  lockedByUsMicro: microSchema,
  lockedByThemMicro: microSchema,
});
export const marketSchema = z.object({
  v: z.literal(1),
  /** What a credit is, in one sentence. */
  unit: z.string(),
  /** What one peer may owe another at most. */
  mostMicro: microSchema,
  settlement: z.enum(['local', 'evm']),
  offers: z.array(z.object(offerShape)),
  /** Newest first. */
  leases: z.array(meteredLeaseSchema),
  balances: z.array(balanceSchema),
  /** What lies on the chain for leases, as it was last seen there; newest first. */
  deposits: z.array(depositSchema),
});
export const marketOffersSchema = z.object({
  v: z.literal(1),
  /** Of paired devices that are here, the cheapest first. */
  models: z.array(z.object({ peerId: z.string(), peerName: z.string(), ...offerShape })),
  nodes: z.array(
    z.object({
      peerId: z.string(),
      peerName: z.string(),
      free: z.number(),
      nodeHourMicro: microSchema,
      minutesMax: z.number(),
    }),
  ),
  storage: storageFoundSchema.shape.offers,
  /** To the question for models. */
  unanswered: z.array(z.object({ peerId: z.string(), peerName: z.string(), code: z.string(), message: z.string() })),
});
/** Only this kind is asked for; the lists of the others are empty then. */
export const marketOffersQuestionSchema = z.object({ kind: z.enum(['model', 'storage', 'node']).optional() }).strict();
export const meteredLeaseDetailSchema = z.object({ v: z.literal(1), lease: meteredLeaseSchema });
export const disputeDetailSchema = z.object({
  v: z.literal(1),
  lease: meteredLeaseSchema,
  /** A JSON text that anybody can check; its SHA-256 stands in both logs. */
  evidence: z.string(),
});

const partySchema = z.object({ peerId: z.string(), name: z.string(), counted: z.boolean() });
export const verdictSchema = z.object({
  v: z.literal(1),
  lease: z.string(),
  /** SHA-256 of the file, hex. */
  hash: z.string(),
  disputed: z.boolean(),
  lender: partySchema,
  borrower: partySchema,
  /** Whose own signatures speak against it, and how; `counted` here in what is made of it. */
  faults: z.array(partySchema.extend({ fault: z.string(), text: z.string() })),
  winner: partySchema.nullable(),
});
export const leaseEvidenceSchema = z.object({ v: z.literal(1), evidence: z.string() });

export const judgeRequestSchema = z.object({ evidence: z.string().min(1).max(65_536) }).strict();
export const offerRequestSchema = z
  .object({
    model: modelSchema,
    /** For 1,000 tokens. */
    credits: creditsSchema,
    tokensMax: tokensSchema.default(1_000_000),
    minutesMax: minutesSchema.default(1_440),
  })
  .strict();
export const withdrawRequestSchema = z.object({ model: modelSchema }).strict();
export const leaseRequestSchema = z
  .object({
    peer: z.string().min(1).max(128),
    model: modelSchema,
    tokens: tokensSchema.default(100_000),
    minutes: minutesSchema.default(60),
    /** What 1,000 tokens may cost at the most; what the lender asks unless said. */
    creditsMax: creditsSchema.optional(),
  })
  .strict();
export const disputeRequestSchema = z.object({ reason: z.string().min(1).max(limits.reasonCharsMax) }).strict();

export type MeteredLeaseView = z.infer<typeof meteredLeaseSchema>;
export type BalanceView = z.infer<typeof balanceSchema>;
export type MarketView = z.infer<typeof marketSchema>;
export type MarketOffersQuestion = z.infer<typeof marketOffersQuestionSchema>;
export type MarketOffersView = z.infer<typeof marketOffersSchema>;
export type MeteredLeaseDetail = z.infer<typeof meteredLeaseDetailSchema>;
export type DisputeDetail = z.infer<typeof disputeDetailSchema>;
export type VerdictView = z.infer<typeof verdictSchema>;
export type EvidenceView = z.infer<typeof leaseEvidenceSchema>;
export type OfferRequest = z.input<typeof offerRequestSchema>;
export type LeaseRequest = z.input<typeof leaseRequestSchema>;
