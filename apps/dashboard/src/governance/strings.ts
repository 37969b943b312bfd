import { points } from '../shared/format.ts';

export const governance = {
  title: 'Governance',
  lead: 'Groups of devices that decide together, without anybody in charge. Every vote is signed, and all of it is counted again by each of them.',
  what: 'groups that decide',
  one: 'this group',
  list: 'Groups',
  make: 'New group',
  none: 'No group yet.',
  noneText: 'Make one with paired devices, or wait until a device invites this one.',
  choose: 'Choose a group to see its votes and what it decided.',
  gone: 'This group is not here.',
  back: 'Back to the groups',
  states: { invited: 'invited', waiting: 'waiting', member: 'member', left: 'not a member' },
  open: (n: number) => `${n} open`,
  with: 'Its members, with this device',
  makeAct: 'Make the group',
  makeFailed: 'The group was not made',
} as const;

export const part = {
  invitedBy: (name: string) => `${name} asks this device to be a member`,
  invited: 'This device is asked to be a member',
  invitedText: 'A member votes, and refuses whom the group decided to refuse. Nothing else here changes by a vote.',
  join: 'Join',
  forget: 'Forget it',
  waiting: 'This device said yes',
  waitingText: 'The members vote on it now.',
  left: 'This device is a member no more',
  leftText: 'It sees what is decided, and has no vote.',
  failed: 'It did not work',
  leave: 'Leave',
  leaveSure: 'Forget this group on this device?',
  leaveText: 'The others count this device as silent until they vote it out.',
  leaveAct: 'Leave it',
} as const;

export const people = {
  title: 'Members',
  own: 'this device',
  here: 'here',
  away: 'away',
  liar: (what: string) => `lied, proven: ${what}`,
  lies: {
    'conflicting-propose': 'proposed two blocks in one attempt',
    'conflicting-notarize': 'agreed to two blocks in one attempt',
    'conflicting-finalize': 'decided two blocks in one attempt',
    'nullify-and-finalize': 'gave an attempt up and decided in it',
  },
  quorum: (quorum: number, members: number) => `A block needs the signatures of ${quorum} of ${members}.`,
  ask: 'Ask a device in',
  askAct: 'Ask',
  asked: (name: string) => `${name} is asked. When it says yes, the members vote on it.`,
  askFailed: 'It was not asked',
} as const;

export const votes = {
  title: 'Open proposals',
  none: 'Nothing is open.',
  propose: 'Propose',
  by: (name: string) => `by ${name}`,
  count: (yes: number, no: number, abstain: number, electors: number) =>
    `${yes} yes, ${no} no, ${abstain} abstain, of ${electors}`,
  needs: (quorum: number, percent: number) =>
    `${quorum} must vote (the mark), and more than ${percent} % of yes and no be yes`,
  enough: (quorum: number, percent: number) =>
    `The ${quorum} that must vote have; more than ${percent} % of yes and no must be yes`,
  left: (span: string) => `${span} left`,
  over: 'time is up, it is being closed',
  secret: (asked: number, issued: number) => `By ballot: ${asked} asked for, ${issued} given.`,
  choices: { yes: 'Yes', no: 'No', abstain: 'Abstain' },
  choose: (choice: string, title: string) => `${choice} to “${title}”`,
  own: { yes: 'You said yes.', no: 'You said no.', abstain: 'You abstained.' },
  voting: 'It is counted as soon as the members agree on the block.',
  failed: 'The vote was not counted',
} as const;

export const wish = {
  title: 'New proposal',
  kind: 'What is to be decided',
  kinds: {
    text: 'Words only',
    policy: 'A value of the policy',
    'member-remove': 'A member goes',
    'blacklist-add': 'Every member refuses a device',
    'blacklist-remove': 'A device is refused no more',
  },
  name: 'Title',
  text: 'More about it (may stay empty)',
  policy: 'Which value',
  policyNow: (name: string, value: string, unit: string) => `${name}, now ${value} ${unit}`,
  value: 'Set it to',
  member: 'Member',
  peer: 'Device',
  reason: 'Why (may stay empty)',
  open: 'Open for',
  times: { '3600000': '1 hour', '86400000': '1 day', '259200000': '3 days', '604800000': '7 days' },
  secret: 'By ballot: the chain does not say who voted what',
  act: 'Propose it',
  doing: 'Asking the members',
  failed: 'It was not proposed',
} as const;

