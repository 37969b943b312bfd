import { cpSync, existsSync, rmSync } from 'node:fs';

/** Puts the built pages beside a program that serves them: `copy-pages FROM TO`. */
const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined || !existsSync(from)) {
  process.stderr.write(`copy-pages: ${from ?? '(nothing)'} does not exist; build the dashboard first\n`);
  process.exit(1);
}
rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });
