const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Every bound and figure of reputation, with its unit and its reason; docs/reputation.md has the formulas. */
export const reputationLimits = {
  /** Score of somebody nothing is known of: low, so that a new identity is worth little, and above `refuseBelow`, so that it may begin. */
  strangerScore: 0.3,
  /** Units of evidence that this first guess weighs: ten answers weigh as much. */
  priorUnits: 10,
  /** A peer that misbehaves while its score is below this is refused. */
  refuseBelow: 0.2,
  /** After so long what a peer did counts half, milliseconds: who changed shows it within weeks. */
  serviceHalfLifeMs: 14 * dayMs,
  /** The same for what is proven to be a lie, milliseconds: a key that signed two histories did so. */
  proofHalfLifeMs: 180 * dayMs,
  /** Good units of one UTC day that count: a flood of small answers makes no name in an hour. */
  dayUnitsMax: 8,
  /** Good units from one counterparty that count: no partner alone lifts a score to the top. */
  counterpartyUnitsMax: 40,
  /** Units that refusals alone may take: who is often busy is asked last, and not sent away for it. */
  refusalUnitsMax: 4,
  /** Ids of proofs kept of one peer, count: the same proof told twice counts once. */
  proofsKeptMax: 16,
  /** Score from which on what a peer says of others begins to count; it counts in full at 1. */
  trustFrom: 0.5,
  /** What one peer's word may move a score by, and the words of all together; as parts of 1. Five liars stay below 0.05. */
  tellerShiftMax: 0.015,
  saidShiftMax: 0.045,
  /** Bytes of a signed opinion: about 200. */
  opinionBytesMax: 512,
  /** How far an opinion may lie ahead of this clock, milliseconds. */
  opinionAheadMsMax: 300_000,
  /** How old an opinion may be, milliseconds: two half-lives. */
  opinionAgeMsMax: 28 * dayMs,
  /** Units an opinion may claim: what one counterparty can have, good and bad. */
  opinionUnitsMax: 1_000_000,
  /** The first refusal, milliseconds; each next is twice as long, up to the longest. */
  firstRefusalMs: hourMs,
  longestRefusalMs: 30 * dayMs,
  /** So long after the end of a refusal the next is counted from one again, milliseconds. */
  strikesKeptMs: 90 * dayMs,
} as const;
