import { z } from 'zod';

const stepName = z.enum(['resolve', 'dial', 'circuit', 'reservation', 'encrypt', 'upgrade', 'membership', 'protocol']);

/** Why a peer is not reached, or not as it should be. */
export const troubleSchema = z.object({
  step: stepName,
  code: z.string(),
  /** What happened, one sentence. */
  reason: z.string(),
  /** What to do, one sentence. */
  remedy: z.string(),
  command: z.string().optional(),
});

export const traceStepSchema = z.object({
  step: stepName,
  /** `OK`, or why it failed. */
  code: z.string(),
  /** Empty where no one address is meant. */
  address: z.string(),
  /** What the other side or the machine said. */
  cause: z.string(),
  tookMs: z.number().optional(),
  trouble: troubleSchema.optional(),
});
export const traceSchema = z.object({
  v: z.literal(1),
  peerId: z.string(),
  name: z.string(),
  /** It answered us in our protocol. */
  reached: z.boolean(),
  steps: z.array(traceStepSchema),
  /** The step that says most; null when all is well. */
  trouble: troubleSchema.nullable(),
});

/** From where an address can be dialled: this machine, its network, anywhere, or through a relay. */
const scope = z.enum(['machine', 'lan', 'public', 'relayed']);
export const netSchema = z.object({
  v: z.literal(1),
  /** The furthest way in, and what it means in words. */
  reachability: z.object({
    scope,
    text: z.string(),
    /** Each way in, and whether somebody outside could dial it. */
    addresses: z.array(
      z.object({
        address: z.string(),
        scope,
        state: z.enum(['reachable', 'unreachable', 'unknown']),
        /** Peer ids of the relays that tried it and say so. */
        checkedBy: z.array(z.string()),
        /** When the newest of them did, milliseconds since 1970. */
        checkedAtMs: z.number().nullable(),
      }),
    ),
    /** The router in front of this peer, as STUN servers see it; null where WebRTC is off. */
    nat: z
      .object({
        /** False until the servers have had their time to answer once. */
        isKnown: z.boolean(),
        /** `none`: no router. `same`: one port towards all, so direct links can be found. `differs`: a port for each, so they cannot. Null while fewer than two servers have said. */
        mapping: z.enum(['none', 'same', 'differs']).nullable(),
        stunServers: z.array(z.object({ server: z.string(), seenAs: z.string().nullable() })),
        turnServers: z.array(z.string()),
      })
      .nullable(),
  }),
  addresses: z.array(z.object({ address: z.string(), scope })),
  /** Where others see this peer's connections come from, as they say. */
  observed: z.array(z.object({ address: z.string(), scope, seenBy: z.number() })),
  /** Others see a public address that is none of this machine's; null while nobody has said. */
  behindRouter: z.boolean().nullable(),
  relays: z.array(
    z.object({
      address: z.string(),
      state: z.enum(['connected', 'unreachable']),
      /** Who named it: the owner's settings, or a group this peer is a member of. */
      from: z.enum(['settings', 'group']),
      hasPlace: z.boolean(),
      trouble: troubleSchema.optional(),
    }),
  ),
});
export type Trouble = z.infer<typeof troubleSchema>;
export type TraceView = z.infer<typeof traceSchema>;
export type NetView = z.infer<typeof netSchema>;
export type AddressScope = z.infer<typeof scope>;
