import { z } from 'zod';

/** Whole micro-credits or wei as decimal text. */
const amountSchema = z.string().regex(/^\d{1,78}$/u);
const transactionSchema = z.object({ transaction: z.string(), gasUsed: amountSchema });

/** What was put down on the chain for one lease. */
export const depositSchema = z.object({
  /** The lease's id. */
  lease: z.string(),
  /** What is leased. */
  of: z.enum(['model', 'storage', 'node']),
  peerId: z.string(),
  peerName: z.string(),
  role: z.enum(['lender', 'borrower']),
  /** As it was last seen there. `waiting`: sent, and not seen yet. `none`: it never arrived. `refunded`: nothing was paid. */
  state: z.enum(['waiting', 'open', 'settled', 'refunded', 'none']),
  /** The most the lease may cost, and what the lender was paid. */
  amountMicro: amountSchema,
  paidMicro: amountSchema,
  amountWei: amountSchema,
  paidWei: amountSchema,
  /** Of the receipts that both signed so many are endorsed for the contract. */
  endorsed: z.number(),
  /** From when on the borrower may take back what no receipt claimed. */
  refundMs: z.number(),
  /** Where anybody can look it up: `eip155:<chain>/<contract>/<escrow>`. */
  reference: z.string().nullable(),
  /** This peer's own transactions. */
  opened: transactionSchema.nullable(),
  closed: transactionSchema.nullable(),
  /** Why the last try failed; it is tried again. */
  failure: z.object({ code: z.string(), message: z.string(), atMs: z.number() }).nullable(),
});
export const settlementSchema = z.object({
  v: z.literal(1),
  kind: z.enum(['local', 'evm']),
  chain: z
    .object({
      /** Host of the node, without what is behind it. */
      node: z.string(),
      chainId: z.number(),
      contract: z.string().nullable(),
      weiPerMicro: amountSchema,
      /** This peer's, from its settlement key. */
      address: z.string(),
      /** What the address holds, and what the contract owes it; absent where the node does not say. */
      balanceWei: amountSchema.nullable(),
      creditWei: amountSchema.nullable(),
      problem: z.object({ code: z.string(), message: z.string() }).nullable(),
    })
    .nullable(),
});
export const deployedSchema = z.object({
  v: z.literal(1),
  chainId: z.number(),
  contract: z.string(),
  address: z.string(),
  transaction: z.string(),
  gasUsed: amountSchema,
});
export const payoutSchema = z.object({
  v: z.literal(1),
  address: z.string(),
  wei: amountSchema,
  /** Null where nothing was owed: nothing was sent, and no gas paid. */
  transaction: z.string().nullable(),
  gasUsed: amountSchema,
});
export const anchoredSchema = z.object({
  v: z.literal(1),
  /** The peer whose log it is. */
  origin: z.string(),
  size: z.number(),
  /** RFC 6962 root, hex. */
  root: z.string(),
  /** Where anybody can look it up: `eip155:<chain>/<contract>/<address>/<log>`. */
  reference: z.string(),
  /** Null where this head stood there already: nothing was sent, and nothing paid. */
  sent: transactionSchema.nullable(),
});
export type AnchoredView = z.infer<typeof anchoredSchema>;
export type DepositView = z.infer<typeof depositSchema>;
export type SettlementView = z.infer<typeof settlementSchema>;
export type DeployedView = z.infer<typeof deployedSchema>;
export type PayoutView = z.infer<typeof payoutSchema>;
