import type { ControlClient, GroupDeliveryView, GroupView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';

const which = { group: { type: 'positional', required: true, description: 'Name or id of the group' } } as const;
const withPeer = { ...which, peer: { type: 'positional', required: true, description: 'Name or peer id' } } as const;
const membersOf = ({ members }: GroupView): string => members.map(({ name }) => name).join(', ');

const ls = command('ls', 'Groups this peer is in', {}, async ({ agent, output, signal }) => {
  const all = await (await agent()).client.groups(signal);
  output.data({ groups: all }, () => {
    if (all.length === 0) return 'None yet. Make one: peerai groups create <name> --with <peer,peer>';
    const rows = all.map((group) => [group.name, membersOf(group), group.mine ? 'yes' : '-', group.id.slice(0, 8)]);
    return table([['NAME', 'MEMBERS', 'YOU ADD', 'ID'], ...rows]);
  });
});

const create = command(
  'create',
  'Make a group',
  {
    name: { type: 'positional', required: true, description: 'What it is called' },
    with: { type: 'string', valueHint: 'peer,peer', description: 'Devices that are in it from the start' },
  } as const,
  async ({ args, agent, output }) => {
    const members = args.with === undefined ? [] : args.with.split(',').filter((one) => one !== '');
    const group = await (await agent()).client.createGroup(args.name, members);
    output.data({ group }, () =>
      members.length > 0
        ? `Made ${group.name}. In it: ${membersOf(group)}`
        : `Made ${group.name}. Add a device: peerai groups add ${group.id.slice(0, 8)} <peer>`,
    );
  },
);

const add = command('add', 'Add a device that is there', withPeer, async ({ args, agent, output }) => {
  const group = await (await agent()).client.addToGroup(args.group, [args.peer]);
  output.data({ group }, () => `In ${group.name}: ${membersOf(group)}`);
});

const remove = command(
  'remove',
  'Remove a member; it reads nothing later',
  withPeer,
  async ({ args, agent, output }) => {
    const group = await (await agent()).client.removeFromGroup(args.group, args.peer);
    output.data({ group }, () => `In ${group.name}: ${membersOf(group)}`);
  },
);

const renew = command('renew', 'New keys for everybody in it', which, async ({ args, agent, output }) => {
  const group = await (await agent()).client.renewGroup(args.group);
  output.data({ group }, () => `New keys in ${group.name}.`);
});

const leave = command('leave', 'Leave a group; its keys are deleted here', which, async ({ args, agent, output }) => {
  await (await agent()).client.leaveGroup(args.group);
  output.data({ left: args.group }, () => 'Left.');
});

const read = command('read', 'Messages received in a group', which, async ({ args, agent, output, signal }) => {
  const messages = (await (await agent()).client.groupMessages(args.group, signal)).toReversed();
  output.data({ messages }, () =>
    messages.length === 0
      ? 'Nothing yet.'
      : messages
          .map(({ sentMs, fromName, payload }) => {
            const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
            return `${new Date(sentMs).toISOString().slice(0, 16).replace('T', ' ')}  ${fromName}  ${text}`;
          })
          .join('\n'),
  );
});

export const groups: Verb = { run: ls, subs: { ls, create, add, remove, renew, leave, read } };

/** `peerai send @group`: says of each member whether it has the message. */
export async function sendToGroup(
  client: ControlClient,
  group: string,
  kind: string,
  payload: unknown,
  queue: boolean,
  output: Output,
): Promise<void> {
  const delivery = await client.sendToGroup(group, kind, payload, queue);
  output.data({ delivery }, () => lines(delivery));
  if (delivery.members.some(({ state }) => state === 'refused')) process.exitCode = 5;
}

function lines({ members }: GroupDeliveryView): string {
  if (members.length === 0) return 'Nobody else is in this group.';
  return table(members.map(({ name, state, code }) => [name, code === undefined ? state : `${state} (${code})`]));
}
