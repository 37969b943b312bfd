import { reputationLimits as limits } from './limits.ts';

/** What a kind of deed weighs. `units` are those of evidence: 1 is one answer that both signed for. */
interface Weight {
  readonly units: number;
  readonly side: 'good' | 'bad';
  readonly halfLifeMs: number;
  /** Shown to anybody, it proves the lie: the peer is refused at once. */
  readonly proof?: true;
}
const service = { halfLifeMs: limits.serviceHalfLifeMs };
const proof = { side: 'bad', units: 200, halfLifeMs: limits.proofHalfLifeMs, proof: true } as const;

/** What a peer can do to its name, as one sees it who dealt with it. */
export const deeds = {
  /** It answered, and both signed the receipt. */
  answered: { side: 'good', units: 1, ...service },
  /** It was answered, and signed for it. */
  'signed-for': { side: 'good', units: 0.5, ...service },
  'task-done': { side: 'good', units: 1, ...service },
  'lease-settled': { side: 'good', units: 1, ...service },
  'dispute-won': { side: 'good', units: 1, ...service },
  /** It was busy, or would not. */
  refused: { side: 'bad', units: 0.1, ...service },
  'timed-out': { side: 'bad', units: 0.5, ...service },
  /** It took the work and did not bring it to its end. */
  undelivered: { side: 'bad', units: 0.5, ...service },
  /** What it gave does not fit what it signed or what was asked. */
  'wrong-work': { side: 'bad', units: 3, ...service },
  /** The two do not agree on what was done, and nobody has decided. */
  disputed: { side: 'bad', units: 1, ...service },
  'dispute-lost': { side: 'bad', units: 5, ...service },
  /** The owner sent it away. */
  blocked: { side: 'bad', units: 5, ...service },
  /** It signed two histories of its log. */
  equivocation: proof,
  /** Over its own link it said something under a signature that is not its own. */
  forgery: proof,
  /** It signed what is shown to be false. */
  lie: proof,
} as const satisfies Readonly<Record<string, Weight>>;

export type Deed = keyof typeof deeds;
export const deedNames = Object.keys(deeds) as readonly Deed[];
export const weightOf = (deed: Deed): Weight => deeds[deed];
export const isProof = (deed: Deed): boolean => weightOf(deed).proof === true;
