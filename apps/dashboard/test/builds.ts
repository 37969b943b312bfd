import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each build by a document it makes; the first one empties `dist/`. */
const configs = [
  ['index.html', 'vite.config.ts'],
  ['share.html', 'vite.guest.config.ts'],
  ['train.html', 'vite.tab.config.ts'],
] as const;

/** `dist/` as `pnpm build` makes it; built here when it is missing. */
export async function builtPages(): Promise<string> {
  const dist = join(root, 'dist');
  for (const [page, config] of configs)
    if (!existsSync(join(dist, page))) await build({ root, configFile: join(root, config), logLevel: 'error' });
  return dist;
}

/** The guest's page over a scripted world: everything but the loader of the heavy parts is what ships. */
export async function guestPageOverFakeWorld(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'peerai-guest-'));
  const fake: Plugin = {
    name: 'fake-world',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source === './loader.ts' && importer?.endsWith('guest/main.tsx') === true)
        return fileURLToPath(new URL('./fake-loader.ts', import.meta.url));
    },
  };
  await build({
    root,
    configFile: join(root, 'vite.guest.config.ts'),
    logLevel: 'error',
    plugins: [fake],
    build: { outDir, emptyOutDir: true, copyPublicDir: true },
  });
  return outDir;
}
