#!/usr/bin/env node
// A file that is there before the first build, so that the install can link the command.
import { existsSync } from 'node:fs';

const main = new URL('../dist/program/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('peerai is not built yet. Build it: npx -y pnpm@12 build\n');
  process.exitCode = 1;
}
