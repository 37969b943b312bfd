import { defineConfig } from 'vite';
import { linkPage } from './vite.config.ts';

/** The guest's page. */
export default defineConfig(linkPage('share', 'assets'));
