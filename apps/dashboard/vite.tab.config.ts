import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { browsers, conditions, without } from './vite.config.ts';

/**
 * The page for training, built by itself: what it shares with the guest's page would else bring what only it uses into that one.
 * All its files lie below `/tab/`, because what computes there needs other headers.
 */
export default defineConfig({
  base: './',
  // Its files are there already, from the build of the other pages.
  publicDir: 'src/static',
  plugins: [react()],
  resolve: { alias: without, conditions },
  worker: { format: 'es' },
  build: {
    ...browsers,
    emptyOutDir: false,
    copyPublicDir: false,
    assetsDir: 'tab',
    assetsInlineLimit: 0,
    // Names the files of the page, for the size test.
    manifest: '.vite/tab-manifest.json',
    modulePreload: { polyfill: false },
    rollupOptions: { input: 'train.html' },
  },
});
