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
/** A round of a training run as this peer took its result. Hashes in hex. */
export const ledgerRoundSchema = z.object({
  run: z.string(),
  /** Counted from 0. */
  round: z.number(),
  before: z.string(),
  after: z.string(),
  /** Over the signed receipts of all members: equal in the logs of all who took this result. */
  receipts: z.string(),
  counted: z.number(),
  refused: z.number(),
  /** SHA-256 of this peer's own signed receipt among them; null where the round went on without it. */
  own: z.string().nullable(),
});
/** What this log's peer says of its own update of a round, before it leaves and once the round is over. Hashes in hex. */
const trainingClaimSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('commit'),
    run: z.string(),
    /** Counted from 0. */
    round: z.number(),
    base: z.string(),
    commitment: z.string(),
    /** The commitment before, where this one was made to the same round, or to one that was learned again. */
    instead: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('reveal'),
    run: z.string(),
    round: z.number(),
    /** What was committed to: SHA-256 of the update's bytes, in a private run of the masked ones. */
    update: z.string(),
    commitment: z.string(),
  }),
]);
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
  training: ledgerRoundSchema.optional(),
  trainingClaim: trainingClaimSchema.optional(),
  /** A message that was delivered: SHA-256 in hex, of it and of the random id that only its two sides know. */
  message: z.object({ direction: z.enum(['sent', 'received']), hash: z.string() }).optional(),
  /** How many messages were kept here before this log said anything of messages; it has their hashes. */
  messagesBefore: z.number().optional(),
  /** A capsule that others may have: ids in hex, of its data the count of bytes. */
  capsule: z
    .object({
      capsule: z.string(),
      author: z.string(),
      bytes: z.number(),
      level: z.enum(['behavioral', 'public']),
      parents: z.array(z.string()),
    })
    .optional(),
  /** A block that a group decided with this log's peer as a member; hashes in hex. */
  decision: z.object({ group: z.string(), height: z.number(), block: z.string() }).optional(),
  /** A head of another's log that this log's peer stands for; root in hex. */
  checkpoint: z.object({ origin: z.string(), size: z.number(), root: z.string() }).optional(),
  /** Terms of a lease, what it came to so far, or how it ended. */
  lease: z
    .object({
      what: z.enum(['terms', 'receipt', 'end']),
      /** Its id, hex. */
      lease: z.string(),
      /** Of an end it is not said. */
      resource: z.enum(['node', 'model', 'storage']).nullable(),
      /** Of terms: the model's name, or how many nodes. */
      subject: z.string(),
      /** Of terms, the most: tokens of a model, bytes of storage at once; null for nodes. */
      units: z.number().nullable(),
      /** Of terms: how long, minutes. */
      minutes: z.number().nullable(),
      /** Of a receipt: for how long nodes were held, milliseconds, or how much storage is held, bytes. */
      held: z.number().nullable(),
      /** Lender and borrower; of an end who signed first and the other. */
      peers: z.tuple([z.string(), z.string()]),
      /** Micro-credits: the most it may cost, or what is due. */
      micro: z.string(),
      /** Place of the receipt; 0 for none. */
      n: z.number(),
      outcome: z.enum(['settled', 'refunded', 'disputed']).nullable(),
      /** By both. */
      signed: z.boolean(),
    })
    .optional(),
  /** What became of this log's key: peer ids. */
  key: z
    .discriminatedUnion('kind', [
      z.object({
        kind: z.literal('succession'),
        from: z.string(),
        to: z.string(),
        statedMs: z.number(),
        graceUntilMs: z.number(),
      }),
      z.object({ kind: z.literal('revocation'), peer: z.string(), statedMs: z.number() }),
    ])
    .optional(),
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
  /** Training rounds among the entries. */
  rounds: z.number().default(0),
  firstBad: z.object({ index: z.number(), reason: z.string() }).optional(),
});
/** One entry, and the file that proves it and holds it too; both base64url. */
export const ledgerProofSchema = z.object({ v: z.literal(1), proof: z.string(), entry: z.string() });
export type LedgerProof = z.infer<typeof ledgerProofSchema>;
/** The messages that are kept here against what the log says. */
export const messageCheckSchema = z.object({
  v: z.literal(1),
  /** Every kept message has its entry, and none was taken away. */
  ok: z.boolean(),
  kept: z.number(),
  /** Entries of messages that came and went. */
  received: z.number(),
  sent: z.number(),
  /** Ids of kept messages without an entry: put in or changed since. */
  missing: z.array(z.string()),
  /** Kept messages that the log began with. */
  older: z.number(),
  /** Entries whose message is not kept any more. */
  notKept: z.number(),
  /** Places of those among them whose message made room for no other: there was room. */
  dropped: z.array(z.number()),
});
export type MessageCheckView = z.infer<typeof messageCheckSchema>;
export type ReceiptView = z.infer<typeof receiptSchema>;
export type LedgerHead = z.infer<typeof ledgerHeadSchema>;
export type LedgerEntryView = z.infer<typeof ledgerEntrySchema>;
export type LedgerEntries = z.infer<typeof ledgerEntriesSchema>;
export type LedgerVerification = z.infer<typeof ledgerVerificationSchema>;
