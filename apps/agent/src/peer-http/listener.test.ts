import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromUtf8, utf8 } from '@peerai/core-protocol';
import { silentLogger } from '@peerai/core-protocol/testing';
import { type FaceRequest, httpLimits } from '@peerai/messaging/http';
import { afterEach, expect, test } from 'vitest';
import { socketLimits } from './limits.ts';
import { type ListenerOptions, type PeerListener, startPeerListener } from './listener.ts';
import { createPostPool, type PostOptions, type PostPool } from './post.ts';

const never = new AbortController().signal;
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** A listener that answers with what it was asked; `hold` keeps every answer back until it resolves. */
async function listen(
  options: Partial<ListenerOptions> = {},
  hold: Promise<unknown> = Promise.resolve(),
): Promise<{ readonly listener: PeerListener; readonly asked: FaceRequest[]; readonly base: string }> {
  const asked: FaceRequest[] = [];
  const answer = async (given: FaceRequest) => {
    asked.push(given);
    await hold;
    const body = utf8(JSON.stringify({ path: given.path, length: given.body.length }));
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  };
  const listener = await startPeerListener(
    { answer, logger: silentLogger },
    { bind: '127.0.0.1', port: 0, ...options },
  );
  ending.push(() => listener.stop());
  return { listener, asked, base: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${listener.port}` };
}
function pool(options?: PostOptions): PostPool {
  const made = createPostPool(options);
  ending.push(() => made.stop());
  return made;
}

/** What comes back when these bytes are written, until the other side closes. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let heard = '';
    socket.on('data', (piece) => (heard += piece.toString('latin1')));
    socket.on('close', () => resolve(heard));
    socket.on('error', (error) => (heard === '' ? reject(error) : resolve(heard)));
  });
}

test('a body goes on as the bytes that came, numbers and all', async () => {
  const { asked, base } = await listen();
  const body = utf8('{"a":1.0,"b":1e-07,"a":-0.0}');
  const answer = await pool().post({ url: `${base}/message?x=1`, body, signal: never });
  expect(answer.status).toBe(200);
  expect(asked[0]).toMatchObject({ method: 'POST', path: '/message', host: base.slice(7) });
  expect(fromUtf8(asked[0]?.body ?? new Uint8Array())).toBe('{"a":1.0,"b":1e-07,"a":-0.0}');
});

test('a body at the limit is taken, one byte more is 413, said or not said before', async () => {
  const { asked, base, listener } = await listen();
  const most = new Uint8Array(httpLimits.bodyBytesMax).fill(32);
  expect((await pool().post({ url: `${base}/message`, body: most, signal: never })).status).toBe(200);
  const said = await raw(
    listener.port,
    `POST /message HTTP/1.1\r\nHost: x\r\nContent-Length: ${httpLimits.bodyBytesMax + 1}\r\n\r\n`,
  );
  expect(said).toMatch(/^HTTP\/1.1 413 /u);
  const chunked = await new Promise<number | undefined>((resolve, reject) => {
    const asking = request(`${base}/message`, { method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asking.on('error', reject);
    asking.write(most);
    asking.end(' ');
  });
  expect([chunked, asked.length]).toEqual([413, 1]);
});

test('slow headers and a slow body are cut off, and others are served meanwhile', async () => {
  const { asked, base, listener } = await listen({ requestMsMax: 300 });
  const slow = [
    raw(listener.port, 'POST /message HTTP/1.1\r\nHost: x\r\n'),
    raw(listener.port, 'POST /message HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'),
  ];
  expect((await pool().post({ url: base, body: utf8('x'), signal: never })).status).toBe(200);
  for (const heard of await Promise.all(slow)) expect(heard).toMatch(/^(?:HTTP\/1.1 408 |$)/u);
  expect(asked).toHaveLength(1);
});

test('what is no HTTP at all is 400 and harms nobody', async () => {
  const { base, listener } = await listen();
  expect(await raw(listener.port, '\u0016\u0003\u0001 nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /u);
  expect(await raw(listener.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /u,
  );
  expect((await fetch(`${base}/health`)).status).toBe(200);
});

test('a hundred posts to one peer use ten connections at most, and idle ones close', async () => {
  const hold = Promise.withResolvers<void>();
  const { asked, base, listener } = await listen({}, hold.promise);
  const { post } = pool({ idleMsMax: 200 });
  const posts = Array.from({ length: 100 }, () => post({ url: `${base}/message`, body: utf8('x'), signal: never }));
  const open = async (): Promise<number> => listener.connections();
  await until(async () => asked.length === httpLimits.connectionsPerPeerMax);
  expect(await open()).toBe(httpLimits.connectionsPerPeerMax);
  hold.resolve();
  expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(await open()).toBeLessThanOrEqual(httpLimits.connectionsPerPeerMax);
  await until(async () => (await open()) === 0);
});

test('a post ends when its time is over, when its caller stops, and when nobody listens', async () => {
  const { base, listener } = await listen({}, new Promise(() => undefined));
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no error',
      (error: { readonly code?: unknown }) => error.code,
    );
  const stop = new AbortController();
  const body = utf8('x');
  const waiting = code(pool().post({ url: base, body, signal: stop.signal }));
  stop.abort();
  expect(await waiting).toBe('ABORTED');
  expect(await code(pool({ requestMsMax: 100 }).post({ url: base, body, signal: never }))).toBe('TIMEOUT');
  await listener.stop();
  expect(await code(pool().post({ url: base, body, signal: never }))).toBe('PEER_UNREACHABLE');
  expect(await code(pool().post({ url: 'http://[', body, signal: never }))).toBe('PEER_UNREACHABLE');
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
test.skipIf(!hasOpenssl)(
  'with a certificate of its own (made by openssl) it is HTTPS; who does not trust it sends nothing',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'peerai-tls-'));
    ending.push(() => rmSync(folder, { recursive: true, force: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    const named = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
    execFileSync('openssl', [...made, ...named], { stdio: 'ignore' });
    const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
    const { asked, base } = await listen({ tls });
    await expect(pool().post({ url: base, body: utf8('x'), signal: never })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      details: { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(asked).toEqual([]);
    // As NODE_EXTRA_CA_CERTS does it for a whole process.
    const script = `const {createPostPool} = await import(${JSON.stringify(new URL('./post.ts', import.meta.url).href)});
    const {post, stop} = createPostPool();
    const {status} = await post({url: ${JSON.stringify(base)}, body: new Uint8Array([120]), signal: AbortSignal.timeout(5000)});
    console.log(status); stop();`;
    const environment = { ...process.env, NODE_EXTRA_CA_CERTS: cert };
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(
      process.execPath,
      ['--conditions=@peerai/source', '--input-type=module', '-e', script],
      { env: environment },
      (error, out, said) => resolve(error === null ? out.trim() : said),
    );
    expect(await promise).toBe('200');
    await expect(
      startPeerListener(
        { answer: () => Promise.reject(new Error('never')), logger: silentLogger },
        { bind: '127.0.0.1', port: 0, tls: { cert: 'x', key: 'y' } },
      ),
    ).rejects.toMatchObject({ code: 'KEY_REFUSED' });
  },
);

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('not so within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('one address has its connections and not one more, and leaves places to others', async () => {
  const { listener } = await listen();
  /** Whether it was let in: one that is not is cut before it has said anything. */
  const isLetIn = (localAddress: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port: listener.port, host: '127.0.0.1', localAddress });
      ending.push(() => socket.destroy());
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
      socket.on('data', () => resolve(true));
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    });
  const most = Array.from({ length: socketLimits.connectionsPerAddressMax }, () => isLetIn('127.0.0.1'));
  expect(new Set(await Promise.all(most))).toEqual(new Set([true]));
  expect(await isLetIn('127.0.0.1')).toBe(false);
  expect(await isLetIn('127.0.0.2')).toBe(true);
  expect(await listener.connections()).toBe(socketLimits.connectionsPerAddressMax + 1);
  // All places together: a third address finds none when the second has the rest.
  const rest = socketLimits.connectionsMax - socketLimits.connectionsPerAddressMax - 1;
  const others = await Promise.all(Array.from({ length: rest }, () => isLetIn('127.0.0.2')));
  expect([others.every(Boolean), await listener.connections()]).toEqual([true, socketLimits.connectionsMax]);
  expect(await isLetIn('127.0.0.3')).toBe(false);
});

test('headers have so many bytes, and no more', async () => {
  const { listener } = await listen();
  // Node counts the names and values of headers, and the path.
  const [host, name, path] = ['x', 'y', '/'];
  const rest = ['Host', host, name, path, 'Connection', 'close'].join('').length;
  const ask = (bytes: number) =>
    raw(
      listener.port,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${name}: ${'z'.repeat(bytes - rest)}\r\n\r\n`,
    );
  expect(await ask(socketLimits.headerBytesMax - 1)).toMatch(/^HTTP\/1.1 200 /u);
  expect(await ask(socketLimits.headerBytesMax)).toMatch(/^HTTP\/1.1 431 /u);
});

