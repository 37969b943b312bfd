import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Tests that start the real program need it compiled; `tsc -b` does nothing when it is. Types are checked by `pnpm check`, not here. */
export default function build(): void {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const compiler = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [compiler, '-b', folder], { encoding: 'utf8', timeout: 300_000 });
  if (!existsSync(`${folder}/dist/main.js`)) throw new Error(`the program could not be built\n${stdout}`);
}
