import { command, type Verb } from '../command.ts';
import { table } from '../plain.ts';
import { ago } from '../words.ts';

const show = command('show', 'Who this peer is', {}, async ({ agent, output }) => {
  const { name, peerId, fingerprint } = await (await agent()).client.node();
  output.data({ name, peerId, fingerprint }, () =>
    table([
      ['name', name],
      ['peer id', peerId],
      ['emoji', fingerprint.emoji.join(' ')],
      ['words', fingerprint.words.join(' ')],
      ['hex', fingerprint.hex],
    ]),
  );
});

const named = { name: { type: 'positional', required: true, description: 'Name of the key' } } as const;

const add = command(
  'add',
  'Make a key for the AI gateway; it is shown once',
  named,
  async ({ args, agent, output }) => {
    const made = await (await agent()).client.makeKey(args.name);
    output.data({ key: made }, () => made.key ?? '');
    output.note('Shown once. Use it as a bearer, or as /t/<key>/ in front of the path.');
  },
);

const ls = command('ls', 'Keys of the AI gateway', {}, async ({ agent, output }) => {
  const keys = await (await agent()).client.keys();
  output.data({ keys }, () =>
    keys.length === 0
      ? 'No keys. Make one: peerai key add <name>'
      : table([
          ['NAME', 'MADE', 'USED'],
          ...keys.map(({ name, createdMs, lastUsedMs }) => [name, ago(createdMs), ago(lastUsedMs)]),
        ]),
  );
});

const revoke = command(
  'revoke',
  'Take a key back; its requests are refused at once',
  named,
  async ({ args, agent, output }) => {
    await (await agent()).client.revokeKey(args.name);
    output.data({ revoked: args.name }, () => `Revoked ${args.name}.`);
  },
);

export const key: Verb = { run: show, subs: { show, add, ls, revoke } };
