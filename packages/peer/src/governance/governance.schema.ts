import { z } from 'zod';
import { logHeadsSchema } from './log-heads.schema.ts';

const microSchema = z.string().regex(/^\d{1,30}$/u);
const idSchema = z.string();
const who = { peerId: z.string(), name: z.string() };
/** Whom an action is about, with the name it goes by here. */
const whom = { peerId: z.string(), peerName: z.string() };

export const actionSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('member-add'), ...whom }),
  z.object({ type: z.literal('member-remove'), ...whom }),
  z.object({ type: z.literal('policy'), name: z.string(), value: z.number() }),
  z.object({ type: z.literal('blacklist-add'), ...whom, reason: z.string() }),
  z.object({ type: z.literal('blacklist-remove'), ...whom }),
  z.object({ type: z.literal('relays'), addresses: z.array(z.string()) }),
  z.object({ type: z.literal('points'), ...whom, amountMicro: microSchema, reason: z.string() }),
  z.object({ type: z.literal('checkpoint'), name: z.string(), sha256: z.string() }),
  z.object({ type: z.literal('text') }),
]);
const tallyShape = {
  yes: z.number(),
  no: z.number(),
  abstain: z.number(),
  /** Members that may vote, and how many must. */
  electors: z.number(),
  quorum: z.number(),
  /** More than so many percent of yes and no together must be yes. */
  majorityPercent: z.number(),
  /** Votes by ballot, that nobody can tie to a member by the chain. */
  secret: z.boolean(),
};
const choiceSchema = z.enum(['yes', 'no', 'abstain']);

