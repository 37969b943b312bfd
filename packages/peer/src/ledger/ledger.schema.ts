import { z } from 'zod';

/** A usage receipt in words; counters are tokens. `signedBy: both` proves that both agreed, not that the work was good. */
export const receiptSchema = z.object({
  provider: z.string(),
  consumer: z.string(),
  lease: z.string(),
  n: z.number(),
  requestId: z.string(),
  model: z.string(),
  promptTokens: z.number(),
  answerTokens: z.number(),
  estimated: z.boolean(),
  totalPromptTokens: z.number(),
  totalAnswerTokens: z.number(),
  workHash: z.string(),
  timeMs: z.number(),
  signedBy: z.enum(['provider', 'both']),
});
export const ledgerHeadSchema = z.object({
  v: z.literal(1),
  origin: z.string(),
  size: z.number(),
  root: z.string(),
  note: z.string(),
});
export const ledgerEntrySchema = z.object({
  index: z.number(),
  kind: z.string(),
  timeMs: z.number(),
  hash: z.string(),
  previous: z.string(),
  receipt: receiptSchema.optional(),
});
export const ledgerEntriesSchema = z.object({
  v: z.literal(1),
  size: z.number(),
  entries: z.array(ledgerEntrySchema),
});
export const ledgerVerificationSchema = z.object({
  v: z.literal(1),
  ok: z.boolean(),
  size: z.number(),
  checked: z.number(),
  receipts: z.number(),
  firstBad: z.object({ index: z.number(), reason: z.string() }).optional(),
});
export type ReceiptView = z.infer<typeof receiptSchema>;
export type LedgerHead = z.infer<typeof ledgerHeadSchema>;
export type LedgerEntryView = z.infer<typeof ledgerEntrySchema>;
export type LedgerEntries = z.infer<typeof ledgerEntriesSchema>;
export type LedgerVerification = z.infer<typeof ledgerVerificationSchema>;
