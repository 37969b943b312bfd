import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { isAlive, readInstance } from '../locate.ts';
import { table } from '../plain.ts';
import { ago, counted, seconds } from '../words.ts';

/** How long an agent may take to end, milliseconds. */
const downMsMax = 6_000;
/** How long its process may take after that; one whose parent does not look after it stays in the list. */
const exitMsMax = 1_000;

export const down: Verb = {
  run: command('down', 'Stop the agent of this home', {}, async ({ args, agent, output }) => {
    const { client, instance } = await agent();
    await client.shutdown();
    const end = Date.now() + downMsMax;
    while (readInstance(args) !== undefined && Date.now() < end) await sleep(50);
    if (readInstance(args) !== undefined) {
      throw new PeerAiError('TIMEOUT', `process ${instance?.pid ?? ''} has not ended yet`);
    }
    const gone = Date.now() + exitMsMax;
    const pid = instance?.pid;
    if (pid !== undefined) while (isAlive(pid) && Date.now() < gone) await sleep(20);
    output.data({ stopped: true }, () => 'Stopped.');
  }),
};

export const status: Verb = {
  run: command('status', 'What runs here, and who is there', {}, async ({ agent, output, signal }) => {
    const { client, baseUrl } = await agent();
    const [node, peers, shares, { pending }] = await Promise.all([
      client.node(signal),
      client.peers(signal),
      client.shares(signal),
      client.pairings(signal),
    ]);
    const waiting = pending.filter(({ state, direction }) => state === 'waiting' && direction === 'incoming');
    output.data({ node, peers, shares, pending: waiting }, () => {
      const live = shares.filter(({ state }) => state === 'active');
      const devices = peers.filter(({ kind }) => kind === 'device');
      return [
        `${node.name} · ${node.fingerprint.emoji.join(' ')} · up ${seconds(Date.now() - node.startedMs)}`,
        `dashboard ${baseUrl}   (peerai open)`,
        `gateway   ${baseUrl}/v1`,
        `token     ${join(node.home, 'token')}   (opens everything here; for your own programs)`,
        node.relays.length === 0
          ? 'relay     none: LAN only'
          : node.relays
              .map(({ address, state }) => `relay     ${state === 'connected' ? '✓' : '⊗'} ${address}`)
              .join('\n'),
        ...node.engines
          .filter(({ state }) => state !== 'absent')
          .map(({ kind, detail }) => `engine    ${kind}: ${detail}`),
        `shares    ${counted(live.length, 'link is', 'links are')} open`,
        '',
        ...waiting.map(({ name }) => `"${name}" wants to join: peerai peers ls`),
        devices.length === 0
          ? 'No devices yet: peerai invite'
          : table(
              devices.map(({ name, state, path, roundTripMs, lastSeenMs }) => [
                name,
                path === 'direct' ? '● direct' : path === 'relayed' ? '◐ relayed' : `○ ${state}`,
                roundTripMs === null ? `seen ${ago(lastSeenMs)}` : `${Math.round(roundTripMs)} ms`,
              ]),
            ),
      ].join('\n');
    });
  }),
};

export const open: Verb = {
  run: command(
    'open',
    'Open the dashboard in a browser',
    {
      url: { type: 'boolean', description: 'Print the address only' },
      docs: { type: 'boolean', description: 'Open the description of the local API instead' },
    } as const,
    async ({ args, agent, output }) => {
      const { baseUrl, client } = await agent();
      // Not the token: every user of this machine may read the arguments of a program.
      const { code } = await client.makeSessionCode();
      const url = args.docs === true ? `${baseUrl}/docs?code=${code}` : `${baseUrl}/#code=${code}`;
      if (args.url !== true && output.interactive) openInBrowser(url);
      output.data({ url }, () => url);
    },
  ),
};

function openInBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  spawn(program, [url], { detached: true, stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}

const marks = { ok: '✓', look: '△', broken: '⊗' } as const;

export const doctor: Verb = {
  run: command(
    'doctor',
    'Look at every part that can fail, and say what to do',
    {},
    async ({ agent, output, signal }) => {
      const { checks } = await (await agent()).client.doctor(signal);
      output.data({ checks }, () =>
        checks
          .map(
            ({ state, title, cause, remedy, command: fix }) =>
              `${marks[state]} ${title}: ${cause}${state === 'ok' || remedy === undefined ? '' : `\n    ${remedy}`}${state === 'ok' || fix === undefined ? '' : `\n    $ ${fix}`}`,
          )
          .join('\n'),
      );
      if (checks.some(({ state }) => state === 'broken')) process.exitCode = 1;
    },
  ),
};