export const proposalSchema = z.object({
  id: idSchema,
  title: z.string(),
  text: z.string(),
  author: z.object(who),
  action: actionSchema,
  openedMs: z.number(),
  closesMs: z.number(),
  /** Of votes by ballot: asked for before, cast from here on. */
  castFromMs: z.number().nullable(),
  ...tallyShape,
  /** Open votes by name. */
  votes: z.array(z.object({ ...who, choice: choiceSchema })),
  /** Members that asked for a ballot, and those that got one. */
  asked: z.number(),
  issued: z.number(),
  /** This peer's own choice, as it said it or is about to. */
  own: choiceSchema.nullable(),
});
export const decisionSchema = z.object({
  id: idSchema,
  title: z.string(),
  author: z.object(who),
  action: actionSchema,
  height: z.number(),
  timeMs: z.number(),
  /** `void`: wanted, and without effect by then. */
  result: z.enum(['accepted', 'rejected', 'no-quorum', 'void']),
  ...tallyShape,
});
const lieKindSchema = z.enum([
  'conflicting-propose',
  'conflicting-notarize',
  'conflicting-finalize',
  'nullify-and-finalize',
]);
export const governanceGroupSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** `invited`: this peer has not said yes. `waiting`: it has, and the group has not decided on it. `left`: it is no member any more. */
  state: z.enum(['invited', 'waiting', 'member', 'left']),
  invitedBy: z.object(who).nullable(),
  members: z.array(
    z.object({
      ...who,
      own: z.boolean(),
      /** A link to it is up. */
      online: z.boolean(),
      /** Heard from in this agreement since this peer started. */
      heard: z.boolean(),
      /** The member through which this one is reached, which this peer does not hear itself; null where it does, and where nobody heard it lately. */
      via: z.object(who).nullable(),
      /** Heard lately over the group's topic, while there is no channel to it. */
      topic: z.boolean(),
      /** Proven to have said two things at once. */
      liar: z.boolean(),
      /** What it is proven to have done, each kind once. */
      lies: z.array(lieKindSchema),
    }),
  ),
  height: z.number(),
  epoch: z.number(),
  /** Signatures a block needs. */
  quorum: z.number(),
  open: z.number(),
});
/** The key of the members' epoch that signs heads of the chain, and the newest of these. */
const headsSchema = z.object({
  /** The peer id of the key: the origin of its notes. Null until a quorum has shares of one. */
  key: z.string().nullable(),
  epoch: z.number(),
  /** So many of so many members sign together. */
  threshold: z.number(),
  members: z.number(),
  /** The newest head that this peer has seen, a signed note, and how many blocks it is over; of a key before this one too. */
  note: z.string().nullable(),
  size: z.number(),
  /** Why there is no newer one, and whom it waits for. */
  problem: z
    .object({
      why: z.enum(['alone', 'members-away', 'making-key', 'no-share', 'too-few-sign', 'attempts-spent']),
      peers: z.array(z.object(who)),
    })
    .nullable(),
  /** Attempts at this epoch's key that came to nothing: who said so, and whose messages were wrong or missing by that one's account. */
  failed: z.array(z.object({ attempt: z.number(), by: z.object(who), blamed: z.array(z.object(who)) })),
  /** Keys of epochs before. */
  former: z.array(z.object({ key: z.string(), epoch: z.number() })),
});
/** How far the block that comes next is, in the words of PBFT. */
const roundSchema = z.object({
  height: z.number(),
  /** Attempts at it, from 1, each with its leader. */
  attempt: z.number(),
  leader: z.object(who),
  /** `pre-prepare` once the leader's proposal is here, then what this peer said last; `view-change` gave the attempt up. Null before. */
  phase: z.enum(['pre-prepare', 'prepare', 'commit', 'view-change']).nullable(),
});
export const governanceDetailSchema = z.object({
  v: z.literal(1),
  group: governanceGroupSchema,
  /** Null where this peer does not follow the group. */
  round: roundSchema.nullable(),
  timeMs: z.number(),
  head: z.string(),
  /** SHA-256 over all that the chain came to: alike on every node at one height. */
  digest: z.string(),
  proposals: z.array(proposalSchema),
  /** Newest first. */
  decisions: z.array(decisionSchema),
  policy: z.array(
    z.object({ name: z.string(), value: z.number(), unit: z.string(), initial: z.number(), about: z.string() }),
  ),
  blacklist: z.array(z.object({ ...who, reason: z.string() })),
  relays: z.object({
    addresses: z.array(z.string()),
    /** Whether this peer uses what its groups decide, only shows it, or cannot use it. */
    mode: z.enum(['follow', 'show', 'unable']),
    /** Those of the list that this peer uses now, its own settings' among them. */
    used: z.array(z.string()),
    /** Why one of the list is not used, or is used and of no use now. */
    reasons: z.array(
      z.object({
        address: z.string(),
        code: z.enum([
          'RELAYS_SHOWN_ONLY',
          'RELAYS_UNABLE',
          'NOT_A_MEMBER',
          'NO_RELAY_ADDRESS',
          'TOO_MANY_RELAYS',
          'NOT_YET',
          'RELAY_AWAY',
          'NO_PLACE',
        ]),
        text: z.string(),
      }),
    ),
    /** Makes a peer that does not follow this group use the list; null where there is nothing to do. */
    command: z.string().nullable(),
  }),
  points: z.array(z.object({ ...who, amountMicro: microSchema })),
  /** All that decisions have issued: what members have adds up to it. */
  pointsIssuedMicro: microSchema,
  checkpoints: z.array(z.object({ name: z.string(), sha256: z.string(), height: z.number() })),
  signed: headsSchema,
  logHeads: logHeadsSchema,
});
export const governanceHeadSchema = z.object({
  v: z.literal(1),
  /** Of the group. */
  id: z.string(),
  key: z.string(),
  size: z.number(),
  note: z.string(),
});
export const governanceGroupsSchema = z.object({ v: z.literal(1), groups: z.array(governanceGroupSchema) });
export const governanceLogSchema = z.object({
  v: z.literal(1),
  /** Newest first. */
  lines: z.array(
    z.object({
      height: z.number(),
      author: z.object(who),
      what: z.enum([
        'proposal',
        'vote',
        'close',
        'ask',
        'issue',
        'ballot',
        'transfer',
        'reward',
        'head-key',
        'log-heads',
        'members',
        'unreadable',
      ]),
      on: z.string().nullable(),
      detail: z.string().nullable(),
      /** Why it changed nothing, as a code and in words. */
      refused: z.string().nullable(),
      why: z.string().nullable(),
    }),
  ),
});
export const governanceVerifySchema = z.object({
  v: z.literal(1),
  ok: z.boolean(),
  blocks: z.number(),
  signatures: z.number(),
  head: z.string(),
  digest: z.string(),
  /** Whether the digest is that of the state this peer acts on. */
  matches: z.boolean(),
  problem: z.string().nullable(),
  /** The newest signed head: over how many of these blocks it is, whose key signed it, and what is wrong with it. Null where there is none. */
  signed: z.object({ key: z.string(), size: z.number(), ok: z.boolean(), problem: z.string().nullable() }).nullable(),
});
/** Lies that this peer has proof of: two signed statements that no honest member makes both. */
export const governanceEvidenceSchema = z.object({
  v: z.literal(1),
  group: z.string(),
  lies: z.array(
    z.object({
      ...who,
      kind: lieKindSchema,
      epoch: z.number(),
      /** Of the block that both statements are about, and which attempt at it. */
      height: z.number(),
      view: z.number(),
      /** Base64url; checks without this peer. */
      evidence: z.string(),
    }),
  ),
});
/** For who checks the chain itself. */
export const governanceChainSchema = z.object({
  v: z.literal(1),
  /** Base64url. */
  genesis: z.string(),
  blocks: z.array(z.string()),
  /** Of the first block that is not here yet; null when these are all. */
  next: z.number().nullable(),
});
export const governanceSaidSchema = z.object({
  v: z.literal(1),
  group: z.string(),
  proposal: z.string(),
  /** Height of the block that has it; null of a ballot, which is cast in the second half of the time. */
  height: z.number().nullable(),
});

