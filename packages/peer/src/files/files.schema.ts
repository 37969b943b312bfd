import { z } from 'zod';

/** A file on its way, here, or over. */
export const fileSchema = z.object({
  id: z.string(),
  direction: z.enum(['in', 'out']),
  peerId: z.string(),
  peerName: z.string(),
  /** As its sender says it. */
  name: z.string(),
  bytes: z.number(),
  /** What the receiver has of it. */
  movedBytes: z.number(),
  /** Of the whole, hex. */
  sha256: z.string(),
  /** `waiting`: the last attempt failed, `code` says why, and it is tried again. `removed`: it was here. */
  state: z.enum(['waiting', 'moving', 'done', 'refused', 'expired', 'cancelled', 'removed']),
  code: z.string().nullable(),
  way: z.enum(['link', 'http']).nullable(),
  startedMs: z.number(),
  endedMs: z.number().nullable(),
  /** Where a received one lies on this machine. */
  path: z.string().nullable(),
});
/** Newest first, and how much of the room for received files is taken. */
export const filesSchema = z.object({
  v: z.literal(1),
  files: z.array(fileSchema),
  room: z.object({
    bytes: z.number(),
    bytesMax: z.number(),
    files: z.number(),
    filesMax: z.number(),
    fileBytesMax: z.number(),
    peerBytesMax: z.number(),
  }),
});
export const fileAnswerSchema = z.object({ v: z.literal(1), file: fileSchema });
export type FileView = z.infer<typeof fileSchema>;
export type FilesView = z.infer<typeof filesSchema>;
