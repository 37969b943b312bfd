import { z } from 'zod';
import { leaseMinutesMax, leaseNodesMax } from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';

/** Whole micro-credits as decimal text: a millionth of a credit. */
const microSchema = z.string().regex(/^-?\d{1,30}$/u);
/** Credits with up to six places behind the point. */
const creditsSchema = z.string().regex(/^\d{1,3}(\.\d{1,6})?$/u, 'an amount such as 0.5, below 1,000');
const shareSchema = z.number().nullable();

export const leaseSchema = z.object({
  id: z.string(),
  role: z.enum(['lender', 'borrower']),
  peerId: z.string(),
  peerName: z.string(),
  /** `closing`: ended, a last signature or its arrival is missing. `disputed`: the two do not agree on the last run. */
  state: z.enum(['offered', 'active', 'closing', 'settled', 'refunded', 'disputed']),
  nodes: z.number(),
  minutes: z.number(),
  priceMicro: microSchema,
  /** These three add up to the price. */
  paidMicro: microSchema,
  lockedMicro: microSchema,
  refundedMicro: microSchema,
  sinceMs: z.number(),
  endsMs: z.number(),
  endedMs: z.number().nullable(),
  /** Totals that both signed; for a lender those it has measured. */
  runs: z.number(),
  steps: z.number(),
  busyMs: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  heldMs: z.number(),
});
const resultSchema = z.object({
  /** Vectors that went through, and those that were asked for. */
  vectors: z.number(),
  asked: z.number(),
  nodes: z.number(),
  /** What each node gave, a list for each vector. */
  outputs: z.array(z.array(z.number())),
  /** The cluster as it came back, base64url; absent while it has not. */
  state: z.string().optional(),
  stateSha256: z.string().optional(),
});
export const leaseDetailSchema = z.object({ v: z.literal(1), lease: leaseSchema, result: resultSchema.optional() });
export const nodeDisputeSchema = z.object({
  v: z.literal(1),
  lease: leaseSchema,
  /** A JSON text that anybody can check; its SHA-256 stands in both logs. */
  evidence: z.string(),
});
export const leasesSchema = z.object({
  v: z.literal(1),
  /** Newest first. */
  leases: z.array(leaseSchema),
  /** Between this peer and each it had a lease with. */
  accounts: z.array(
    z.object({
      peerId: z.string(),
      peerName: z.string(),
      paidMicro: microSchema,
      earnedMicro: microSchema,
      lockedByUsMicro: microSchema,
      lockedByThemMicro: microSchema,
    }),
  ),
});
const vectorSchema = z.array(z.number()).min(1).max(256);
export const borrowRequestSchema = z
  .object({
    peer: z.string().min(1).max(128),
    minutes: z.number().int().min(1).max(leaseMinutesMax).default(1),
    /** What a node may cost for an hour at the most; what the lender asks unless said. */
    creditsMax: creditsSchema.optional(),
    /** A saved cluster, base64url, or the facts of a new one. */
    cluster: z.union([
      z
        .object({
          state: z
            .string()
            .min(1)
            .max(Math.ceil((limits.stateBytesMax * 4) / 3)),
        })
        .strict(),
      z
        .object({
          nodes: z.number().int().min(1).max(leaseNodesMax),
          outputs: z.number().int().min(1).max(64).default(1),
          seed: z.number().int().min(0).max(0xff_ff_ff_ff).default(1),
        })
        .strict(),
    ]),
    /** Of one length each. */
    vectors: z.array(vectorSchema).min(1).max(limits.jobValuesMax),
  })
  .strict();
export const lendRequestSchema = z
  .object({
    nodes: z.number().int().min(1).max(limits.lentNodesMax),
    /** Of one borrower at once; half of all, or one more, unless said. */
    each: z.number().int().min(1).max(limits.lentNodesMax).optional(),
    /** Of one borrower at this and all paired lenders that say the same; it counts alone unless said. */
    everywhere: z.number().int().min(1).max(limits.lentNodesMax).optional(),
    /** For a node and an hour. */
    credits: creditsSchema.default('0.5'),
    minutesMax: z.number().int().min(1).max(leaseMinutesMax).default(60),
  })
  .strict();
const measuredShape = {
  /** Shares from 0 to 1; null where nothing was measured. */
  load: shareSchema,
  processor: shareSchema,
  memory: shareSchema,
  /** How old the last measurement is, and what time the means cover, milliseconds. */
  agoMs: z.number(),
  windowMs: z.number(),
};
export const lendingSchema = z.object({
  v: z.literal(1),
  lending: z.boolean(),
  nodes: z.number(),
  /** Nodes that no lease has now. */
  free: z.number(),
  each: z.number(),
  /** Of one borrower at all lenders that count together; null where this one counts alone. */
  everywhere: z.number().nullable(),
  nodeHourMicro: microSchema,
  minutesMax: z.number(),
  ...measuredShape,
});
export const nodesSchema = z.object({
  v: z.literal(1),
  /** Devices that lend to this one; those with free nodes first, the cheapest of them first. */
  peers: z.array(
    z.object({
      peerId: z.string(),
      name: z.string(),
      nodes: z.number(),
      free: z.number(),
      nodeHourMicro: microSchema,
      minutesMax: z.number(),
      ...measuredShape,
      isFree: z.boolean(),
      /** Why it is not. */
      why: z.array(z.string()),
    }),
  ),
  unanswered: z.array(z.object({ peerId: z.string(), name: z.string(), code: z.string(), message: z.string() })),
});
export type LeaseView = z.infer<typeof leaseSchema>;
export type LeaseResult = z.infer<typeof resultSchema>;
export type LeaseDetail = z.infer<typeof leaseDetailSchema>;
export type NodeDispute = z.infer<typeof nodeDisputeSchema>;
export type LeasesView = z.infer<typeof leasesSchema>;
export type BorrowRequest = z.input<typeof borrowRequestSchema>;
export type LendRequest = z.input<typeof lendRequestSchema>;
export type LendingView = z.infer<typeof lendingSchema>;
export type NodesView = z.infer<typeof nodesSchema>;
