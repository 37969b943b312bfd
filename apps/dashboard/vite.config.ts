import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const agentUrl = process.env['PEERAI_AGENT_URL'] ?? 'http://127.0.0.1:8006';

/** In development `/s` is the guest page, as it is on the relay and on the agent. */
function guestPage(): Plugin {
  return {
    name: 'guest-page',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url === '/s' || request.url?.startsWith('/s?') === true) request.url = '/share.html';
        next();
      });
    },
  };
}

/** What the guest's page does without; only that page contains a network. */
const without = Object.fromEntries(
  [
    ['@libp2p/gossipsub', 'gossipsub'],
    ['@noble/curves/secp256k1.js', 'secp256k1'],
    ['@noble/post-quantum/ml-kem.js', 'ml-kem'],
    ['@noble/ciphers/aes.js', 'aes'],
  ].map(([name, file]) => [name, fileURLToPath(new URL(`src/guest/without/${file}.ts`, import.meta.url))]),
);

/** Two pages from one build. `base: './'` keeps every asset address relative, so `/` and `/s` work on any host. */
export default defineConfig({
  base: './',
  publicDir: 'src/static',
  plugins: [react(), guestPage()],
  resolve: { alias: without, conditions: ['@peerai/source', 'module', 'browser', 'development|production'] },
  server: {
    host: '127.0.0.1',
    port: 5173,
    // The agent checks Host and Origin: the proxy speaks as a local program does.
    proxy: Object.fromEntries(
      ['/api', '/v1'].map((path) => [path, { target: agentUrl, changeOrigin: true, headers: { origin: agentUrl } }]),
    ),
  },
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): older ones would need two sheets.
    cssTarget: ['chrome123', 'edge123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    // Names the files of each page, for the size test.
    manifest: true,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ['index.html', 'share.html'] },
  },
});
