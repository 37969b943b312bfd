import { z } from 'zod';

const sizeSchema = z.number();
/** Another peer's log as far as it is here. */
export const logCopySchema = z.object({
  origin: z.string(),
  name: z.string(),
  /** Entries that are here, and those that its newest checkpoint speaks of. */
  size: sizeSchema,
  headSize: sizeSchema,
  bytes: z.number(),
  /** Why no more of it is here. */
  trouble: z.string().optional(),
});
export const cosignerSchema = z.object({ peerId: z.string(), name: z.string(), timeS: z.number() });
export const offenderSchema = z.object({
  origin: z.string(),
  name: z.string(),
  /** Sizes of the two checkpoints that contradict each other. */
  sizes: z.array(sizeSchema).length(2),
  sinceMs: z.number(),
  /** Who told of it; this peer where it found it itself. */
  toldBy: z.string(),
  refused: z.boolean(),
});
export const logsSchema = z.object({
  v: z.literal(1),
  own: z.object({
    origin: z.string(),
    size: sizeSchema,
    /** Entries of the newest checkpoint of ours that others signed too; 0 where nobody did. */
    cosignedSize: sizeSchema,
    cosigners: z.array(cosignerSchema),
    trouble: z.string().optional(),
    /** The code of why nothing is added to it: LEDGER_DAMAGED or LEDGER_BEHIND. */
    closed: z.string().optional(),
  }),
  copies: z.array(logCopySchema),
  /** Logs this peer stands for as a witness. */
  witnessed: z.array(z.object({ origin: z.string(), name: z.string(), size: sizeSchema })),
  forked: z.array(offenderSchema),
});
/** A log's entries as bytes. */
export const ledgerPageSchema = z.object({
  v: z.literal(1),
  origin: z.string(),
  size: sizeSchema,
  /** The signed checkpoint, with the signatures of others where there are any. */
  note: z.string(),
  from: z.number(),
  /** Base64url, in order. */
  entries: z.array(z.string()),
});
export const repairSchema = z.object({
  v: z.literal(1),
  size: sizeSchema,
  /** Entries that were missing or changed. */
  restored: z.number(),
  /** Whose copy it was; this peer where its own rows sufficed. */
  from: z.string(),
});
export const evidenceSchema = z.object({ evidence: z.string().min(1).max(16_384) });
export const pardonSchema = z.object({ origin: z.string().min(1).max(128), pardoned: z.boolean().default(true) });

export type LogsView = z.infer<typeof logsSchema>;
export type LogCopyView = z.infer<typeof logCopySchema>;
export type LedgerPageView = z.infer<typeof ledgerPageSchema>;
export type RepairView = z.infer<typeof repairSchema>;
