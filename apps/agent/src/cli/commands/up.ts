import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerAiError } from '@peerai/core-protocol';
import { command, type Verb } from '../command.ts';
import { foldersOf, type Instance, readInstance } from '../locate.ts';
import type { Output } from '../output.ts';
import { seconds } from '../words.ts';

/** How long a detached agent may take until it is ready, milliseconds. */
const readyMsMax = 30_000;

const flags = {
  name: { type: 'string', valueHint: 'NAME', description: 'Name others see' },
  config: { type: 'string', valueHint: 'FILE', description: 'Configuration file' },
  engine: { type: 'string', valueHint: 'auto|nano|…', description: 'Engine to use, or several with commas' },
  relay: { type: 'string', valueHint: 'ADDR', description: 'Relay to use, or several with commas' },
  port: { type: 'string', valueHint: 'N', description: 'Port of the local API, gateway and dashboard' },
  listen: { type: 'string', valueHint: 'HOST:PORT', description: 'Where other peers connect' },
  detach: { type: 'boolean', description: 'Run in the background' },
} as const;

export const up: Verb = {
  run: command('up', 'Start this peer', flags, async ({ args, output }) => {
    const running = readInstance(args);
    if (running !== undefined) {
      output.data({ running }, () => `Already running as process ${running.pid}: ${running.api}`);
      return;
    }
    if (args.detach === true) return detach(args, output);
    const { runAgent } = await import('../../host/run.ts');
    const startedMs = performance.now();
    const agent = await runAgent({ home: args.home, configFile: args.config, flags: settingsOf(args) });
    output.data({ agent: agent.instance }, () => agent.banner(seconds(performance.now() - startedMs)));
    await agent.ended;
  }),
};

/** Flags as configuration keys. */
function settingsOf(args: { readonly name?: string | undefined; readonly engine?: string | undefined; readonly relay?: string | undefined; readonly port?: string | undefined; readonly listen?: string | undefined }): Record<string, unknown> {
  const list = (text: string): string[] => text.split(',').map((one) => one.trim()).filter((one) => one !== '');
  return {
    ...(args.name === undefined ? {} : { 'network.name': args.name }),
    ...(args.engine === undefined ? {} : { 'llm.engines': list(args.engine) }),
    ...(args.relay === undefined ? {} : { 'network.relays': list(args.relay) }),
    ...(args.port === undefined ? {} : { 'api.port': args.port }),
    ...(args.listen === undefined ? {} : { 'network.listen_address': args.listen }),
  };
}

async function detach(args: { readonly home?: string | undefined }, output: Output): Promise<void> {
  const file = foldersOf(args).files.log;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const log = openSync(file, 'a', 0o600);
  const rest = process.argv.slice(2).filter((arg) => arg !== '--detach');
  const [script] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script ?? '', ...rest], { detached: true, stdio: ['ignore', log, log] });
  const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  const instance = await Promise.race([ready(args), ended]);
  if (typeof instance === 'number') throw new PeerAiError('AGENT_FAILED', `the agent ended at once (status ${instance})`, { hint: `See ${file}` });
  child.unref();
  output.data({ agent: instance }, () => `Running as process ${instance.pid}\n  dashboard  peerai open\n  gateway    ${instance.api}/v1\n  log        ${file}`);
}

async function ready(args: { readonly home?: string | undefined }): Promise<Instance> {
  const end = Date.now() + readyMsMax;
  while (Date.now() < end) {
    const instance = readInstance(args);
    if (instance !== undefined) return instance;
    await sleep(50);
  }
  throw new PeerAiError('TIMEOUT', `the agent was not ready within ${readyMsMax / 1000} s`);
}
