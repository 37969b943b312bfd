import { z } from 'zod';

export const documentSchema = z.object({
  /** 32 hex digits. */
  id: z.string(),
  name: z.string(),
  founder: z.string(),
  founderName: z.string(),
  /** Whether this peer founded it, and so says who shares it. */
  mine: z.boolean(),
  /** The group whose members share it; null where it is shared with devices. */
  group: z.string().nullable(),
  /** This peer included. */
  members: z.array(z.object({ peerId: z.string(), name: z.string() })),
  keys: z.number(),
  textChars: z.number(),
  /** What it takes on the disk, bytes of signed changes. */
  bytes: z.number(),
});
export const documentsSchema = z.object({ v: z.literal(1), documents: z.array(documentSchema) });
export const documentContentsSchema = z.object({
  v: z.literal(1),
  document: documentSchema,
  values: z.record(z.string(), z.unknown()),
  text: z.string(),
});
/** Shared with these devices, or with the members of a group. */
export const documentRequestSchema = z
  .object({
    name: z.string().min(1).max(64),
    members: z.array(z.string().min(1)).max(32).default([]),
    group: z.string().min(1).optional(),
  })
  .strict()
  .refine(({ members, group }) => group === undefined || members.length === 0, {
    message: 'a document of a group is shared by its members: give members or a group',
  });
/** Applied in this order: what is set, what is removed, the text. */
export const documentChangeSchema = z
  .object({
    set: z.record(z.string(), z.unknown()).default({}),
    remove: z.array(z.string()).max(256).default([]),
    text: z.string().optional(),
  })
  .strict()
  .refine(({ set }) => Object.keys(set).length <= 256, { message: 'at most 256 keys are set at once' });
export const documentMembersSchema = z.object({ peers: z.array(z.string().min(1)).min(1).max(32) }).strict();
export type DocumentView = z.infer<typeof documentSchema>;
export type DocumentContents = z.infer<typeof documentContentsSchema>;
export type DocumentRequest = z.input<typeof documentRequestSchema>;
export type DocumentChange = z.input<typeof documentChangeSchema>;
