import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { type ControlClient, createControlClient } from '@peerai/peer/control';
import { directories } from '@peerai/platform/directories';

export interface LocateFlags {
  readonly home?: string | undefined;
  readonly api?: string | undefined;
}
/** What a running agent leaves for its command line. */
export interface Instance {
  readonly pid: number;
  readonly api: string;
  /** Base URL of the peer protocol's port, as this machine reaches it. */
  readonly http: string;
  readonly name: string;
  readonly peerId: string;
  readonly startedMs: number;
  /** The file it writes its log to; none when the log goes to its screen. */
  readonly log?: string;
}
export interface Located {
  readonly client: ControlClient;
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly instance: Instance | undefined;
}

export function foldersOf(flags: LocateFlags): ReturnType<typeof directories> {
  const home = flags.home ?? process.env['PEERAI_HOME'];
  return directories({ env: process.env, ...(home === undefined || home === '' ? {} : { home }) });
}
export const instanceFile = (flags: LocateFlags): string => join(foldersOf(flags).state, 'agent.json');
export const tokenFile = (flags: LocateFlags): string => join(foldersOf(flags).config, 'token');

/** The agent of this home, or the one at `--api`. Throws AGENT_NOT_RUNNING. */
export function locate(flags: LocateFlags): Located {
  const instance = readInstance(flags);
  const baseUrl = (flags.api ?? process.env['PEERAI_API'] ?? instance?.api)?.replace(/\/+$/, '');
  if (baseUrl === undefined)
    throw new PeerAiError('AGENT_NOT_RUNNING', 'no agent is running here', { home: foldersOf(flags).config });
  const token = process.env['PEERAI_TOKEN'] ?? readText(tokenFile(flags))?.trim();
  return {
    client: createControlClient({ baseUrl, ...(token === undefined ? {} : { token }) }),
    baseUrl,
    token,
    instance,
  };
}

/** The file of a living agent; one that a kill left behind counts as none. */
export function readInstance(flags: LocateFlags): Instance | undefined {
  const text = readText(instanceFile(flags));
  if (text === undefined) return undefined;
  const instance = parseInstance(text);
  return instance !== undefined && isAlive(instance.pid) ? instance : undefined;
}

function parseInstance(text: string): Instance | undefined {
  try {
    const read = JSON.parse(text) as Partial<Instance> | null;
    return Number.isInteger(read?.pid) && typeof read?.api === 'string' ? (read as Instance) : undefined;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Does a process of this number run? One that has ended and waits for its parent to look, as in many containers, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
  return !/^State:\s+Z/m.test(readText(`/proc/${pid}/status`) ?? '');
}
