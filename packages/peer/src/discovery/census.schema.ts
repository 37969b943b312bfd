import { z } from 'zod';

const countsSchema = z.array(z.object({ name: z.string(), peers: z.number() }));
/** Who is there, counted; the most first. What peers say of themselves (region, version) is proven by nobody. */
export const censusSchema = z.object({
  v: z.literal(1),
  /** Paired devices, and those of them that are here. */
  devices: z.number(),
  online: z.number(),
  /** Guests and relays that are here. */
  others: z.number(),
  /** By the way to them: `direct tcp`, `relayed`, `away`. */
  networks: countsSchema,
  /** As they declare it (`network.region`); `not said` otherwise. This peer's own is not among them. */
  regions: countsSchema,
  /** Program and version; `not known` for a device that has not said yet. */
  versions: countsSchema,
  /** What the links that are up now are sealed with. */
  ciphers: countsSchema,
  /** Of the paired devices, as this peer sees them; null without one. */
  meanReputation: z.number().nullable(),
  /** Peers that came and went within `windowMs`, or since `sinceMs` where that is later. */
  churn: z.object({ came: z.number(), went: z.number(), windowMs: z.number(), sinceMs: z.number() }),
});
export type CensusView = z.output<typeof censusSchema>;
