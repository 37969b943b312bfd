import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type ControlClient, createControlClient } from '@peerai/peer/control';
import { type Child, startChild } from '@peerai/testnet';
import { natPlaces } from './nat-places.ts';
import { agentProgram, type Settings } from './own-agents.ts';

/** How a router treats one socket: one outer port towards everybody, or another towards each. */
export type RouterKind = 'cone' | 'symmetric';
export type Side = 'a' | 'b';

/** An agent behind a router. */
export interface HiddenAgent {
  readonly info: { readonly name: string; readonly peerId: string };
  readonly client: ControlClient;
  readonly api: string;
  readonly child: Child<unknown>;
}
export interface OuterRelay {
  /** To give to agents: TCP, so that the relay sees where they come from. */
  readonly address: string;
  readonly child: Child<unknown>;
}

/** An Internet of this machine's own: a public network, and two homes behind routers. Nothing in it reaches anything outside. */
export interface NatBed {
  /** What a router does from now on; connections it knows are forgotten. */
  router(side: Side, kind: RouterKind): Promise<void>;
  relay(host: string): Promise<OuterRelay>;
  /** STUN and TURN on the public network. */
  servers(): Promise<void>;
  agent(side: Side, settings: Settings): Promise<HiddenAgent>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const python = '/usr/bin/python3';
const homes = { a: '10.1.0', b: '10.2.0' } as const;
const apiPort = 8_006;

/** Why no such network can be made here, or nothing. */
export async function whyNoNat(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'only root makes network namespaces';
  const name = `peerai-try-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', name]);
  } catch (error) {
    return `no network namespace can be made: ${firstLine(error)}`;
  }
  try {
    await run('ip', ['-n', name, 'link', 'add', 'out', 'type', 'veth', 'peer', 'name', 'in']);
    await run('ip', ['netns', 'exec', name, python, natProgram, 'out', 'cone']);
    return undefined;
  } catch (error) {
    return `no router can be made: ${firstLine(error)}`;
  } finally {
    await run('ip', ['netns', 'del', name]);
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
const natProgram = join(import.meta.dirname, 'kernel-nat.py');
const folderOf = (name: string): string => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

export async function createNatBed(onLog: (line: string) => void): Promise<NatBed> {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-nat-'));
  const space = (name: string): string => `peerai-${process.pid}-${name}`;
  const names = ['public', 'router-a', 'router-b', 'home-a', 'home-b'];
  const within = (name: string): string[] => ['ip', 'netns', 'exec', space(name)];
  const ended: (() => unknown)[] = [];
  const children: Child<unknown>[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    for (const end of ended.splice(0)) end();
    await Promise.all(names.map((name) => run('ip', ['netns', 'del', space(name)]).catch(() => undefined)));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const started = <Ready>(child: Child<Ready>): Child<Ready> => {
    children.push(child);
    return child;
  };
  const router: NatBed['router'] = async (side, kind) => {
    await run('ip', ['netns', 'exec', space(`router-${side}`), python, natProgram, 'out', kind]);
  };
  try {
    for (const name of names) {
      await run('ip', ['netns', 'add', space(name)]);
      await run('ip', ['-n', space(name), 'link', 'set', 'lo', 'up']);
    }
    await ip(space('public'), publicSetup());
    for (const side of ['a', 'b'] as const) {
      await ip(space('public'), [
        `link add to-${side} type veth peer name out netns ${space(`router-${side}`)}`,
        `link set to-${side} master bridge up`,
      ]);
      await ip(space(`router-${side}`), [
        `addr add ${natPlaces.routers[side]}/24 dev out`,
        'link set out up',
        `link add in type veth peer name eth0 netns ${space(`home-${side}`)}`,
        `addr add ${homes[side]}.1/24 dev in`,
        'link set in up',
      ]);
      await ip(space(`home-${side}`), [
        `addr add ${homes[side]}.2/24 dev eth0`,
        'link set eth0 up',
        `route add default via ${homes[side]}.1`,
      ]);
      await run('ip', [...within(`router-${side}`).slice(1), 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    router,
    async relay(host) {
      const home = join(folder, `relay-${host}`);
      const args = ['--json', '--port', '4100', '--tcp-port', '4101', '--bind', host, '--home', home, '--name', host];
      const program = join(folderOf('@peerai/relay'), 'dist/program/main.js');
      const options = { env: {}, onLog: (line: string) => onLog(`${host} ${line}`), within: within('public') };
      const child = started(await startChild<{ readonly addresses: readonly string[] }>(program, args, options));
      const address = child.ready.addresses.find((one) => one.startsWith(`/ip4/${host}/tcp/4101`));
      if (address === undefined) throw new Error(`no TCP address among ${child.ready.addresses.join(' ')}`);
      return { address, child };
    },
    async servers() {
      const options = { env: {}, onLog, within: within('public') };
      started(await startChild(join(import.meta.dirname, 'nat-servers.ts'), [], options));
    },
    async agent(side, settings) {
      const home = join(folder, side);
      mkdirSync(home, { recursive: true, mode: 0o700 });
      // JSON is YAML.
      writeFileSync(join(home, 'peerai.yaml'), JSON.stringify({ ...settings, api: { port: apiPort } }));
      const space = within(`home-${side}`);
      const options = { env: {}, cwd: folder, onLog: (line: string) => onLog(`${side} ${line}`), within: space };
      const child = started(
        await startChild<{ readonly agent: { readonly name: string; readonly peerId: string } }>(
          agentProgram,
          ['up', '--json', '--home', home],
          options,
        ),
      );
      const { port, end } = await wayIn(space, join(folder, `${side}-${children.length}.sock`));
      ended.push(end);
      const api = `http://127.0.0.1:${port}`;
      const token = readFileSync(join(home, 'token'), 'utf8').trim();
      return { info: child.ready.agent, client: createControlClient({ baseUrl: api, token }), api, child };
    },
    stop,
  };
}

async function ip(space: string, commands: readonly string[]): Promise<void> {
  for (const command of commands) await run('ip', ['-n', space, ...command.split(' ')]);
}

const publicSetup = (): readonly string[] => [
  'link add bridge type bridge',
  'link set bridge up',
  ...[...natPlaces.relays, ...natPlaces.stun, natPlaces.turn].map((host) => `addr add ${host}/24 dev bridge`),
];

/** The local API of a namespace at a port of this one: through a socket in the file system, which all namespaces share. */
async function wayIn(
  within: readonly string[],
  path: string,
): Promise<{ readonly port: number; readonly end: () => void }> {
  const code = `const { createServer, connect } = require('node:net');
const end = (one, other) => one.on('error', () => other.destroy()).on('close', () => other.destroy());
createServer((from) => {
  const to = connect(${apiPort}, '127.0.0.1');
  end(from, to), end(to, from);
  from.pipe(to).pipe(from);
}).listen(process.argv[1], () => console.log('up'));`;
  const [program, ...args] = [...within, process.execPath, '-e', code, path];
  const forwarder = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    forwarder.stdout.once('data', () => resolve());
    forwarder.once('exit', () => reject(new Error('the way into the namespace ended')));
  });
  const server = createServer((from) => {
    const to = connect(path);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const end = (): void => {
    server.close();
    forwarder.kill('SIGKILL');
  };
  return { port: (server.address() as AddressInfo).port, end };
}
