import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient } from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { ago, counted, until } from '../words.ts';

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
  'Take a gateway key back, or say that this peer itself is not to be trusted any more',
  {
    name: { type: 'positional', required: false, description: 'Name of the gateway key' },
    identity: { type: 'boolean', description: 'The key of this peer: every device refuses it from now on' },
  } as const,
  async ({ args, agent, output }) => {
    const { client } = await agent();
    if (args.identity === true) return endIdentity(client, output, args.yes === true);
    if (args.name === undefined)
      throw new PeerAiError(
        'USAGE',
        'which key? `peerai key ls` names those of the gateway; --identity means this peer',
      );
    await client.revokeKey(args.name);
    output.data({ revoked: args.name }, () => `Revoked ${args.name}.`);
  },
);

async function endIdentity(client: ControlClient, output: Output, isSure: boolean): Promise<void> {
  if (!isSure) {
    throw new PeerAiError('USAGE', 'every device will refuse this peer for good; say -y if that is meant', {
      hint: 'To go on under another key instead: peerai key rotate',
    });
  }
  const said = await client.revokeIdentity();
  output.data(
    { revocation: said },
    () => `${said.told} of ${counted(said.devices, 'device', 'devices')} heard it and refuse this key.`,
  );
  if (said.told < said.devices) output.note('Those that were away did not hear it: say it again when they are there.');
}

const rotate = command(
  'rotate',
  'Go on under a new key; paired devices follow',
  {
    grace: { type: 'string', default: '24h', valueHint: 'TIME', description: 'How long the old key is still good' },
    force: { type: 'boolean', description: 'Also while messages wait to be delivered' },
  } as const,
  async ({ args, agent, output }) => {
    const wish = { graceMs: parseDurationMs(args.grace), force: args.force === true };
    const rotation = await (await agent()).client.rotateIdentity(wish);
    output.data({ rotation }, () =>
      table([
        ['was', rotation.from],
        ['will be', rotation.to],
        ['old key good', until(rotation.graceUntilMs)],
      ]),
    );
    if (rotation.sharesEnded > 0)
      output.note(`${counted(rotation.sharesEnded, 'share link', 'share links')} named the old key and ended.`);
    output.note('The new key is used from the next start on: peerai down && peerai up');
  },
);

export const key: Verb = { run: show, subs: { show, add, ls, revoke, rotate } };
