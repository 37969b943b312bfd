import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Ready, relayIn, type Running, start } from '../test/program.ts';
import { publicAddresses } from './relay.ts';
import { webHost } from './web-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-relay-'));
const relay = (...args: readonly string[]): Promise<Running> => relayIn(join(folder, 'home'), ...args);

/** Its whole output and status, for one that ends by itself. */
async function ended(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
/** A request just as written: `fetch` would clean the path. */
function ask(path: string, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(running.ready.http);
  return new Promise((resolve, reject) => {
    const asking = request({ hostname, port, path, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asking.on('error', reject);
    asking.end();
  });
}

let running: Running;
beforeAll(async () => {
  running = await relay('--name', 'harbour');
});
afterAll(() => {
  running?.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

describe('its web face', () => {
  test('/health says who it is and where agents dial, WebSocket first', async () => {
    const { status, body } = await ask('/health');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      status: 'healthy',
      service: 'peerai-relay',
      peer_id: running.ready.peerId,
      addresses: running.ready.addresses,
    });
    expect(running.ready.addresses[0]).toMatch(/\/ws\/p2p\//);
    expect(running.ready.name).toBe('harbour');
  });

  test('/stats and /metrics count, and name no peer', async () => {
    const stats = await ask('/stats');
    expect(JSON.parse(stats.body)).toMatchObject({ online_peers: 0, reservations: 0, relayed: 0 });
    const metrics = await ask('/metrics');
    expect(metrics.headers['content-type']).toContain('version=0.0.4');
    for (const what of ['reservations', 'mailboxes', 'letters', 'letter_bytes'])
      expect(metrics.body).toMatch(new RegExp(`^peerai_relay_${what} 0$`, 'm'));
    for (const { body } of [stats, metrics]) expect(body).not.toContain('12D3Koo');
  });

  test('the guest page comes with a policy that runs only its own scripts, where it is installed', async () => {
    const { status, headers } = await ask('/s');
    if (running.ready.pageUrl === undefined) {
      expect(status).toBe(404);
      return;
    }
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("connect-src 'self' ws: wss:;");
    expect(headers['content-security-policy']).toContain("script-src 'self';");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const training = await ask('/t');
    expect(training.status).toBe(200);
    expect(training.headers['cross-origin-embedder-policy']).toBe('require-corp');
  });

  test.each([
    '/../main.js',
    '/%2e%2e/main.js',
    '/assets/../../main.js',
    '//../main.js',
    '/..%2fmain.js',
    '/index.html',
    '/share.html',
    '/nothing',
    '/assets/%00',
    '/s/x',
  ])('%s is nothing', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed, and says what is', async (method) => {
    const { status, headers } = await ask('/health', method);
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  test('HEAD answers as GET does, with no body', async () => {
    expect(await ask('/health', 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test('a target that is no path, and bytes that are no request, leave it alive', async () => {
    expect((await ask('//')).status).toBe(200);
    expect((await ask('/%zz')).status).toBe(404);
    const { hostname, port } = new URL(running.ready.http);
    for (const bytes of [
      '\r\n\r\n',
      'GET\r\n\r\n',
      'x'.repeat(100_000),
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
    ]) {
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket.on('error', () => undefined).resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect((await ask('/health')).status).toBe(200);
  });

  test('the libp2p WebSocket is on the same port', async () => {
    const socket = new WebSocket(running.ready.http.replace('http', 'ws'));
    await once(socket, 'open');
    socket.close();
    await once(socket, 'close');
  });
});

describe('its process', () => {
  test('its key is for its owner alone, and stays over a restart', async () => {
    expect(statSync(join(folder, 'home', 'relay-identity.key')).mode & 0o077).toBe(0);
    const again = await relay('--home', join(folder, 'other'));
    const { peerId } = again.ready;
    again.child.kill('SIGTERM');
    await once(again.child, 'exit');
    const third = await relay('--home', join(folder, 'other'));
    expect(third.ready.peerId).toBe(peerId);
    expect(peerId).not.toBe(running.ready.peerId);
    third.child.kill('SIGTERM');
    await once(third.child, 'exit');
  });

  test.each([
    ['--port', (ready: Ready) => new URL(ready.http).port],
    ['--tcp-port', (ready: Ready) => /\/tcp\/(\d+)\/p2p/.exec(ready.addresses.at(-1) ?? '')?.[1] ?? ''],
  ])('a taken %s is named, with status 1', async (flag, portOf) => {
    const port = portOf(running.ready);
    const args = ['--bind', '127.0.0.1', '--port', '0', '--tcp-port', '0', '--home', join(folder, 'taken'), flag, port];
    const { code, text } = await ended(start(args));
    expect(code).toBe(1);
    expect(text).toContain('PORT_TAKEN');
    expect(text).toContain(`port ${port} is taken; choose another with ${flag}`);
  });

  test('a wrong flag ends with status 9, and help with 0', async () => {
    expect(await ended(start(['--prot', '1']))).toMatchObject({
      code: 9,
      text: expect.stringContaining('CONFIG_INVALID') as string,
    });
    expect(await ended(start(['--help']))).toMatchObject({
      code: 0,
      text: expect.stringContaining('--public-url') as string,
    });
  });

  test('one that listens everywhere prints links with an address of this machine, and what others need', async () => {
    const child = start(['--port', '0', '--tcp-port', '0', '--bind', '0.0.0.0', '--home', join(folder, 'everywhere')]);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part));
    await vi.waitFor(() => expect(text).toContain('peerai up --relay'), { timeout: 10_000 });
    child.kill('SIGKILL');
    expect(text).toContain(`relay ready at http://${webHost('0.0.0.0', networkInterfaces())}:`);
    if (text.includes('/s\n')) expect(text).toContain('--public-url');
  });

  test('SIGTERM ends it in order within 5 s, open connections or not', async () => {
    const other = await relay('--home', join(folder, 'ending'));
    const socket = new WebSocket(other.ready.http.replace('http', 'ws'));
    await once(socket, 'open');
    const startedMs = Date.now();
    other.child.kill('SIGTERM');
    const [code] = (await once(other.child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(5_000);
  });
});

test.each([
  ['https://relay.example', '/dns4/relay.example/tcp/443/tls/ws'],
  ['http://relay.example:8080', '/dns4/relay.example/tcp/8080/ws'],
  ['https://192.0.2.7:8443', '/ip4/192.0.2.7/tcp/8443/tls/ws'],
  ['https://[2001:db8::7]', '/ip6/2001:db8::7/tcp/443/tls/ws'],
])('behind a proxy at %s agents are told %s', (url, address) => {
  expect(publicAddresses(url)).toEqual([address]);
});
