import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type UserConfig } from 'vite';

const agentUrl = process.env['PEERAI_AGENT_URL'] ?? 'http://127.0.0.1:8006';

/** In development `/s` is the guest page and `/t` the one for training, as on the relay and on the agent. */
function linkPages(): Plugin {
  return {
    name: 'link-pages',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const [path = ''] = request.url?.split('?') ?? [];
        if (path === '/s') request.url = '/share.html';
        else if (path === '/t') request.url = '/train.html';
        next();
      });
    },
  };
}

/** What the pages behind a link do without; only they contain a network. */
export const without = {
  '../topics/topics.ts': fileURLToPath(new URL('./src/guest/without/topics.ts', import.meta.url)),
  '@libp2p/logger': fileURLToPath(new URL('./src/guest/without/logger.ts', import.meta.url)),
  '@multiformats/dns': fileURLToPath(new URL('./src/guest/without/dns.ts', import.meta.url)),
  '@noble/ciphers/aes.js': fileURLToPath(new URL('./src/guest/without/aes.ts', import.meta.url)),
  '@noble/curves/secp256k1.js': fileURLToPath(new URL('./src/guest/without/secp256k1.ts', import.meta.url)),
  '@noble/post-quantum/ml-kem.js': fileURLToPath(new URL('./src/guest/without/ml-kem.ts', import.meta.url)),
};

/** The last one names the build of onnxruntime-web whose WebAssembly is a file of its own. */
export const conditions = [
  '@peerai/source',
  'module',
  'browser',
  'development|production',
  'onnxruntime-web-use-extern-wasm',
];
/** Browsers that know light-dark(): older ones would need two sheets. */
export const browsers = { target: 'es2023', cssTarget: ['chrome123', 'edge123', 'firefox128', 'safari17.5'] };

/**
 * A page behind a link, built by itself beside the owner's: what it shares with that one would else bring what only the owner uses into it.
 * @param name - of its document, and of the manifest that names its files for the size test.
 */
export const linkPage = (name: string, assetsDir: string): UserConfig => ({
  base: './',
  publicDir: 'src/static',
  plugins: [react()],
  resolve: { alias: without, conditions },
  worker: { format: 'es' },
  build: {
    ...browsers,
    emptyOutDir: false,
    // They are there already, from the build of the owner's pages.
    copyPublicDir: false,
    assetsDir,
    assetsInlineLimit: 0,
    manifest: `.vite/${name}-manifest.json`,
    modulePreload: { polyfill: false },
    rollupOptions: { input: `${name}.html` },
  },
});

/** The owner's pages. `base: './'` keeps every asset address relative, so `/` and `/s` work on any host. In development all pages come from here. */
export default defineConfig({
  base: './',
  publicDir: 'src/static',
  plugins: [react(), linkPages()],
  resolve: { alias: without, conditions },
  server: {
    host: '127.0.0.1',
    port: 5173,
    // The agent checks Host and Origin: the proxy speaks as a local program does.
    proxy: Object.fromEntries(
      ['/api', '/v1'].map((path) => [path, { target: agentUrl, changeOrigin: true, headers: { origin: agentUrl } }]),
    ),
  },
  build: {
    ...browsers,
    assetsInlineLimit: 0,
    // Names the files of each page, for the size test.
    manifest: true,
    modulePreload: { polyfill: false },
    rollupOptions: { input: 'index.html' },
  },
});
