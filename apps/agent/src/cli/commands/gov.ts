import { PeerAiError } from '@peerai/core-protocol';
import type {
  GovernanceActionView,
  GovernanceDetail,
  GovernanceGroupView,
  GovernanceProposalView,
} from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { ago, counted, until } from '../words.ts';
import { liesText } from './lie-words.ts';
import { evidence, verify } from './gov-evidence.ts';
import { check, exportGroup, head } from './gov-head.ts';
import { logHeadsText } from './gov-log-heads.ts';
import { propose } from './gov-propose.ts';

const idChars = 12;
const which = {
  group: { type: 'positional', required: true, description: 'Name or id of the group, or its beginning' },
} as const;

const ls = command('ls', 'Groups that decide together', {} as const, async ({ agent, output, signal }) => {
  const found = await (await agent()).client.governance(signal);
  output.data(found, () => {
    if (found.groups.length === 0) return 'None yet. Make one: peerai gov create <name> --with <peer,peer>';
    const rows = found.groups.map((group) => [
      group.name,
      group.state,
      membersOf(group),
      `${group.height}`,
      `${group.open}`,
      group.id.slice(0, idChars),
    ]);
    return table([['NAME', 'YOU', 'MEMBERS', 'BLOCKS', 'OPEN', 'ID'], ...rows]);
  });
});

const create = command(
  'create',
  'A group that decides together',
  {
    name: { type: 'positional', required: true, description: 'What it is called' },
    with: { type: 'string', valueHint: 'peer,peer', description: 'Paired devices that are its members with you' },
  } as const,
  async ({ args, agent, output }) => {
    const members = (args.with ?? '').split(',').filter((one) => one !== '');
    const made = await (await agent()).client.createGovernance({ name: args.name, members });
    const { group } = made;
    output.data(made, () =>
      members.length === 0
        ? `Made ${group.name}. Ask a device: peerai gov invite ${group.id.slice(0, idChars)} <peer>`
        : `Made ${group.name}; ${group.quorum} of ${group.members.length} decide. On each other device: peerai gov join ${group.id.slice(0, idChars)}`,
    );
  },
);

const join = command('join', 'Say yes to an invitation', which, async ({ args, agent, output }) => {
  const joined = await (await agent()).client.joinGovernance(args.group);
  output.data(joined, () =>
    joined.group.state === 'waiting'
      ? `Said yes to ${joined.group.name}; its members vote on it now.`
      : `You are a member of ${joined.group.name}.`,
  );
});

const invite = command(
  'invite',
  'Ask a device to be a member; when it says yes the members vote',
  { ...which, peer: { type: 'positional', required: true, description: 'Name or peer id' } } as const,
  async ({ args, agent, output }) => {
    const asked = await (await agent()).client.inviteToGovernance(args.group, args.peer);
    const id = asked.group.id.slice(0, idChars);
    output.data(asked, () => `Asked ${args.peer}. On that device: peerai gov join ${id}`);
  },
);

const leave = command('leave', 'Forget a group on this peer', which, async ({ args, agent, output }) => {
  await (await agent()).client.leaveGovernance(args.group);
  output.note('The others still count you until they vote: peerai gov propose <group> "…" --remove <peer>');
  output.data({ left: args.group }, () => 'Forgotten here.');
});

const vote = command(
  'vote',
  'Vote once; yes, no or abstain',
  {
    ...which,
    proposal: { type: 'positional', required: true, description: 'Id of the proposal, or its beginning' },
    choice: { type: 'positional', required: true, description: 'yes, no or abstain' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const choice = (['yes', 'no', 'abstain'] as const).find((one) => one === args.choice);
    if (choice === undefined) throw new PeerAiError('USAGE', `vote yes, no or abstain, not "${args.choice}"`);
    const said = await (await agent()).client.voteOn(args.group, args.proposal, choice, signal);
    output.data(said, () =>
      said.height === null
        ? `Kept: ${choice}. This peer asks for a ballot now and casts it in the second half of the time; leave it running.`
        : `Counted in block ${said.height}: ${choice}.`,
    );
  },
);

const show = command(
  'show',
  'Members, open votes, and what was decided',
  which,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.governanceGroup(args.group, signal);
    output.data(found, () => detailText(found));
  },
);

const log = command(
  'log',
  'Everything the chain says, newest first',
  which,
  async ({ args, agent, output, signal }) => {
    const found = await (await agent()).client.governanceLog(args.group, signal);
    output.data(found, () => {
      if (found.lines.length === 0) return 'Nothing yet.';
      const rows = found.lines.map((line) => [
        `${line.height}`,
        line.author.name,
        line.what,
        line.detail ?? '-',
        line.on?.slice(0, idChars) ?? '-',
        line.refused === null ? 'taken' : `not taken: ${line.why ?? line.refused}`,
      ]);
      return table([['BLOCK', 'BY', 'WHAT', 'DETAIL', 'ON', 'CAME TO'], ...rows]);
    });
  },
);

export const gov: Verb = {
  run: ls,
  subs: {
    ls,
    create,
    join,
    invite,
    leave,
    show,
    propose,
    vote,
    log,
    verify,
    evidence,
    head,
    export: exportGroup,
    check,
  },
};

const membersOf = ({ members }: GovernanceGroupView): string => members.map(({ name }) => name).join(', ');

const pointsText = (micro: string): string => {
  const digits = micro.padStart(7, '0');
  const part = digits.slice(-6).replace(/0+$/u, '');
  return `${digits.slice(0, -6)}${part === '' ? '' : `.${part}`}`;
};

