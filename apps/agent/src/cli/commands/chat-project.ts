import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { PeerAiError } from '@peerai/core-protocol';
import { isAssistantName } from '@peerai/messaging/assistant';
import { chatLimits } from './chat-limits.ts';

/** The names a project's `.env` may set here; whatever else it holds is for other programs. */
const envNames = ['SECRET_KEY', 'OLLAMA_HOST', 'MODEL_NAME', 'PEER_URL'] as const;

/** The folder that two assistants share: `.env`, `inbox`, `logs`, and a folder for each of them. */
export interface ChatProject {
  readonly folder: string;
  /** This assistant's name. */
  readonly self: string;
  readonly inbox: string;
  /** Where its conversation is kept, one JSON object a line. */
  readonly log: string;
}
export interface ProjectFlags {
  readonly id?: string | undefined;
  readonly dir?: string | undefined;
}

/**
 * Without flags the folder's name is the assistant's and the project is its parent. With a name it is the folder we are in, or its parent where only
 * that one has a `.env` or an `inbox`. Throws USAGE.
 */
export function chatProject({ id, dir }: ProjectFlags, cwd = process.cwd()): ChatProject {
  const self = id ?? basename(cwd);
  if (!isAssistantName(self)) {
    const hint = 'Give another name with --id.';
    throw new PeerAiError('USAGE', `"${self}" is no name of an assistant: 1 to 64 letters, digits, "-" and "_"`, {
      hint,
    });
  }
  const folder = dir === undefined ? projectOf(id, cwd) : resolve(cwd, dir);
  return { folder, self, inbox: join(folder, 'inbox'), log: join(folder, 'logs', `${self}.jsonl`) };
}

function projectOf(id: string | undefined, cwd: string): string {
  const parent = dirname(cwd);
  if (id === undefined) return parent;
  return !isProject(cwd) && isProject(parent) ? parent : cwd;
}

const isProject = (folder: string): boolean => existsSync(join(folder, '.env')) || existsSync(join(folder, 'inbox'));

/** `assistant_a` talks to `assistant_b`, and the other way round. Throws USAGE where a name says nothing of another. */
export function chatPeer(self: string, peer: string | undefined): string {
  const other = peer ?? (/_[ab]$/u.test(self) ? `${self.slice(0, -1)}${self.endsWith('a') ? 'b' : 'a'}` : undefined);
  if (other === undefined) {
    const hint = 'As in `peerai chat --id assistant_a --peer assistant_b`.';
    throw new PeerAiError('USAGE', `who does ${self} talk to? Give --peer`, { hint });
  }
  if (!isAssistantName(other)) throw new PeerAiError('USAGE', `"${other}" is no name of an assistant`);
  if (other === self) throw new PeerAiError('USAGE', `${self} cannot talk to itself`);
  return other;
}

/** The environment, and what the project's `.env` says besides; the environment wins. Throws CONFIG_INVALID. */
export function chatEnvironment(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const file = join(folder, '.env');
  if (!existsSync(file)) return env;
  if (!statSync(file).isFile() || statSync(file).size > chatLimits.envBytesMax) {
    throw new PeerAiError('CONFIG_INVALID', `${file} is no file of at most ${chatLimits.envBytesMax} bytes`);
  }
  const said = parseEnv(readFileSync(file, 'utf8'));
  const own = envNames.flatMap((name) => (env[name] || said[name] === undefined ? [] : [[name, said[name]]]));
  return { ...env, ...(Object.fromEntries(own) as Record<string, string>) };
}

/** Others of this machine may look into the folder. On systems without such rights nobody can tell, so it counts as shared. */
export function isShared(folder: string): boolean {
  return process.platform === 'win32' || (existsSync(folder) && (statSync(folder).mode & 0o077) !== 0);
}
