import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Instance } from '../cli/locate.ts';

export const instanceFileOf = (folders: { readonly state: string }): string => join(folders.state, 'agent.json');

/** Leaves for the command line where this agent is; whole or not at all. */
export function writeInstance(file: string, instance: Instance): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeInstance(file: string): void {
  rmSync(file, { force: true });
}
