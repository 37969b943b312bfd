import { createInterface } from 'node:readline/promises';
import { PeerAiError } from '@peerai/core-protocol';
import { type ControlClient, type PendingPairing, type Permission, permissions } from '@peerai/peer/control';
import { command, type Verb } from '../command.ts';
import type { Output } from '../output.ts';
import { pairedText } from './peers.ts';

export const invite: Verb = {
  run: command(
    'invite',
    'A link that lets one other device in; it works once, for ten minutes',
    {
      allow: {
        type: 'string',
        default: 'chat',
        valueHint: permissions.join(','),
        description: 'What the device may do here',
      },
      qr: { type: 'boolean', description: 'Also show the link as a QR code' },
      wait: {
        type: 'boolean',
        default: true,
        description: 'Wait for the device and compare emoji',
        negativeDescription: 'Print the link and end',
      },
    } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const made = await client.invite(readPermissions(args.allow));
      if (args.qr === true && !output.json) output.note((await import('uqr')).renderUnicodeCompact(made.link));
      output.data({ invite: made }, () => made.link);
      const wait = args.wait && (output.interactive || args.yes === true);
      if (!wait)
        return output.note('Confirm it here when the other device has joined: `peerai peers ls` or the dashboard.');
      output.note('On the other device: peerai join, and this link   (waiting, Ctrl-C to leave)');
      const pending = await waitFor(client, signal, ({ id, state }) => id === made.id && state === 'waiting');
      await compare(client, pending, output, args.yes === true);
    },
  ),
};

export const join: Verb = {
  run: command(
    'join',
    'Accept an invite: both screens show the same four emoji',
    { link: { type: 'positional', required: true, description: 'peerai://pair/…' } } as const,
    async ({ args, agent, output, signal }) => {
      const { client } = await agent();
      const pending = await client.join(args.link, signal);
      output.note(`Compare on both screens:  ${pending.emoji.join(' ')}   (${pending.emojiNames.join(', ')})`);
      output.note(`Waiting for the owner of "${pending.name}" to say they match …`);
      const ended = await waitFor(client, signal, ({ id, state }) => id === pending.id && state !== 'waiting');
      if (ended.state !== 'accepted') throw notPaired(ended);
      const said = await pairedText(client, ended);
      output.data({ pairing: ended }, () => said);
    },
  ),
};

function notPaired({ name, state }: PendingPairing): PeerAiError {
  const why =
    state === 'rejected' ? `the owner of "${name}" refused the pairing` : `nobody at "${name}" confirmed it in time`;
  return new PeerAiError('PAIRING_REJECTED', why, { hint: 'Run `peerai invite` there again, and compare the emoji.' });
}

async function compare(client: ControlClient, pending: PendingPairing, output: Output, yes: boolean): Promise<void> {
  output.note(`"${pending.name}" wants to join.  ${pending.emoji.join(' ')}   (${pending.emojiNames.join(', ')})`);
  const match = yes || (await ask('Does the other screen show the same? [y/N] '));
  await (match ? client.acceptPairing(pending.id) : client.rejectPairing(pending.id));
  output.note(match ? await pairedText(client, pending) : 'Refused. Somebody else may hold your link: make a new one.');
  if (!match) process.exitCode = 5;
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

async function waitFor(
  client: ControlClient,
  signal: AbortSignal,
  wanted: (pairing: PendingPairing) => boolean,
): Promise<PendingPairing> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const events = client.events(both);
    const now = (await client.pairings(both)).pending.find(wanted);
    if (now !== undefined) return now;
    for await (const event of events) {
      if (event.type === 'pairing-changed' && wanted(event.pairing)) return event.pairing;
    }
    throw new PeerAiError('AGENT_NOT_RUNNING', 'the agent stopped while waiting');
  } finally {
    stop.abort();
  }
}

function readPermissions(text: string): Permission[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const unknown = words.find((word) => !permissions.includes(word as Permission));
  if (unknown !== undefined)
    throw new PeerAiError('USAGE', `--allow knows ${permissions.join(', ')}, not "${unknown}"`);
  return words as Permission[];
}
