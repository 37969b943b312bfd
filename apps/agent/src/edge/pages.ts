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
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const pageHeaders = (connect: string): Readonly<Record<string, string>> => ({
  'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src ${connect}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
});

/** Serves the built dashboard at `/` and the guest's page at `/s`; false when no file fits. A browser that asks for a route of the dashboard gets its index. */
export function servePages(folder: string, path: string, asPage: boolean, response: ServerResponse): boolean {
  if (path === '/s/') {
    // The page names its files relative to /s; what stands behind # stays with the browser.
    response.writeHead(308, { location: '/s' }).end();
    return true;
  }
  const file = fileOf(folder, path, asPage);
  if (file === undefined) return false;
  const guest = file.endsWith('share.html');
  response.writeHead(200, {
    ...pageHeaders(guest ? "'self' ws: wss:" : "'self'"),
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-length': statSync(file).size,
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  pipeline(createReadStream(file), response, () => undefined);
  return true;
}

function fileOf(folder: string, path: string, asPage: boolean): string | undefined {
  if (path === '/s') return existing(join(folder, 'share.html'));
  const file = normalize(join(folder, path));
  if (file.startsWith(folder + sep) && existsSync(file) && statSync(file).isFile()) return file;
  return asPage && extname(path) === '' ? existing(join(folder, 'index.html')) : undefined;
}

function existing(file: string): string | undefined {
  return existsSync(file) ? file : undefined;
}
