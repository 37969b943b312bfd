import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Bytes below which compressing saves less than its header costs. */
const smallMax = 1_024;

/** Puts the built pages beside a program that serves them, each text compressed once and for all beside itself: `copy-pages FROM TO`. */
const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined || !existsSync(from)) {
  process.stderr.write(`copy-pages: ${from ?? '(nothing)'} does not exist; build the dashboard first\n`);
  process.exit(1);
}
rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });
for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(?:m?js|css|html|svg|json|wasm)$/.test(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  const bytes = readFileSync(file);
  if (bytes.length < smallMax) continue;
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  // Brotli at its best is slow on the engine's 14 MB.
  if (entry.name.endsWith('.wasm')) continue;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
}
