import { z } from 'zod';

const memberSchema = z.object({ peerId: z.string(), name: z.string() });
export const groupSchema = z.object({
  /** 32 hex digits. */
  id: z.string(),
  name: z.string(),
  members: z.array(memberSchema),
  /** The one member that adds and removes. */
  committer: z.string(),
  /** Whether that is this peer. */
  mine: z.boolean(),
  /** Rises with each change of members or keys. */
  epoch: z.number(),
});
export const groupsSchema = z.object({ v: z.literal(1), groups: z.array(groupSchema) });
export const groupRequestSchema = z
  .object({ name: z.string().min(1).max(64), members: z.array(z.string().min(1)).max(31).default([]) })
  .strict();
export const groupMembersSchema = z.object({ peers: z.array(z.string().min(1)).min(1).max(31) }).strict();
export const groupMessageSchema = z.object({
  id: z.string(),
  group: z.string(),
  groupName: z.string(),
  from: z.string(),
  fromName: z.string(),
  kind: z.string(),
  payload: z.unknown(),
  sentMs: z.number(),
});
export const groupMessagesSchema = z.object({ v: z.literal(1), messages: z.array(groupMessageSchema) });
export const groupSendSchema = z
  .object({
    kind: z.string().min(1).max(64).default('text'),
    payload: z.unknown(),
    queue: z.boolean().default(false),
  })
  .strict();
const deliveredToSchema = memberSchema.extend({
  state: z.enum(['queued', 'delivered', 'refused', 'expired', 'unknown']),
  code: z.string().optional(),
});
/** Where a message stands with each other member. */
export const groupDeliverySchema = z.object({
  v: z.literal(1),
  id: z.string(),
  group: z.string(),
  members: z.array(deliveredToSchema),
});
/** What this peer sent itself; no members where its way is remembered no more. */
const groupSentSchema = z.object({
  id: z.string(),
  group: z.string(),
  kind: z.string(),
  payload: z.unknown(),
  sentMs: z.number(),
  members: z.array(deliveredToSchema),
});
export const groupSentsSchema = z.object({ v: z.literal(1), messages: z.array(groupSentSchema) });
export type GroupView = z.infer<typeof groupSchema>;
export type GroupMessageView = z.infer<typeof groupMessageSchema>;
export type GroupDeliveryView = z.infer<typeof groupDeliverySchema>;
export type GroupSentView = z.infer<typeof groupSentSchema>;
