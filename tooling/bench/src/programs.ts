import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A built file of another workspace package. Throws when it is not built.
 *
 * @param manifest - URL of its package.json: `import.meta.resolve('@peerai/agent/package.json')`.
 */
export function builtFile(manifest: string, file: string): string {
  const path = fileURLToPath(new URL(`./dist/${file}`, manifest));
  if (!existsSync(path)) throw new Error(`${path} is not there: pnpm build`);
  return path;
}
