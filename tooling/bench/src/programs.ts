import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** A built file of another workspace package. Throws when it is not built. */
export function builtFile(packageName: string, file: string): string {
  const path = join(dirname(require.resolve(`${packageName}/package.json`)), 'dist', file);
  if (!existsSync(path)) throw new Error(`${packageName} is not built: pnpm build`);
  return path;
}
