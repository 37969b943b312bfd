import { z } from 'zod';
import { storageLimits as limits } from './limits.ts';

const microSchema = z.string().regex(/^\d{1,30}$/u);
const creditsSchema = z.string().regex(/^\d{1,3}(\.\d{1,6})?$/u, 'an amount such as 0.5, below 1,000');
const minutesSchema = z.number().int().min(1).max(43_200);

export const storageOfferSchema = z.object({
  /** For a MiB and an hour. */
  unitPriceMicro: microSchema,
  bytes: z.number(),
  /** Not promised to anybody. */
  freeBytes: z.number(),
  /** Of one lease. */
  minutesMax: z.number(),
});
export const storedFileSchema = z.object({
  id: z.string(),
  lease: z.string(),
  peerId: z.string(),
  peerName: z.string(),
  name: z.string(),
  bytes: z.number(),
  storedMs: z.number(),
});
export const storageLeaseSchema = z.object({
  lease: z.string(),
  role: z.enum(['lender', 'borrower']),
  peerId: z.string(),
  peerName: z.string(),
  state: z.string(),
  bytesMax: z.number(),
  heldBytes: z.number(),
  /** Proofs that both signed, and when the last was; null: none yet. */
  proofs: z.number(),
  provenMs: z.number().nullable(),
  /** In a row; the third ends the lease. Only a borrower counts. */
  failures: z.number(),
});
export const storageSchema = z.object({
  v: z.literal(1),
  /** What this peer offers; null: nothing. */
  offer: storageOfferSchema.nullable(),
  leases: z.array(storageLeaseSchema),
  /** This peer's own at others, newest first. */
  files: z.array(storedFileSchema),
});
export const storedFileDetailSchema = z.object({ v: z.literal(1), file: storedFileSchema });
export const storageFoundSchema = z.object({
  v: z.literal(1),
  offers: z.array(
    z.object({
      peerId: z.string(),
      peerName: z.string(),
      unitPriceMicro: microSchema,
      freeBytes: z.number(),
      minutesMax: z.number(),
    }),
  ),
});

export const storageOfferRequestSchema = z
  .object({
    bytes: z.number().int().min(1).max(limits.offeredBytesMax),
    /** For a MiB and an hour. */
    credits: creditsSchema,
    minutesMax: minutesSchema.default(43_200),
  })
  .strict();
export const storageLeaseRequestSchema = z
  .object({
    peer: z.string().min(1).max(128),
    bytes: z.number().int().min(1).max(17_179_869_184),
    minutes: minutesSchema.default(1_440),
    /** What a MiB and an hour may cost at the most; what the lender asks unless said. */
    creditsMax: creditsSchema.optional(),
  })
  .strict();

export type StorageView = z.infer<typeof storageSchema>;
export type StorageLeaseView = z.infer<typeof storageLeaseSchema>;
export type StoredFileView = z.infer<typeof storedFileSchema>;
export type StoredFileDetail = z.infer<typeof storedFileDetailSchema>;
export type StorageFoundView = z.infer<typeof storageFoundSchema>;
export type StorageOfferRequest = z.input<typeof storageOfferRequestSchema>;
export type StorageLeaseRequest = z.input<typeof storageLeaseRequestSchema>;
