import { PeerAiError } from '@peerai/core-protocol';
import { parseDurationMs } from '@peerai/platform';
import type { GovernancePropose } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';
import { policyNumber } from '../policy-number.ts';
import { readFileText } from '../read-data.ts';
import type { PolicyChange } from './gov-policy.ts';

const idChars = 12;

export const propose = command(
  'propose',
  'Ask the members for a decision',
  {
    group: { type: 'positional', required: true, description: 'Name or id of the group, or its beginning' },
    title: { type: 'positional', required: false, description: 'What it is about, one line; --policy needs none' },
    text: { type: 'string', valueHint: 'TEXT', description: 'More about it' },
    for: { type: 'string', valueHint: '3d', description: 'How long it is open; three days unless said' },
    secret: { type: 'boolean', description: 'Votes by ballots that nobody can tie to a member by the chain' },
    set: {
      type: 'string',
      valueHint: 'NAME=N',
      description:
        'Set a value of the policy: a whole number in the unit that peerai gov show names, or points of the group with a dot, such as 0.25',
    },
    policy: {
      type: 'string',
      valueHint: 'FILE',
      description: 'JSON of names and values: a proposal for each that differs from what the group has',
    },
    remove: { type: 'string', valueHint: 'PEER', description: 'Remove a member' },
    refuse: { type: 'string', valueHint: 'PEER', description: 'Refuse this peer at every member' },
    admit: { type: 'string', valueHint: 'PEER', description: 'Refuse it no more' },
    relays: { type: 'string', valueHint: 'ADDR,ADDR', description: 'The relays that members use beside their own' },
    points: { type: 'string', valueHint: 'PEER=N', description: 'Issue points of the group' },
    checkpoint: { type: 'string', valueHint: 'NAME=SHA256', description: 'Agree on a hash by a name' },
    reason: { type: 'string', valueHint: 'TEXT', description: 'Why, with --refuse and --points' },
  } as const,
  async ({ args, agent, output, signal }) => {
    const more = {
      secret: args.secret === true,
      ...(args.text === undefined ? {} : { text: args.text }),
      ...(args.for === undefined ? {} : { openMs: parseDurationMs(args.for) }),
    };
    const action = actionOf(args);
    const { title, policy } = args;
    if (policy !== undefined) {
      const { policyOf, proposePolicy } = await import('./gov-policy.ts');
      const wanted = policyOf(readFileText(policy));
      const { client } = await agent();
      const told = ({ name, to, isNew }: PolicyChange): void =>
        output.note(`${isNew ? 'Proposed' : 'Open already'}: ${name} ${to}`);
      const changes = await proposePolicy(client, args.group, wanted, { ...more, title }, told, signal);
      output.data({ v: 1, changes }, () => changesText(args.group, changes));
      return;
    }
    if (title === undefined)
      throw new PeerAiError('USAGE', 'say in one line what it is about', {
        hint: `peerai gov propose ${args.group} "why and what" --set …`,
      });
    const request: GovernancePropose = { title, action, ...more };
    const said = await (await agent()).client.proposeTo(args.group, request, signal);
    const id = said.proposal.slice(0, idChars);
    output.data(said, () => `Open as ${id}. To vote: peerai gov vote ${args.group} ${id} yes`);
  },
);

type ActionFlag = 'set' | 'policy' | 'remove' | 'refuse' | 'admit' | 'relays' | 'points' | 'checkpoint';
function actionOf(
  args: Partial<Readonly<Record<ActionFlag | 'reason', string | undefined>>>,
): GovernancePropose['action'] {
  const { set, policy, remove, refuse, admit, relays, points, checkpoint, reason = '' } = args;
  const given = [set, policy, remove, refuse, admit, relays, points, checkpoint].filter((one) => one !== undefined);
  if (given.length > 1) throw new PeerAiError('USAGE', 'one proposal is about one thing');
  if (remove !== undefined) return { type: 'member-remove', peer: remove };
  if (refuse !== undefined) return { type: 'blacklist-add', peer: refuse, reason };
  if (admit !== undefined) return { type: 'blacklist-remove', peer: admit };
  if (relays !== undefined) return { type: 'relays', addresses: relays.split(',').filter((one) => one !== '') };
  if (set !== undefined) {
    const [name, value] = halves('set', set);
    return { type: 'policy', name, value: policyNumber(value) };
  }
  if (points !== undefined) {
    const [peer, value] = halves('points', points);
    const [, whole = '', part = ''] = /^(\d{1,9})(?:\.(\d{1,6}))?$/u.exec(value) ?? [];
    if (whole === '') throw new PeerAiError('USAGE', `--points takes an amount such as bob=2.5, not "${value}"`);
    return { type: 'points', peer, amountMicro: `${BigInt(whole + part.padEnd(6, '0'))}`, reason };
  }
  if (checkpoint === undefined) return { type: 'text' };
  const [name, sha256] = halves('checkpoint', checkpoint);
  return { type: 'checkpoint', name, sha256 };
}

function changesText(group: string, changes: readonly PolicyChange[]): string {
  const [first] = changes;
  if (first === undefined) return 'The group has all of these values; nothing is proposed.';
  const rows = changes.map(({ name, from, to, unit, proposal }) => [
    proposal.slice(0, idChars),
    name,
    `${from}`,
    `${to}`,
    unit,
  ]);
  const next = `To vote on each: peerai gov vote ${group} ${first.proposal.slice(0, idChars)} yes`;
  return `${table([['OPEN', 'POLICY', 'HAS', 'PROPOSED', 'UNIT'], ...rows])}\n\n${next}`;
}

function halves(flag: string, text: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new PeerAiError('USAGE', `--${flag} takes NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
