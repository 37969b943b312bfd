import type { PeerSessionView } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { one } from './peers.ts';

export const handshake: Verb = {
  run: command(
    'handshake',
    'Agree on new keys with a device by HTTP; without a name, the sessions that are open',
    {
      peer: { type: 'positional', required: false, description: 'Name or peer id' },
      six: { type: 'boolean', description: 'In six steps: the device works only for a peer that has proved itself' },
    } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      if (args.peer === undefined) {
        const sessions = await client.peerSessions(signal);
        output.data({ sessions }, () => (sessions.length === 0 ? 'No session is open.' : list(sessions)));
        return;
      }
      const { peerId } = await one(client, args.peer, signal);
      const made = await client.handshake(peerId, args.six === true, signal);
      output.data(made, () =>
        table([
          ['state', `${made.state}, in ${made.steps} steps`],
          ['session', made.id],
          [`session at ${made.name}`, made.theirId],
          ['cipher', made.suite],
          ['until', new Date(made.expiresMs).toISOString()],
        ]),
      );
    },
  ),
};

const list = (sessions: readonly PeerSessionView[]): string =>
  table([
    ['PEER', 'BEGUN', 'CIPHER', 'UNTIL', 'SESSION'],
    ...sessions.map(({ name, role, suite, expiresMs, id }) => [
      name,
      role === 'initiator' ? 'here' : 'there',
      suite,
      new Date(expiresMs).toISOString().slice(0, 16).replace('T', ' '),
      id,
    ]),
  ]);
