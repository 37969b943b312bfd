import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { raw, testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
let key = '';
beforeAll(async () => {
  world = await testEdge();
  const made = (await (await world.control('POST', '/api/v1/keys', { name: 'tests' })).json()) as { key: string };
  key = made.key;
});
afterAll(() => world.stop());

const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
const own = (): string => world.base;

/** One route of every family, and what a caller without any credential gets. */
const control = [
  '/api/v1/node',
  '/api/v1/peers',
  '/api/v1/events',
  '/api/v1/config',
  '/api/v1/keys',
  '/api/network/peers',
  '/docs',
  '/docs-json',
  '/docs/swagger-ui.css',
  '/docs/swagger-ui-init.js',
];
const gateway = ['/v1/models', '/api/tags', '/api/version'];
const open = ['/', '/s', '/t', '/assets/app-1.js', '/health/live', '/metrics'];

describe('every family of routes', () => {
  test.each(control)('%s needs the control token', async (path) => {
    expect((await raw(own(), { path })).status).toBe(401);
    expect((await raw(own(), { path, headers: bearer('wrong-token-wrong-token-wrong-token') })).status).toBe(401);
    expect((await raw(own(), { path, headers: bearer(key) })).status).toBe(401);
    expect((await raw(own(), { path: `/t/${key}${path}` })).status).toBe(401);
    if (path === '/api/v1/events') return;
    expect((await raw(own(), { path, headers: bearer(token) })).status).toBe(200);
  });

  test.each(gateway)('%s opens to loopback, to a key and to the token', async (path) => {
    for (const headers of [{}, bearer(key), bearer(token), { 'x-api-key': key }]) {
      expect((await raw(own(), { path, headers })).status).toBe(200);
    }
    expect((await raw(own(), { path: `/t/${key}${path}` })).status).toBe(200);
    expect((await raw(own(), { path, headers: bearer('wrong-token-wrong-token-wrong-token') })).status).toBe(401);
    expect((await raw(own(), { path: `/t/wrong-key-wrong-key-wrong${path}` })).status).toBe(401);
  });

  test.each(open)('%s is open', async (path) => {
    expect((await raw(own(), { path })).status).toBe(200);
  });

  test.each([...control, ...gateway, ...open])(
    '%s refuses a foreign Host and a foreign Origin, with the token too',
    async (path) => {
      const rebound = await raw(own(), { path, headers: { ...bearer(token), host: 'evil.example' } });
      const foreign = await raw(own(), { path, headers: { ...bearer(token), origin: 'https://evil.example' } });
      expect([rebound.status, foreign.status]).toEqual([403, 403]);
      expect(rebound.body).toContain('security.allow_hosts');
      expect(foreign.body).toContain('security.allow_origins');
      expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  test.each([...control, ...gateway])(
    '%s answers the preflight of a listed page without a token, and of no other',
    async (path) => {
      const ask = (origin: string) =>
        raw(own(), { method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST' } });
      const listed = await ask('https://mine.example');
      expect(listed.status).toBe(204);
      expect(listed.headers['access-control-allow-origin']).toBe('https://mine.example');
      expect((await ask('https://evil.example')).status).toBe(403);
    },
  );
});

describe('no spelling of a path is a way past the rule', () => {
  test.each([
    '/api/%76%31/node',
    '//api/v1/node',
    '/api//v1///node',
    '/api%2Fv1%2Fnode',
    '/%2Fapi/v1/node',
    '/%61pi/v1/node',
    '/api/tags/../v1/node',
    '/api/tags/%2e%2e/v1/node',
    '/v1/../api/v1/node',
    '/./api/v1/node',
    '/assets/../api/v1/node',
    '/API/v1/node',
    '/Api/V1/node',
    '/api/v1/node/',
    '/api/v1/node;x',
    '/api/v1/node%00',
    '/s/../api/v1/node',
    'http://127.0.0.1/api/v1/node',
    '/t//api/v1/node',
    '/docs/../api/v1/node',
    '/docs-json/',
    '/docs-yaml',
    '/DOCS',
    '/api/%2576%2531/node',
    '/metrics/../api/v1/node',
    '/\\api\\v1\\node',
  ])('%s shows nothing without a token', async (path) => {
    const { status, body } = await raw(own(), { path });
    expect([401, 404]).toContain(status);
    expect(body).not.toContain(world.peer.id);
    expect(body).not.toContain('swagger');
  });

  test('an encoded control path is the same route with the token', async () => {
    expect((await raw(own(), { path: '/api/%76%31/node', headers: bearer(token) })).status).toBe(200);
    expect((await raw(own(), { path: '//api//v1/node', headers: bearer(token) })).status).toBe(200);
  });
});

describe('upgrades', () => {
  const dial = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
    const socket = new WebSocket(`${world.base.replace('http', 'ws')}${path}`, { headers });
    const status = await Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    ]).catch((error: Error) => Number(/\d{3}/.exec(error.message)?.[0] ?? 0));
    socket.on('error', () => undefined);
    socket.terminate();
    return status;
  };

  test('/network opens from loopback, with a key and with the token', async () => {
    expect(await dial('/network')).toBe(101);
    expect(await dial('/network', bearer(key))).toBe(101);
    expect(await dial(`/t/${key}/network`)).toBe(101);
    expect(await dial('/network', bearer(token))).toBe(101);
  });

  test('a foreign page, a foreign host and a wrong token are refused', async () => {
    expect(await dial('/network', { origin: 'https://evil.example' })).toBe(403);
    expect(await dial('/network', { host: 'evil.example' })).toBe(403);
    expect(await dial('/network', bearer('wrong-token-wrong-token-wrong-token'))).toBe(401);
    expect(await dial('/t/wrong-key-wrong-key-wrong/network')).toBe(401);
  });

  test('no other path upgrades, and control paths say 401', async () => {
    expect(await dial('/elsewhere')).toBe(404);
    expect(await dial('/api/v1/events')).toBe(401);
  });

  test('a plain GET of /network says what to do', async () => {
    const { status, body } = await raw(own(), { path: '/network' });
    expect(status).toBe(426);
    expect(body).toContain('/api/v1/events');
  });

  test('a client that offers another upgrade is answered as without it', async () => {
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    };
    expect((await raw(own(), { path: '/v1/models', headers })).status).toBe(200);
  });
});

test('require_token all asks everybody, and so does a bind that is not loopback', async () => {
  for (const rules of [{ requireToken: 'all' as const }, { loopbackBind: false }]) {
    const closed = await testEdge(rules);
    for (const path of gateway) {
      expect((await raw(closed.base, { path })).status).toBe(401);
      expect((await raw(closed.base, { path, headers: bearer(token) })).status).toBe(200);
    }
    const { status, headers } = await raw(closed.base, { path: '/metrics' });
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="peerai"']);
    const withToken = await raw(closed.base, { path: '/metrics', headers: bearer(token) });
    expect(withToken.body).toMatch(/^peerai_ledger_entries \d+$/m);
    const ready = async (given: Record<string, string>): Promise<unknown> =>
      JSON.parse((await raw(closed.base, { path: '/health/ready', headers: given })).body);
    expect(await ready({})).toEqual({ status: 'ready' });
    expect(await ready(bearer(token))).toEqual({ status: 'ready', broken: [] });
    expect((await raw(closed.base, { path: '/health/live' })).body).toBe('{"status":"live"}');
    await closed.stop();
  }
});

describe('the docs in a browser', () => {
  test('a token in the address becomes a cookie of the docs alone, and leaves the address', async () => {
    const first = await raw(own(), { path: `/docs?token=${token}` });
    expect(first.status).toBe(303);
    expect(first.headers['location']).toBe('/docs');
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^peerai_docs=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/docs$/);
    expect(cookie).not.toContain(token);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    const page = await raw(own(), { path: '/docs', headers });
    expect(page.status).toBe(200);
    expect(page.body).toContain('swagger-ui');
    expect((await raw(own(), { path: '/docs/swagger-ui-init.js', headers })).body).toContain('/api/v1/node');
    expect((await raw(own(), { path: '/api/v1/node', headers })).status).toBe(401);
    expect((await raw(own(), { path: '/v1/models', headers: { ...headers, origin: own() } })).status).toBe(401);
  });

  test('a wrong token in the address gives no cookie', async () => {
    const { status, headers } = await raw(own(), { path: '/docs?token=wrong-token-wrong-token-wrong-token' });
    expect(status).toBe(401);
    expect(headers['set-cookie']).toBeUndefined();
  });
});
