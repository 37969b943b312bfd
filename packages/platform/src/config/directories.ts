import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import envPaths from 'env-paths';
import type { Environment } from './layers.ts';

export interface Directories {
  readonly config: string;
  readonly data: string;
  readonly state: string;
  readonly cache: string;
  /** Where the well-known files of an agent lie. */
  readonly files: {
    readonly config: string;
    readonly identity: string;
    /** What pays and is paid on a chain; there where that is used. */
    readonly settlementKey: string;
    readonly store: string;
    /** A folder: files to and from devices. */
    readonly shelf: string;
    readonly log: string;
  };
}

/**
 * Where this user's files belong: the XDG base directories on Linux, the system's own places elsewhere (env-paths); with `home` or
 * PEERAI_HOME all under that one folder. Nothing is created.
 */
export function directories({ home, env }: { readonly home?: string; readonly env: Environment }): Directories {
  const folders = foldersOf(home ?? (env['PEERAI_HOME'] || undefined), env);
  const { config, data, state } = folders;
  const files = {
    config: join(config, 'peerai.yaml'),
    identity: join(data, 'identity.key'),
    settlementKey: join(data, 'settlement.key'),
    store: join(data, 'peerai.db'),
    shelf: join(data, 'files'),
    log: join(state, 'peerai.log'),
  };
  return { ...folders, files };
}

function foldersOf(home: string | undefined, env: Environment): Omit<Directories, 'files'> {
  if (home !== undefined) return { config: home, data: home, state: home, cache: join(home, 'cache') };
  if (process.platform !== 'linux') {
    const { config, data, log, cache } = envPaths('peerai', { suffix: '' });
    return { config, data, state: log, cache };
  }
  // https://specifications.freedesktop.org/basedir-spec/latest/ : a relative path counts as unset. Not env-paths here, because it reads
  // the environment of the process only, and what starts an agent may say another one.
  const base = (name: string, ...standard: readonly string[]): string => {
    const path = env[name];
    const root = path !== undefined && isAbsolute(path) ? path : join(env['HOME'] || homedir(), ...standard);
    return join(root, 'peerai');
  };
  return {
    config: base('XDG_CONFIG_HOME', '.config'),
    data: base('XDG_DATA_HOME', '.local', 'share'),
    state: base('XDG_STATE_HOME', '.local', 'state'),
    cache: base('XDG_CACHE_HOME', '.cache'),
  };
}
