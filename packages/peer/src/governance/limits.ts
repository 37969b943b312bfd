/** Every bound of groups that govern together, with its unit and its reason. */
export const governanceRoomLimits = {
  /** Groups of one peer, count: each holds its state in memory and talks to its members. */
  groupsMax: 16,
  /** Messages to one member that wait for its channel, count: the oldest goes, the agreement says it again. */
  lineWaitingMax: 256,
  /** One message between members, bytes: the largest of the agreement (`agreementLimits.messageBytesMax`) and its group's id. */
  lineMessageBytesMax: 262_784,
  /** How long opening a channel to a member may take, milliseconds. */
  lineOpenMs: 10_000,
  /** How long a member that was not reached is left alone, milliseconds: doubles from the first to the last; a hello ends it. */
  lineRetryMs: 500,
  lineRetryMsMax: 30_000,
  /** One message of the agreement on a group's topic, bytes: what gossip takes (65,536) less 1,536 for its readers (32 × 34), nonce, tag and the form. */
  topicMessageBytesMax: 64_000,
  /** Messages for a group's topic that wait, count: the oldest goes, the agreement says it again. */
  topicWaitingMax: 64,
  /** Messages of this peer on a group's topic at once, count, and a minute: a member that decides says about eight for each block, so eight blocks a second. */
  topicBurst: 256,
  topicPerMinute: 3_840,
  /** What is taken of one member, and of all together who are none: twice its own burst and a quarter more a minute, for what a stalled link brings at once. */
  topicBurstTaken: 512,
  topicPerMinuteTaken: 4_800,
  /** Numbers of one author's messages that are remembered, count, so that each is heard once: an older one than all of them is not heard. */
  topicNumbersKept: 256,
  /** Authors on one topic that are remembered, count: twice the largest group, and those who are no members go first. */
  topicAuthorsMax: 64,
  /** How long a member that was heard on the topic counts as there, milliseconds: it says where it is each quarter of a minute, and twice may be lost. */
  topicHeardMs: 48_000,
  /**
   * An answer to one member above so many bytes waits a random moment, up to so many milliseconds for each member, and is left out when one more than may lie
   * gave such an answer meanwhile (slotting and damping, Floyd et al. 1995).
   */
  topicLargeBytes: 4_096,
  topicAnswerMs: 8,
  /** One message of `/peerai/heads/1`, bytes: twice the longest of a group's key (`groupMessageBytesMax`) and what is around it. */
  headsMessageBytesMax: 33_024,
  /** Making a key: how soon what may be lost is said again, and how long all members may take together, milliseconds. */
  headKeyResendMs: 1_000,
  headKeyMs: 60_000,
  /** How long after a head that too few signed the next try comes, and for each attempt at a key that failed before, milliseconds. */
  headRetryMs: 10_000,
  /** One question of `/peerai/governance/1`, milliseconds, and bytes: an invitation of 32 members has 1.2 kB. */
  callMs: 10_000,
  callBytesMax: 8_192,
  /** How long the owner's call waits for the group's decision, milliseconds; what was sent may still be decided later. */
  decideMs: 30_000,
  /** How long members decide on somebody who said yes, milliseconds: three days, as of any proposal that says no time. */
  memberOpenMs: 259_200_000,
  /** How often open votes are looked at, milliseconds: deadlines are met to within this. */
  lookMs: 500,
  /** How much later each further member does what one is enough for, milliseconds: two rounds of a group whose leader is gone. */
  turnMs: 5_000,
  /** A ballot is handed on with three chances of four, and by so many members at the most (Crowds, Reiter and Rubin 1998). */
  handOnOf4: 3,
  ballotHopsMax: 8,
  /** Ballots that one member may have under way through this peer at once, count: each waits for a member or for the group. One vote takes one. */
  ballotsUnderWayMax: 32,
  /** How often it is looked what is to be rewarded, milliseconds: what a lease or a capsule earned need not be there at once. */
  rewardsLookMs: 15_000,
  /**
   * What one peer gives by itself in one day (UTC), rewards and micro-points: a hundred points, as much as one peer may owe another.
   * Quality and novelty are its author's own word, so who floods a group with capsules gets no more than that of anybody.
   */
  rewardsPerDayMax: 32,
  rewardsDayMicroMax: 100_000_000n,
  /** Rewards that were given, remembered beyond those whose lease or capsule is still here, count; and of either list shown. */
  rewardRowsKept: 4_096,
  rewardsShown: 100,
  /**
   * Entries of a log that nobody needs to be told of at once, count: decided blocks and others' heads, which stand elsewhere already. From so many on they are
   * said like any; counting them costs a read of each.
   */
  quietEntriesMax: 1_024,
  /** Bytes of one entry's body that are left for what is around its heads. */
  logHeadsRoomBytes: 64,
  /** Blocks of one page, count. */
  blocksPageMax: 64,
  /** Lines of the log that are kept at hand for people, count; the chain has all. */
  logKept: 500,
  /** Blocks that began while a caller waited, count: their outcomes are kept for it. */
  outcomesKept: 64,
} as const;
