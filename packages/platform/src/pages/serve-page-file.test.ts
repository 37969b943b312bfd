import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { servePageFile } from './index.ts';

const script = 'export const text = "ä";\n'.repeat(100);
const home = mkdtempSync(join(tmpdir(), 'peerai-served-'));
const folder = join(home, 'pages');
const big = join(folder, 'assets', 'big-1.js');
let server: Server;
let port = 0;

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  mkdirSync(join(folder, '.vite'));
  writeFileSync(join(home, 'secret.txt'), 'secret');
  writeFileSync(join(folder, '.env'), 'secret');
  writeFileSync(join(folder, '.vite', 'manifest.json'), 'secret');
  writeFileSync(join(folder, 'index.html'), '<title>dashboard</title>');
  writeFileSync(join(folder, 'share.html'), '<title>guest</title>');
  writeFileSync(join(folder, 'train.html'), '<title>train</title>');
  mkdirSync(join(folder, 'tab'));
  writeFileSync(join(folder, 'tab', 'engine-1.wasm'), 'wasm');
  writeFileSync(join(folder, 'icon.svg'), '<svg/>');
  const app = join(folder, 'assets', 'app-1.js');
  writeFileSync(app, script);
  writeFileSync(`${app}.br`, brotliCompressSync(script));
  writeFileSync(`${app}.gz`, gzipSync(script));
  writeFileSync(big, 'x'.repeat(8_000_000));
  for (const file of [app, `${app}.br`, `${app}.gz`]) utimesSync(file, 1_700_000_000, 1_700_000_000);
  server = createServer((request, response) => {
    void (async () => {
      const served = await servePageFile(request, response, { folder, path: request.url ?? '' });
      if (!served) response.writeHead(404).end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

/** A request just as written: `fetch` would clean the path and undo the encoding. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }>(
    (resolve, reject) => {
      const asking = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            body: Buffer.concat(parts),
          }),
        );
      });
      asking.on('error', reject);
      asking.end();
    },
  );
}

describe('a built file', () => {
  test('comes with its type and the policy of its page', async () => {
    const guest = await ask('/share.html');
    expect([guest.status, guest.body.toString()]).toEqual([200, '<title>guest</title>']);
    expect(guest.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(guest.headers['content-security-policy']).toContain("connect-src 'self' ws: wss:;");
    expect((await ask('/index.html')).headers['content-security-policy']).toContain("connect-src 'self';");
    expect((await ask('/icon.svg')).headers['content-type']).toMatch(/^image\/svg\+xml/);
  });

  test.each([
    ['/train.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/tab/engine-1.wasm', 'application/wasm', 'public, max-age=31536000, immutable'],
  ])('of the page that computes, %s, may run WebAssembly and stands alone among origins', async (path, type, kept) => {
    const { headers } = await ask(path);
    expect(headers).toMatchObject({
      'content-type': type,
      'cache-control': kept,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    expect(headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval';");
    const other = (await ask('/share.html')).headers;
    expect(other['content-security-policy']).toContain("script-src 'self';");
    expect(other['cross-origin-embedder-policy']).toBeUndefined();
  });

  test('with a hash in its name is kept for ever', async () => {
    const { headers } = await ask('/assets/app-1.js');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toMatch(/javascript; charset=utf-8$/);
  });

  test.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate, br;q=0.9', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=1.0', 'gzip', gunzipSync],
  ])('is sent compressed to a browser that takes %s', async (accepted, encoding, unpack) => {
    const { headers, body } = await ask('/assets/app-1.js', { 'accept-encoding': accepted });
    expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
    expect(headers['content-type']).toMatch(/javascript/);
    expect(body.length).toBeLessThan(script.length / 10);
    expect(unpack(body).toString()).toBe(script);
  });

  test.each(['', 'identity', 'br;q=0', 'brotli', 'br;q=0, gzip;q=0.000'])(
    'is sent as it is to one that takes %j',
    async (accepted) => {
      const { headers, body } = await ask('/assets/app-1.js', { 'accept-encoding': accepted });
      expect(headers).toMatchObject({ vary: 'accept-encoding' });
      expect(headers['content-encoding']).toBeUndefined();
      expect(body.toString()).toBe(script);
    },
  );

  test('that has no compressed one beside it is sent as it is', async () => {
    const { headers, status } = await ask('/share.html', { 'accept-encoding': 'br, gzip' });
    expect([status, headers['content-encoding']]).toEqual([200, undefined]);
  });

  test('is asked for again with its tag, and not sent again', async () => {
    for (const encoding of ['identity', 'br']) {
      const first = await ask('/assets/app-1.js', { 'accept-encoding': encoding });
      const headers = { 'accept-encoding': encoding, 'if-none-match': first.headers['etag'] ?? '' };
      const { status, body } = await ask('/assets/app-1.js', headers);
      expect([status, body.length]).toEqual([304, 0]);
    }
  });

  test('answers HEAD as GET, with no body', async () => {
    const { status, headers, body } = await ask('/assets/app-1.js', {}, 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, String(Buffer.byteLength(script)), 0]);
  });

  test('gives a part, and says when there is none', async () => {
    const part = await ask('/assets/app-1.js', { range: 'bytes=0-5' });
    expect([part.status, part.body.toString()]).toEqual([206, 'export']);
    expect((await ask('/assets/app-1.js', { range: 'bytes=9999999-' })).status).toBe(416);
  });

  test('is closed when the browser goes away in the middle', { timeout: 15_000 }, async () => {
    const open = (): number =>
      readdirSync('/proc/self/fd').filter((number) => {
        try {
          return readlinkSync(`/proc/self/fd/${number}`) === big;
        } catch {
          return false;
        }
      }).length;
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET /assets/big-1.js HTTP/1.1\r\nHost: a\r\n\r\n'));
      socket.on('error', () => undefined);
      await once(socket, 'data');
      socket.destroy();
    }
    if (process.platform === 'linux') await vi.waitFor(() => expect(open()).toBe(0), { timeout: 5_000 });
    expect((await ask('/share.html')).status).toBe(200);
  });

  test('that has gone since, as when the pages are built anew, is nothing', async () => {
    const file = join(folder, 'assets', 'old-1.js');
    writeFileSync(file, 'old');
    expect((await ask('/assets/old-1.js')).status).toBe(200);
    rmSync(file);
    expect((await ask('/assets/old-1.js')).status).toBe(404);
  });
});

test.each([
  '',
  '/',
  '/assets',
  '/assets/',
  '/nothing.js',
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2Fsecret.txt',
  '/..\\secret.txt',
  '//../secret.txt',
  '/%73hare.html',
  '/assets/app-1.js%00.html',
  '/.env',
  '/.vite/manifest.json',
  `/${'a'.repeat(5_000)}`,
])('%s is no file', async (path) => {
  const { status, body } = await ask(path === '' ? '/?' : path);
  expect(status).toBe(404);
  expect(body.toString()).not.toContain('secret');
});
