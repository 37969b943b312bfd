import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { type ControlClient, createControlClient, type Permission } from '@peerai/peer/control';

/** How long one of the demo's agents may take to start, milliseconds. */
export const readyMsMax = 90_000;
/** How long it may take to end, milliseconds: less than an interrupted command has to clean up. */
const stopMsMax = 4_000;

export interface DemoPeer {
  readonly name: string;
  readonly peerId: string;
  readonly home: string;
  readonly client: ControlClient;
  stop(): Promise<void>;
}

/**
 * Real agents on this machine, each with a home of its own; whatever happens they are stopped in the end, and their homes removed.
 *
 * @param keep - a folder for the homes, which then stay.
 */
export async function withDemoPeers(
  names: readonly string[],
  { signal, keep }: { readonly signal: AbortSignal; readonly keep?: string | undefined },
  use: (peers: readonly DemoPeer[]) => Promise<void>,
): Promise<void> {
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'peerai-demo-'));
  const running: DemoPeer[] = [];
  try {
    const starting = names.map(async (name) => {
      running.push(await startPeer(name, join(folder, name), signal));
    });
    for (const outcome of await Promise.allSettled(starting)) if (outcome.status === 'rejected') throw outcome.reason;
    await use(names.flatMap((name) => running.filter((peer) => peer.name === name)));
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    if (keep === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The emoji that both screens show. */
export async function pair(host: DemoPeer, guest: DemoPeer, allow: readonly Permission[], signal: AbortSignal) {
  const { link } = await host.client.invite([...allow]);
  const pending = await guest.client.join(link, signal);
  await host.client.acceptPairing(pending.id);
  return pending.emoji;
}

/** What an agent says of itself when it is up. */
interface Ready {
  readonly api: string;
  readonly peerId: string;
}

async function startPeer(name: string, home: string, signal: AbortSignal): Promise<DemoPeer> {
  const [, script = ''] = process.argv;
  const env = {
    ...process.env,
    PEERAI_NETWORK__LISTEN_ADDRESS: '127.0.0.1:0',
    PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
    PEERAI_API__PORT: '0',
    PEERAI_LLM__ENGINES: 'nano',
    PEERAI_NETWORK__NAME: name,
  };
  const child = spawn(process.execPath, [script, 'up', '--json', '--home', home], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    await ended;
    clearTimeout(timer);
  };
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  const { api, peerId } = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => reject(new PeerAiError('TIMEOUT', `${name} did not start`)), readyMsMax);
    void ended.then(() => reject(new PeerAiError('AGENT_FAILED', `${name} ended at once`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve((JSON.parse(line) as { agent: Ready }).agent);
    });
  }).catch(async (error: unknown) => {
    // Who is too slow may still come up, and nobody would end it.
    await stop();
    throw error;
  });
  return {
    name,
    peerId,
    home,
    client: createControlClient({ baseUrl: api, token: readFileSync(join(home, 'token'), 'utf8').trim() }),
    stop,
  };
}