/** In one line, what is to be done. */
function actionText(action: GovernanceActionView): string {
  if (action.type === 'policy') return `set ${action.name} to ${action.value}`;
  if (action.type === 'relays') return `relays ${action.addresses.join(' ')}`;
  if (action.type === 'points')
    return `${pointsText(action.amountMicro)} ${action.amountMicro === '1000000' ? 'point' : 'points'} to ${action.peerName}`;
  if (action.type === 'checkpoint') return `${action.name} is ${action.sha256.slice(0, idChars)}…`;
  if (action.type === 'text') return 'words only';
  const verb = {
    'member-add': 'admit',
    'member-remove': 'remove',
    'blacklist-add': 'refuse',
    'blacklist-remove': 'refuse no more',
  };
  return `${verb[action.type]} ${action.peerName}`;
}

/** What keeps the group from signing a newer head. */
const whys: Readonly<Record<NonNullable<GovernanceDetail['signed']['problem']>['why'], string>> = {
  alone: 'one member alone makes no key',
  'members-away': 'all members have to be here once to make a key; away',
  'making-key': 'the members make their key; not heard from',
  'no-share': 'this peer has no share of the key: the others sign without it, until the members change',
  'too-few-sign': 'too few members sign; silent',
  'attempts-spent': 'every attempt at a key failed: remove who spoils it',
};

function headText({ key, threshold, members, size, problem, failed }: GovernanceDetail['signed']): string {
  const names = problem?.peers.map(({ name }) => name).join(', ') ?? '';
  const lines = [
    key === null
      ? 'Key: none yet'
      : `Key ${key}: ${threshold} of ${members} sign together; head over ${counted(size, 'block', 'blocks')}`,
    ...(problem === null ? [] : [`No newer head: ${whys[problem.why]}${names === '' ? '' : ` (${names})`}`]),
    ...failed.map(
      ({ attempt, by, blamed }) =>
        `Attempt ${attempt + 1} at the key failed, says ${by.name}${blamed.length === 0 ? '' : `: ${blamed.map(({ name }) => name).join(', ')}`}`,
    ),
  ];
  return lines.join('\n');
}

const votesOf = ({
  yes,
  no,
  abstain,
  electors,
  quorum,
}: GovernanceProposalView | GovernanceDetail['decisions'][0]): string =>
  `${yes} yes, ${no} no, ${abstain} abstain of ${electors} (${quorum} must vote)`;

function relaysText({ addresses, used, reasons, command }: GovernanceDetail['relays']): string {
  const rows = addresses.map((address) => [
    address,
    used.includes(address) ? 'used' : 'not used',
    reasons.filter((one) => one.address === address).map(({ code, text }) => `${code}: ${text}`)[0] ?? '',
  ]);
  return [table([['RELAY', 'HERE', 'WHY'], ...rows]), ...(command === null ? [] : [`To use them: ${command}`])].join(
    '\n',
  );
}

const isHere = ({ online, via, topic }: GovernanceGroupView['members'][0]): string => {
  if (via !== null) return `via ${via.name}`;
  return topic ? 'over gossip' : online ? 'here' : 'away';
};

const roundText = ({ height, attempt, leader, phase }: NonNullable<GovernanceDetail['round']>): string =>
  `Block ${height}, attempt ${attempt} led by ${leader.name}: ${phase ?? ''}.`;

function detailText({
  group,
  round,
  proposals,
  decisions,
  policy,
  blacklist,
  relays,
  points,
  digest,
  signed,
  logHeads,
}: GovernanceDetail): string {
  const online = (one: GovernanceGroupView['members'][0]): string =>
    one.liar ? `LIED: ${liesText(one.lies)}` : one.own ? 'you' : isHere(one);
  const parts = [
    `${group.name}: ${group.state}, ${counted(group.height, 'block', 'blocks')}, ${group.quorum} of ${group.members.length} decide`,
    ...(round === null || round.phase === null ? [] : [roundText(round)]),
    table([['MEMBER', 'IS'], ...group.members.map((one) => [one.name, online(one)])]),
  ];
  if (proposals.length > 0)
    parts.push(
      table([
        ['OPEN', 'TITLE', 'WHAT', 'VOTES', 'ENDS', 'YOU'],
        ...proposals.map((one) => [
          one.id.slice(0, idChars),
          one.title,
          actionText(one.action),
          `${votesOf(one)}${one.secret ? `, ${one.issued} ballots given` : ''}`,
          until(one.closesMs),
          one.own ?? '-',
        ]),
      ]),
    );
  if (decisions.length > 0)
    parts.push(
      table([
        ['DECIDED', 'TITLE', 'WHAT', 'VOTES', 'RESULT', 'WHEN'],
        ...decisions
          .slice(0, 20)
          .map((one) => [
            one.id.slice(0, idChars),
            one.title,
            actionText(one.action),
            votesOf(one),
            one.result,
            ago(one.timeMs),
          ]),
      ]),
    );
  if (policy.length > 0)
    parts.push(
      table([['POLICY', 'VALUE', 'UNIT'], ...policy.map(({ name, value, unit }) => [name, `${value}`, unit])]),
    );
  if (blacklist.length > 0)
    parts.push(table([['REFUSED', 'REASON'], ...blacklist.map(({ name, reason }) => [name, reason])]));
  if (points.length > 0)
    parts.push(table([['POINTS OF', 'AMOUNT'], ...points.map((one) => [one.name, pointsText(one.amountMicro)])]));
  if (relays.addresses.length > 0) parts.push(relaysText(relays));
  if (digest !== '') parts.push(logHeadsText(logHeads));
  if (digest !== '') parts.push(`State ${digest}`, headText(signed));
  return parts.join('\n\n');
}
