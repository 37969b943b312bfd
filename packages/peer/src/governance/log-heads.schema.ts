import { z } from 'zod';

const who = { peerId: z.string(), name: z.string() };

/** How far a group's chain knows its members' own logs. */
export const logHeadsSchema = z.object({
  /** By the group's policy; 0: it wants none. */
  everyMinutes: z.number(),
  heads: z.array(
    z.object({
      ...who,
      /** Entries of the log that can be proven by the chain, and their root, hex. */
      size: z.number(),
      root: z.string(),
      /** Of the block, with the group's clock then. */
      height: z.number(),
      timeMs: z.number(),
    }),
  ),
  /** Words about a log that its own key signed and no honest member says: fewer entries than it knew of, or another history. */
  faults: z.array(
    z.object({
      ...who,
      kind: z.enum(['forked', 'rollback', 'inconsistent']),
      height: z.number(),
      /** Entries that the chain has of this log, and that were said. */
      heldSize: z.number(),
      saidSize: z.number(),
    }),
  ),
  /** Why this peer's own log is not told. */
  problem: z.enum(['off', 'group-off', 'log-closed', 'behind', 'other-history']).nullable(),
});
/** An entry under a head that the chain has; with the chain up to that block it is a proof. */
export const governanceProofSchema = z.object({
  v: z.literal(1),
  group: z.string(),
  /** Whose log. */
  ...who,
  index: z.number(),
  /** Entries of the head, and the block that has it. */
  size: z.number(),
  height: z.number(),
  /** Base64url: a proof file with its entry. */
  proof: z.string(),
});
export type LogHeadsView = z.infer<typeof logHeadsSchema>;
export type GovernanceProofView = z.infer<typeof governanceProofSchema>;
