import { z } from 'zod';
import { fingerprintSchema } from '../node/node.schema.ts';
import { troubleSchema } from '../paths/paths.schema.ts';
import { statusReportSchema } from '../status/status.schema.ts';
import { permissions } from './permissions.ts';

const permissionSchema = z.enum(permissions);

export const peerSchema = z.object({
  peerId: z.string(),
  name: z.string(),
  kind: z.enum(['device', 'guest', 'relay']),
  state: z.enum(['online', 'offline', 'blocked']),
  path: z.enum(['direct', 'relayed']).nullable(),
  /** Names of the devices that letters to it go through while no link leads to it; absent without such a path. */
  through: z.array(z.string()).optional(),
  /** What carries the link; absent without one. */
  transport: z.enum(['tcp', 'ws', 'webrtc', 'quic', 'file', 'onion', 'relay']).optional(),
  /** Whether a TURN server carries the link; absent where that is not known. */
  throughTurn: z.boolean().optional(),
  /** Whether the link is sealed with post-quantum keys; absent without a link, and while that is not known. */
  hybrid: z.boolean().optional(),
  roundTripMs: z.number().nullable(),
  bytesSent: z.number(),
  bytesReceived: z.number(),
  /** Models it offers to us. */
  models: z.array(z.string()),
  /** What it may do here. */
  allow: z.array(permissionSchema),
  pairedMs: z.number().nullable(),
  lastSeenMs: z.number().nullable(),
  fingerprint: fingerprintSchema,
  address: z.string().nullable(),
  /** `healthy`: a device that is here. `unhealthy`: its link stands, and it was silent for three heartbeats. null for who is away or no device. */
  health: z.enum(['healthy', 'unhealthy']).nullable(),
  /** What it said last of how it is. */
  report: statusReportSchema.nullable(),
  /** Why a device is away, as the last attempt at it told; or what is wrong although it is here. */
  trouble: troubleSchema.optional(),
});
export const peersSchema = z.object({ v: z.literal(1), peers: z.array(peerSchema) });
export const peerPatchSchema = z
  .object({ name: z.string().min(1).max(64), allow: z.array(permissionSchema), blocked: z.boolean() })
  .partial()
  .strict();
export const pingSchema = z.object({ v: z.literal(1), roundTripMs: z.number(), path: z.enum(['direct', 'relayed']) });

export const inviteRequestSchema = z.object({ allow: z.array(permissionSchema).default(['chat']) }).strict();
export const inviteSchema = z.object({ v: z.literal(1), id: z.string(), link: z.string(), expiresMs: z.number() });
export const joinRequestSchema = z.object({ link: z.string().min(1).max(2048) }).strict();

/** A pairing that waits for people to compare four emoji. */
export const pendingPairingSchema = z.object({
  id: z.string(),
  peerId: z.string(),
  name: z.string(),
  emoji: z.array(z.string()),
  emojiNames: z.array(z.string()),
  direction: z.enum(['incoming', 'outgoing']),
  allow: z.array(permissionSchema),
  state: z.enum(['waiting', 'accepted', 'rejected', 'expired']),
  sinceMs: z.number(),
});
export const pairingsSchema = z.object({
  v: z.literal(1),
  invites: z.array(inviteSchema.omit({ v: true })),
  pending: z.array(pendingPairingSchema),
});
export type PeerView = z.infer<typeof peerSchema>;
export type PeerPatch = z.infer<typeof peerPatchSchema>;
export type InviteView = z.infer<typeof inviteSchema>;
export type PendingPairing = z.infer<typeof pendingPairingSchema>;
export type PairingsView = z.infer<typeof pairingsSchema>;
export type PingView = z.infer<typeof pingSchema>;