const peerSchema = z.string().min(1).max(128);
export const governanceCreateSchema = z
  .object({ name: z.string().trim().min(1).max(64), members: z.array(peerSchema).max(31).default([]) })
  .strict();
export const governanceInviteSchema = z.object({ peer: peerSchema }).strict();
const shortSchema = z.string().max(280).default('');
export const wishedActionSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('member-remove'), peer: peerSchema }).strict(),
  z.object({ type: z.literal('policy'), name: z.string().max(64), value: z.number().int() }).strict(),
  z.object({ type: z.literal('blacklist-add'), peer: peerSchema, reason: shortSchema }).strict(),
  z.object({ type: z.literal('blacklist-remove'), peer: peerSchema }).strict(),
  z.object({ type: z.literal('relays'), addresses: z.array(z.string().max(512)).max(16) }).strict(),
  z.object({ type: z.literal('points'), peer: peerSchema, amountMicro: microSchema, reason: shortSchema }).strict(),
  z
    .object({ type: z.literal('checkpoint'), name: z.string().max(64), sha256: z.string().regex(/^[\da-f]{64}$/iu) })
    .strict(),
  z.object({ type: z.literal('text') }).strict(),
]);
export const governanceProposeSchema = z
  .object({
    title: z.string().trim().min(1).max(120),
    text: z.string().max(4_000).default(''),
    action: wishedActionSchema,
    /** How long it is open, milliseconds; three days unless said. */
    openMs: z.number().int().min(1_000).max(7_776_000_000).default(259_200_000),
    secret: z.boolean().default(false),
  })
  .strict();
export const governanceTransferSchema = z
  .object({ peer: peerSchema, amountMicro: microSchema, reason: shortSchema })
  .strict();