export const decided = {
  title: 'Decided',
  none: 'Nothing yet.',
  results: {
    accepted: 'accepted',
    rejected: 'rejected',
    'no-quorum': 'too few voted',
    void: 'accepted, without effect by then',
  },
  block: (height: string) => `block ${height}`,
  last: (shown: string, all: string) => `the last ${shown} of ${all}`,
  more: (count: string) => `and ${count} more`,
  holds: 'What holds',
  head: ['Value', 'Is', 'About'],
  refused: 'Refused by every member',
  points: 'Points of the group',
  pointsIssued: 'issued in all',
  checkpoints: 'Agreed hashes',
  relayList: 'Relays of the group',
  relay: (isUsed: boolean, why: { readonly code: string; readonly text: string } | undefined) =>
    `${isUsed ? 'used here' : 'not used here'}${why === undefined ? '' : `: ${why.text} (${why.code})`}`,
  relays: 'This device does not use them by itself. This uses them:',
} as const;

export const action = {
  text: 'Words',
  policy: (name: string, value: string, unit: string) => `Set ${name} to ${value} ${unit}`.trimEnd(),
  'member-add': (name: string) => `Take ${name} in as a member`,
  'member-remove': (name: string) => `Remove ${name} from the members`,
  'blacklist-add': (name: string) => `Refuse ${name} at every member`,
  'blacklist-remove': (name: string) => `Refuse ${name} no more`,
  relays: (addresses: string) => `Use these relays: ${addresses}`,
  points: (amount: string, name: string) => `${points(amount)} to ${name}`,
  checkpoint: (name: string, hash: string) => `${name} is ${hash}…`,
  because: (reason: string) => `, because: ${reason}`,
} as const;

export const chain = {
  title: 'Chain',
  blocks: 'Blocks',
  next: 'Next block',
  round: (height: string, attempt: string, leader: string, phase: string) =>
    `${height}, attempt ${attempt} led by ${leader}: ${phase}`,
  phases: {
    'pre-prepare': 'proposed (pre-prepare)',
    prepare: 'voted for here (prepare)',
    commit: 'committed to here (commit)',
    'view-change': 'given up here (view-change)',
  },
  members: 'Members changed',
  digest: 'State',
  key: 'Signs as',
  noKey: 'no key yet',
  share: (t: string, n: string) => `${t} of ${n} members together`,
  signed: 'Signed head',
  over: (blocks: string) => `over ${blocks}`,
  noHead: 'none yet',
  why: {
    alone: 'One member alone makes no key.',
    'members-away': 'All members have to be here once to make a key. Away:',
    'making-key': 'The members are making their key.',
    'no-share': 'This device has no share of the key. The others sign without it.',
    'too-few-sign': 'Too few members sign. Silent:',
    'attempts-spent': 'Every attempt at a key failed. Named:',
  },
  attempt: (n: string, by: string) => `Attempt ${n} at a key failed, says ${by}.`,
  named: (names: string) => `Wrong or missing: ${names}.`,
  verify: 'Verify here',
  verifying: (done: string, all: string) => `Checking block ${done} of ${all}, in this page`,
  ok: (blocks: string) => `All ${blocks} hold together`,
  okText: (signatures: string, seconds: string) =>
    `Checked in this page just now, without trusting the agent: ${signatures}, every vote counted again, in ${seconds}. It leads to the state that the agent shows.`,
  okHead: (blocks: string) => `The group’s own signature is over ${blocks} of these.`,
  badHead: 'The signed head is of other blocks than these',
  broken: (blocks: string) => `The chain does not hold after ${blocks}`,
  differs: 'The agent shows another state than its chain leads to',
  failed: 'It was not checked',
} as const;
