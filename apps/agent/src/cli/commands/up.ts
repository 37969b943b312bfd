import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { foldersOf, type Instance, locate, type LocateFlags, readInstance } from '../locate.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { plain } from '../plain.ts';
import { seconds } from '../words.ts';

/** How long a detached agent may take until it is ready, milliseconds. */
const readyMsMax = 30_000;
/** How long a running agent may take to say who it is, milliseconds. */
const askMs = 3_000;
/** Tells an agent that it runs in the background. No configuration, so without the `__` of those. */
const detachedName = 'PEERAI_DETACHED';

const flags = {
  name: { type: 'string', valueHint: 'NAME', description: 'Name others see' },
  config: { type: 'string', valueHint: 'FILE', description: 'Configuration file' },
  engine: { type: 'string', valueHint: 'auto|nano|…,…', description: 'Engines to use' },
  relay: { type: 'string', valueHint: 'ADDR,ADDR', description: 'Relays to use' },
  port: { type: 'string', valueHint: 'N', description: 'Port of the local API, gateway and dashboard' },
  listen: { type: 'string', valueHint: 'HOST:PORT', description: 'Where other peers connect' },
  detach: { type: 'boolean', description: 'Run in the background' },
} as const;

export const up: Verb = {
  run: command('up', 'Start this peer', flags, async ({ args, output }) => {
    const running = await runningInstance(args);
    if (running !== undefined) {
      output.data({ running }, () => `Already running as process ${running.pid}: ${running.api}`);
      return;
    }
    if (args.detach === true) return detach(args, output);
    const { runAgent } = await import('../../host/run.ts');
    const startedMs = performance.now();
    const agent = await runAgent({
      home: args.home,
      configFile: args.config,
      flags: settingsOf(args),
      detached: process.env[detachedName] !== undefined,
    });
    output.data({ agent: agent.instance }, () => agent.banner(seconds(performance.now() - startedMs)));
    await agent.ended;
    process.exit(0);
  }),
};

/** The agent of this home, when it truly runs: after a kill, another program may have got its process number. */
async function runningInstance(flags: LocateFlags): Promise<Instance | undefined> {
  const instance = readInstance(flags);
  if (instance === undefined) return undefined;
  try {
    const { peerId } = await locate({ home: flags.home, api: instance.api }).client.node(AbortSignal.timeout(askMs));
    return peerId === instance.peerId ? instance : undefined;
  } catch (error) {
    return PeerAiError.is(error, 'AGENT_NOT_RUNNING', 'TOKEN_WRONG') ? undefined : instance;
  }
}

/** Flags as configuration keys. */
function settingsOf(args: {
  readonly name?: string | undefined;
  readonly engine?: string | undefined;
  readonly relay?: string | undefined;
  readonly port?: string | undefined;
  readonly listen?: string | undefined;
}): Record<string, unknown> {
  const list = (text: string): string[] =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  return {
    ...(args.name === undefined ? {} : { 'network.name': args.name }),
    ...(args.engine === undefined ? {} : { 'llm.engines': list(args.engine) }),
    ...(args.relay === undefined ? {} : { 'network.relays': list(args.relay) }),
    ...(args.port === undefined ? {} : { 'api.port': args.port }),
    ...(args.listen === undefined ? {} : { 'network.listen_address': args.listen }),
  };
}

async function detach(args: LocateFlags, output: Output): Promise<void> {
  const { state, files } = foldersOf(args);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  // Its log is a file of its own that is put aside at its size. What Node itself says, of this start alone, comes here.
  const screen = join(state, 'peerai.out');
  const out = openSync(screen, 'w', 0o600);
  const rest = process.argv.slice(2).filter((arg) => arg !== '--detach');
  const [script] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script ?? '', ...rest], {
    detached: true,
    stdio: ['ignore', out, out],
    env: { ...process.env, [detachedName]: '1' },
  });
  const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  const instance = await Promise.race([ready(args, child.pid), ended]);
  if (typeof instance === 'number') {
    // The child said what was wrong, and its status is the one that fits.
    process.stderr.write(plain(readFileSync(screen, 'utf8')));
    process.exit(instance === 0 ? exitCodes.failure : instance);
  }
  child.unref();
  const lines = [
    `Running as process ${instance.pid}`,
    '  dashboard  peerai open',
    `  gateway    ${instance.api}/v1`,
    `  log        ${instance.log ?? files.log}`,
  ];
  output.data({ agent: instance }, () => lines.join('\n'));
}

async function ready(args: LocateFlags, pid: number | undefined): Promise<Instance> {
  const end = Date.now() + readyMsMax;
  while (Date.now() < end) {
    const instance = readInstance(args);
    if (instance?.pid === pid && instance !== undefined) return instance;
    await sleep(50);
  }
  throw new PeerAiError('TIMEOUT', `the agent was not ready within ${readyMsMax / 1000} s`);
}
