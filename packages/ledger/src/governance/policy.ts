import { seedIncentives } from '../incentives/policy.ts';

/** A named whole number that a group may set. */
export interface PolicyKey {
  readonly unit: 'percent' | 'permille' | 'micro-points' | 'minutes';
  readonly min: number;
  readonly max: number;
  readonly initial: number;
  /** Whether it takes the majority of the group's own rules. */
  readonly isRule: boolean;
  readonly about: string;
}

/** What a group may set, with what holds until it does. Whole numbers, so that every node computes the same; `incentivePolicy` reads those of its names. */
export const policyKeys = {
  'quorum-percent': {
    unit: 'percent',
    min: 1,
    max: 100,
    initial: 50,
    isRule: true,
    about: 'members that must have voted, abstaining counts',
  },
  'majority-percent': {
    unit: 'percent',
    min: 50,
    max: 99,
    initial: 50,
    isRule: true,
    about: 'of yes and no together, more than this must be yes',
  },
  'rules-majority-percent': {
    unit: 'percent',
    min: 50,
    max: 99,
    initial: 66,
    isRule: true,
    about: 'the same for members and for these rules',
  },
  'incentives.capsule_base_micro': {
    unit: 'micro-points',
    min: 0,
    max: 1_000_000_000,
    initial: Number(seedIncentives.capsuleBaseMicro),
    isRule: false,
    about: 'what a capsule earns, times its quality and its novelty',
  },
  'incentives.node_hour_micro': {
    unit: 'micro-points',
    min: 0,
    max: 1_000_000_000,
    initial: Number(seedIncentives.nodeHourMicro),
    isRule: false,
    about: 'price of a borrowed node for an hour',
  },
  'incentives.bonus_permille': {
    unit: 'permille',
    min: 0,
    max: 1_000,
    initial: seedIncentives.bonusPermille,
    isRule: false,
    about: 'share of the price that good work gets back',
  },
  'incentives.bonus_above_permille': {
    unit: 'permille',
    min: 0,
    max: 1_000,
    initial: seedIncentives.bonusAbovePermille,
    isRule: false,
    about: 'how good that is: above this',
  },
  'log-heads.every_minutes': {
    unit: 'minutes',
    min: 0,
    max: 10_080,
    initial: 60,
    isRule: false,
    about: 'how soon heads of members’ logs go into the chain again; 0 not at all',
  },
} as const satisfies Readonly<Record<string, PolicyKey>>;

export type PolicyName = keyof typeof policyKeys;
export type Policy = Readonly<Record<PolicyName, number>>;

export const policyNames = Object.keys(policyKeys) as PolicyName[];
export const isPolicyName = (name: string): name is PolicyName => Object.hasOwn(policyKeys, name);
export const initialPolicy = Object.fromEntries(policyNames.map((name) => [name, policyKeys[name].initial])) as Policy;

export function isPolicyValue(name: PolicyName, value: number): boolean {
  const { min, max } = policyKeys[name];
  return Number.isInteger(value) && value >= min && value <= max;
}
