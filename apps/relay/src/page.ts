import { createReadStream, existsSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * What the guest's page may do: run its own scripts, and open WebSockets to peers and relays wherever they are.
 * Nothing behind `#` is sent to this server by a browser, and no-referrer keeps even the path here.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The built files of the guest's page; `undefined` when this relay was installed without them. */
export function findPage(candidates: readonly string[]): string | undefined {
  return candidates.find((folder) => existsSync(join(folder, 'share.html')));
}

/** Answers `/s` and its assets; false when the path is not one of them. */
export function servePage(folder: string, path: string, response: ServerResponse): boolean {
  if (path === '/s/') {
    // The page names its files relative to /s; what stands behind # stays with the browser.
    response.writeHead(308, { location: '/s' }).end();
    return true;
  }
  const file = fileOf(folder, path);
  if (file === undefined) return false;
  const lasting = path.startsWith('/assets/');
  response.writeHead(200, {
    ...pageHeaders,
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-length': statSync(file).size,
    'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  pipeline(createReadStream(file), response, () => undefined);
  return true;
}

function fileOf(folder: string, path: string): string | undefined {
  if (path === '/s') return join(folder, 'share.html');
  if (path === '/' || path.endsWith('.html')) return undefined;
  const file = normalize(join(folder, path));
  if (!file.startsWith(folder + sep) || !existsSync(file) || !statSync(file).isFile()) return undefined;
  return file;
}