test('headers have less time than the body behind them', async () => {
  const { listener } = await listen({ headersMsMax: 100 });
  const body = raw(listener.port, 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\na').then(
    () => 'body',
  );
  const headers = raw(listener.port, 'POST / HTTP/1.1\r\nHost: x\r\n').then(() => 'headers');
  expect(await Promise.race([body, headers])).toBe('headers');
});

test('a message that is not handled in its time is answered 504, though its handler hears nothing', async () => {
  const { asked, base } = await listen({ answerMsMax: 50 }, new Promise(() => undefined));
  const { status, body } = await pool().post({ url: `${base}/message`, body: utf8('x'), signal: never });
  expect([status, JSON.parse(fromUtf8(body)), asked.length]).toMatchObject([504, { error: { code: 'TIMEOUT' } }, 1]);
});

test('a post to a further peer does not wait for an idle connection to another one', async () => {
  const bases = [(await listen()).base, (await listen()).base, (await listen()).base];
  const { post } = pool({ connectionsMax: 2, requestMsMax: 20_000 });
  for (const base of [...bases, ...bases])
    expect((await post({ url: base, body: utf8('x'), signal: never })).status).toBe(200);
});

test('of an answer `answerBytesMax` bytes are read, and one with one more is refused', async () => {
  const body = (request: { readonly url?: string | undefined }): string => 'x'.repeat(Number(request.url?.slice(1)));
  const server = createServer((request, response) => response.end(body(request)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const post = (bytes: number) =>
    pool().post({ url: `http://127.0.0.1:${port}/${bytes}`, body: utf8('x'), signal: never });
  const most = httpLimits.answerBytesMax;
  expect((await post(most)).body).toHaveLength(most);
  await expect(post(most + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
