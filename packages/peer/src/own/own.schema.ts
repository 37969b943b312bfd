import { z } from 'zod';

const ownDeviceSchema = z.object({
  peerId: z.string(),
  name: z.string(),
  online: z.boolean(),
  /** When all it had was here the last time; null before the first. */
  syncedMs: z.number().nullable(),
  /** What it brought since this peer started. */
  capsules: z.number(),
  forgotten: z.number(),
  clusters: z.number(),
  /** Clusters that were changed at both apart: the one that worked more stayed. */
  conflicts: z.number(),
  /** Why the last comparison failed, or what of it could not be taken. */
  problem: z.string().optional(),
});
/** The other devices of this owner: those declared with `own`. */
export const ownDevicesSchema = z.object({ v: z.literal(1), devices: z.array(ownDeviceSchema) });
export type OwnDevicesView = z.infer<typeof ownDevicesSchema>;
