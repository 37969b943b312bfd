import { defineConfig } from 'vite';
import { linkPage } from './vite.config.ts';

/** The page for training. All its files lie below `/tab/`, because what computes there needs other headers. */
export default defineConfig(linkPage('train', 'tab'));