const shareSchema = z.number().min(0).max(1);
const subjectSchema = z.string().regex(/^[\da-f]{64}$/u, '64 hex digits');
/** What is paid for by the group's policy; the amount follows. Shares are taken to a millionth. */
export const governanceRewardSchema = z.discriminatedUnion('reason', [
  z
    .object({
      reason: z.literal('capsule'),
      peer: peerSchema,
      subject: subjectSchema,
      quality: shareSchema,
      novelty: shareSchema,
    })
    .strict(),
  z
    .object({
      reason: z.literal('borrowing'),
      peer: peerSchema,
      subject: subjectSchema,
      nodes: z.number().int().min(1).max(1_024),
      heldMs: z.number().int().min(1).max(86_400_000),
    })
    .strict(),
  z
    .object({
      reason: z.literal('bonus'),
      peer: peerSchema,
      subject: subjectSchema,
      nodes: z.number().int().min(1).max(1_024),
      heldMs: z.number().int().min(1).max(86_400_000),
      performance: shareSchema,
    })
    .strict(),
]);
export const governancePaidSchema = z.object({
  v: z.literal(1),
  group: z.string(),
  to: z.object(who),
  amountMicro: microSchema,
  height: z.number(),
});
const rewardedShape = {
  group: z.string(),
  /** Null of a group this peer is in no more. */
  groupName: z.string().nullable(),
  to: z.object(who),
  reason: z.enum(['capsule', 'borrowing', 'bonus']),
  /** Of the capsule or the lease, hex. */
  subject: z.string(),
  amountMicro: microSchema,
};
/** What this peer gives by itself by the policies of its groups. */
export const rewardsSchema = z.object({
  v: z.literal(1),
  mode: z.enum(['off', 'auto']),
  /** What was had before is not paid for. */
  sinceMs: z.number().nullable(),
  /** Since midnight UTC, and at the most. */
  today: z.number(),
  todayMicro: microSchema,
  perDayMax: z.number(),
  dayMicroMax: microSchema,
  /** Newest first. `sent`: the group has not answered yet. */
  given: z.array(
    z.object({
      ...rewardedShape,
      atMs: z.number(),
      state: z.enum(['sent', 'paid', 'refused']),
      why: z.string().nullable(),
    }),
  ),
  waiting: z.array(z.object({ ...rewardedShape, why: z.enum(['DAY_LIMIT', 'NO_POINTS', 'NEXT_LOOK']) })),
});
export const governanceVoteSchema = z.object({ choice: choiceSchema }).strict();

export type GovernanceActionView = z.infer<typeof actionSchema>;
export type GovernanceProposalView = z.infer<typeof proposalSchema>;
export type GovernanceDecisionView = z.infer<typeof decisionSchema>;
export type GovernanceGroupView = z.infer<typeof governanceGroupSchema>;
export type GovernanceGroupsView = z.infer<typeof governanceGroupsSchema>;
export type GovernanceDetail = z.infer<typeof governanceDetailSchema>;
export type GovernanceLogView = z.infer<typeof governanceLogSchema>;
export type GovernanceHeadsView = z.infer<typeof headsSchema>;
export type GovernanceHeadView = z.infer<typeof governanceHeadSchema>;
export type GovernanceVerifyView = z.infer<typeof governanceVerifySchema>;
export type GovernanceEvidenceView = z.infer<typeof governanceEvidenceSchema>;
export type GovernanceChainView = z.infer<typeof governanceChainSchema>;
export type GovernanceSaidView = z.infer<typeof governanceSaidSchema>;
export type GovernanceCreate = z.input<typeof governanceCreateSchema>;
export type GovernanceTransfer = z.output<typeof governanceTransferSchema>;
export type GovernanceReward = z.output<typeof governanceRewardSchema>;
export type RewardsView = z.infer<typeof rewardsSchema>;
export type GovernancePaidView = z.infer<typeof governancePaidSchema>;
export type GovernancePropose = z.input<typeof governanceProposeSchema>;
export type GovernanceWish = z.output<typeof governanceProposeSchema>;
export type GovernanceChoice = z.infer<typeof choiceSchema>;
