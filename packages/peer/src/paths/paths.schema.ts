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
  reachability: z.object({ scope, text: z.string() }),
  addresses: z.array(z.object({ address: z.string(), scope })),
  /** Where others see this peer's connections come from, as they say. */
  observed: z.array(z.object({ address: z.string(), scope, seenBy: z.number() })),
  /** Others see a public address that is none of this machine's; null while nobody has said. */
  behindRouter: z.boolean().nullable(),
  relays: z.array(
    z.object({
      address: z.string(),
      state: z.enum(['connected', 'unreachable']),
      hasPlace: z.boolean(),
      trouble: troubleSchema.optional(),
    }),
  ),
});
export type Trouble = z.infer<typeof troubleSchema>;
export type TraceView = z.infer<typeof traceSchema>;
export type NetView = z.infer<typeof netSchema>;
export type AddressScope = z.infer<typeof scope>;
