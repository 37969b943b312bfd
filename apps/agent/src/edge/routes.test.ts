import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { raw, testEdge, type TestEdge, token } from '../../test/edge.ts';
import { controlBodyBytesMax } from './server.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const json = { 'content-type': 'application/json' };
const withToken = { ...json, authorization: `Bearer ${token}` };
const problem = async (response: Response): Promise<Record<string, unknown>> => {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return (await response.json()) as Record<string, unknown>;
};

describe('control routes', () => {
  test.each<[string, string, unknown, string]>([
    ['POST', '/api/v1/pairings', { allow: ['everything'] }, 'allow'],
    ['POST', '/api/v1/pairings', { allow: ['chat'], more: 1 }, 'more'],
    ['POST', '/api/v1/pairings/join', { link: 7 }, 'link'],
    ['POST', '/api/v1/pairings/join', {}, 'link'],
    ['POST', '/api/v1/shares', { model: 'echo', tokens: -1 }, 'tokens'],
    ['POST', '/api/v1/chat', { model: 'echo', messages: [{ role: 'robot', text: 'a' }] }, 'messages.0.role'],
    ['POST', '/api/v1/messages', { kind: 'text', payload: 1 }, 'to'],
    ['POST', '/api/v1/broadcasts', { to: [], payload: 1 }, 'to'],
    ['POST', '/api/v1/messages', { to: 'a', payload: 1, queue: 'yes' }, 'queue'],
    ['POST', '/api/v1/files?name=x', {}, 'to'],
    ['POST', '/api/v1/files?to=a&name=x', {}, 'application/octet-stream'],
    ['POST', '/api/v1/training/data', {}, 'name'],
    ['POST', '/api/v1/training/data?name=x', {}, 'application/octet-stream'],
    ['POST', '/api/v1/training/runs', { name: 'a', data: 'b', model: { kind: 'oracle' } }, 'model'],
    [
      'POST',
      '/api/v1/training/runs',
      { name: 'a', data: 'b', model: { kind: 'mlp', label: 'c' }, rounds: 0 },
      'rounds',
    ],
    ['POST', '/api/v1/training/offers/a/join', { data: 'b' }, 'a yes'],
    ['POST', '/api/v1/clusters', { name: '' }, 'name'],
    ['POST', '/api/v1/clusters', { name: 'x', nodes: 1_025 }, 'nodes'],
    ['POST', '/api/v1/clusters/x/process', { inputs: [['a']] }, 'inputs'],
    ['POST', '/api/v1/clusters/x/ask', { input: [] }, 'input'],
    ['POST', '/api/v1/clusters/x/learn', { examples: [{ input: [1], label: -1 }] }, 'label'],
    ['POST', '/api/v1/metrics/watch', { forMs: 0 }, 'forMs'],
    ['POST', '/api/v1/training/runs/a/links', { visitors: 0 }, 'visitors'],
    ['POST', '/api/v1/state', { name: '' }, 'name'],
    ['POST', '/api/v1/state', { name: 'a', members: ['b'], group: 'c' }, 'members or a group'],
    ['PATCH', '/api/v1/state/a', { set: [] }, 'set'],
    ['GET', '/api/v1/topics/a?where=a%20or%20b', undefined, 'filter'],
    ['POST', '/api/v1/keys', { name: 'two words' }, 'name'],
    ['PATCH', '/api/v1/models/echo', { exposed: 'yes' }, 'exposed'],
    ['POST', '/api/v1/models/imported', {}, 'name'],
    ['POST', '/api/v1/models/imported?name=x', {}, 'application/octet-stream'],
    ['POST', '/api/v1/models/x/run', { inputs: [] }, 'inputs'],
    ['GET', '/api/v1/models/nano/export?format=zip', undefined, 'format'],
    ['POST', '/api/v1/models/splits', { model: 'nano', over: [] }, 'over'],
    ['POST', '/api/v1/memory', { text: '' }, 'text'],
    ['POST', '/api/v1/memory', { text: 'a', level: 'secret' }, 'level'],
    ['POST', '/api/v1/memory/search', { text: 'a', limit: 101 }, 'limit'],
    ['GET', '/api/v1/memory?limit=501', undefined, 'limit'],
    ['POST', '/api/v1/nodes/lending', { nodes: 0 }, 'nodes'],
    ['POST', '/api/v1/nodes/lending', { nodes: 1, credits: 'much' }, 'credits'],
    ['POST', '/api/v1/leases', { peer: 'a', cluster: { nodes: 4 }, vectors: [] }, 'vectors'],
    ['POST', '/api/v1/governance', { name: ' ' }, 'name'],
    ['POST', '/api/v1/governance/a/proposals', { title: 'a', action: { type: 'coup' } }, 'action'],
    ['POST', '/api/v1/governance/a/proposals/b/votes', { choice: 'maybe' }, 'choice'],
    ['GET', '/api/v1/governance/a/blocks?from=0', undefined, 'from'],
    ['POST', '/api/v1/leases', { peer: 'a', cluster: {}, vectors: [[1]] }, 'cluster'],
    ['PATCH', `/api/v1/peers/x`, { blocked: 1 }, 'blocked'],
    ['PATCH', '/api/v1/peers/older/x', { allow: ['chat'] }, 'allow'],
    ['POST', '/api/network/peers', { action: 'sing' }, 'action'],
    ['POST', '/api/network/send', { target: [], message: 1 }, 'target'],
  ])('%s %s with %j names %s', async (method, path, body, place) => {
    const response = await world.control(method, path, body);
    expect(response.status).toBe(400);
    const { code, detail, requestId, status } = await problem(response);
    expect({ code, status }).toEqual({ code: 'INVALID_FORMAT', status: 400 });
    expect(detail).toContain(place);
    expect(requestId).toBe(response.headers.get('x-request-id'));
  });

  test.each<[string, string, string | undefined, Record<string, string>, number, string]>([
    ['broken JSON', '/api/v1/shares', '{"model":', withToken, 400, 'INVALID_FORMAT'],
    ['no body', '/api/v1/shares', '', withToken, 400, 'INVALID_FORMAT'],
    [
      'a form',
      '/api/v1/shares',
      'model=echo',
      { ...withToken, 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'INVALID_FORMAT',
    ],
    [
      'a text',
      '/api/v1/shares',
      '{"model":"echo"}',
      { ...withToken, 'content-type': 'text/plain' },
      415,
      'INVALID_FORMAT',
    ],
    [
      'bytes',
      '/api/v1/shares',
      'x',
      { ...withToken, 'content-type': 'application/octet-stream' },
      415,
      'INVALID_FORMAT',
    ],
    ['an unknown route', '/api/v1/nothing', '{}', withToken, 404, 'NOT_FOUND'],
    ['a prototype', '/api/v1/keys', '{"__proto__":{"name":"x"}}', withToken, 400, 'INVALID_FORMAT'],
  ])('%s is a problem with its code', async (_name, path, body, headers, status, code) => {
    const response = await fetch(`${world.base}${path}`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    });
    expect(response.status).toBe(status);
    expect(await problem(response)).toMatchObject({ code, status });
  });

  test('a wrong method is not found, and changes nothing', async () => {
    const response = await world.control('DELETE', '/api/v1/node');
    expect(response.status).toBe(404);
    expect((await problem(response))['code']).toBe('NOT_FOUND');
  });

  test('a body is taken up to the limit and refused with 413 one byte above', async () => {
    const padded = (bytes: number): string => {
      const start = '{"link":"peerai://pair/x"';
      return `${start}${' '.repeat(bytes - start.length - 1)}}`;
    };
    const send = (bytes: number) =>
      fetch(`${world.base}/api/v1/pairings/join`, { method: 'POST', headers: withToken, body: padded(bytes) });
    expect((await send(controlBodyBytesMax)).status).toBe(400);
    const above = await send(controlBodyBytesMax + 1);
    expect(above.status).toBe(413);
    expect(await problem(above)).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test.each<[string, string, unknown, number, string]>([
    ['DELETE', '/api/v1/shares/none', undefined, 404, 'SHARE_UNKNOWN'],
    ['DELETE', '/api/v1/keys/none', undefined, 404, 'KEY_UNKNOWN'],
    ['GET', '/api/v1/pairings/none', undefined, 404, 'PAIRING_GONE'],
    ['PATCH', '/api/v1/peers/none', { blocked: true }, 404, 'DEVICE_UNKNOWN'],
    ['POST', '/api/v1/peers/none/ping', undefined, 404, 'DEVICE_UNKNOWN'],
    ['POST', '/api/v1/peers/none/trace', undefined, 404, 'DEVICE_UNKNOWN'],
    ['POST', '/api/v1/messages', { to: 'none', kind: 'text', payload: 'a' }, 404, 'DEVICE_UNKNOWN'],
    ['GET', '/api/v1/files/none', undefined, 404, 'FILE_UNKNOWN'],
    ['DELETE', '/api/v1/files/none', undefined, 404, 'FILE_UNKNOWN'],
    ['POST', '/api/v1/pairings/join', { link: 'peerai://pair/nonsense' }, 400, 'INVITE_INVALID'],
  ])('%s %s is refused by its own code', async (method, path, body, status, code) => {
    const response = await world.control(method, path, body);
    expect(await problem(response)).toMatchObject({ status, code });
    expect(response.status).toBe(status);
  });

  test('a model whose name has a slash and 200 letters is found by its path', async () => {
    const name = `hf.co/${'x'.repeat(200)}:Q4`;
    const response = await world.control('PATCH', `/api/v1/models/${encodeURIComponent(name)}`, { exposed: false });
    expect([204, 404]).toContain(response.status);
    if (response.status === 404) expect((await problem(response))['code']).toBe('MODEL_UNKNOWN');
  });

  test('shutdown is asked once the answer is on its way', async () => {
    expect((await world.control('POST', '/api/v1/shutdown', {})).status).toBe(202);
    expect(world.shutdowns.count).toBe(1);
  });
});

describe('gateway keys', () => {
  test('a key is shown once, opens the gateway, and is refused at once when revoked', async () => {
    const made = (await (await world.control('POST', '/api/v1/keys', { name: 'tool' })).json()) as { key: string };
    const list = await (await world.control('GET', '/api/v1/keys')).text();
    expect(list).toContain('"tool"');
    expect(list).not.toContain(made.key);
    const ask = () => raw(world.base, { path: '/v1/models', headers: { authorization: `Bearer ${made.key}` } });
    expect((await ask()).status).toBe(200);
    expect((await (await world.control('GET', '/api/v1/keys')).json()) as object).toMatchObject({
      keys: [{ name: 'tool', lastUsedMs: expect.any(Number) as number }],
    });
    expect((await world.control('POST', '/api/v1/keys', { name: 'tool' })).status).toBe(409);
    expect((await world.control('DELETE', '/api/v1/keys/tool')).status).toBe(204);
    expect((await ask()).status).toBe(401);
  });
});

describe('refusals speak the protocol that was asked', () => {
  test.each([
    [
      '/v1/models',
      (body: Record<string, never>) =>
        expect(body).toMatchObject({
          error: { message: expect.any(String) as string, type: 'invalid_request_error', code: 'TOKEN_WRONG' },
        }),
    ],
    [
      '/api/tags',
      (body: Record<string, never>) =>
        expect(body).toMatchObject({ error: expect.any(String) as string, code: 'TOKEN_WRONG' }),
    ],
    [
      '/api/v1/node',
      (body: Record<string, never>) =>
        expect(body).toMatchObject({ code: 'TOKEN_WRONG', status: 401, hint: expect.any(String) as string }),
    ],
  ])('%s', async (path, check) => {
    const { body, headers } = await raw(world.base, { path, headers: { authorization: 'Bearer nonsense' } });
    expect(headers['www-authenticate']).toContain('Bearer');
    check(JSON.parse(body) as Record<string, never>);
  });

  test('a device that nobody paired is a 404 in the shape of each gateway, with the names there are', async () => {
    const ask = async (path: string, body: object) => {
      const answer = await raw(world.base, { method: 'POST', path, headers: json, body: JSON.stringify(body) });
      return [answer.status, JSON.parse(answer.body)];
    };
    const message = 'no device is paired yet, so none is called "nobody"';
    const [model, messages] = ['echo@nobody', [{ role: 'user', content: 'hi' }]];
    const openai = { error: { message, type: 'invalid_request_error', param: null, code: 'DEVICE_UNKNOWN' } };
    expect(await ask('/v1/chat/completions', { model, messages })).toEqual([404, openai]);
    expect(await ask('/v1/completions', { model, prompt: 'hi' })).toEqual([404, openai]);
    expect(await ask('/v1/embeddings', { model, input: 'hi' })).toEqual([404, openai]);
    expect(await ask('/api/chat', { model, messages })).toEqual([404, { error: message }]);
    expect(await ask('/api/generate', { model, prompt: 'hi' })).toEqual([404, { error: message }]);
    expect(await ask('/api/show', { model })).toEqual([404, { error: message }]);
    expect(await ask('/api/embed', { model, input: 'hi' })).toEqual([404, { error: message }]);
  });

  test('an unknown route of each gateway is a 404 in its shape', async () => {
    const openai = await raw(world.base, { method: 'POST', path: '/v1/nothing', headers: json, body: '{}' });
    expect(openai.status).toBe(404);
    expect(JSON.parse(openai.body)).toMatchObject({ error: { message: expect.any(String) as string } });
    const ollama = await raw(world.base, {
      method: 'POST',
      path: '/api/delete',
      headers: json,
      body: '{"model":"echo"}',
    });
    expect(ollama.status).toBeGreaterThanOrEqual(400);
    expect(ollama.status).toBeLessThan(500);
    expect(JSON.parse(ollama.body)).toMatchObject({ error: expect.any(String) as string });
  });
});

describe('pages', () => {
  test('the dashboard and the guest page come with a policy that runs only our scripts', async () => {
    for (const [path, title, connect] of [
      ['/', 'dashboard', "connect-src 'self';"],
      ['/chat', 'dashboard', "connect-src 'self';"],
      ['/s', 'guest', "connect-src 'self' ws: wss:;"],
    ] as const) {
      const { status, headers, body } = await raw(world.base, { path, headers: { accept: 'text/html' } });
      expect(status).toBe(200);
      expect(body).toContain(title);
      expect(headers['content-security-policy']).toContain("script-src 'self';");
      expect(headers['content-security-policy']).toContain(connect);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
    const asset = await raw(world.base, { path: '/assets/app-1.js' });
    expect(asset.headers['cache-control']).toContain('immutable');
    expect(await raw(world.base, { method: 'HEAD', path: '/s' })).toMatchObject({ status: 200, body: '' });
    expect((await raw(world.base, { path: '/s', headers: { range: 'bytes=1-5' } })).body).toBe('title');
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2Fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '//../secret.txt',
    '/assets/app-1.js%00.html',
  ])('%s shows no file beside the pages', async (path) => {
    const { status, body } = await raw(world.base, { path });
    expect(status).toBe(404);
    expect(body).not.toContain('secret');
  });

  test('the page for training may compute, and stands alone among origins', async () => {
    const { status, headers, body } = await raw(world.base, { path: '/t', headers: { accept: 'text/html' } });
    expect([status, body]).toEqual([200, '<title>train</title>']);
    expect(headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(headers['cross-origin-embedder-policy']).toBe('require-corp');
  });

  test.each(['/s', '/t'])('%s/ leads to it without the stroke, where the files of the page are found', async (page) => {
    const { status, headers } = await raw(world.base, { path: `${page}/` });
    expect([status, headers['location']]).toEqual([308, page]);
  });

  test('an unknown path is a 404 for a program, and a POST to a page too', async () => {
    expect((await raw(world.base, { path: '/nothing' })).status).toBe(404);
    expect((await raw(world.base, { path: '/nothing.js', headers: { accept: 'text/html' } })).status).toBe(404);
    expect((await raw(world.base, { method: 'POST', path: '/', body: 'x' })).status).toBe(404);
  });
});

test('/metrics is Prometheus text with no peer id in it', async () => {
  const { body, headers } = await raw(world.base, { path: '/metrics' });
  expect(headers['content-type']).toContain('version=0.0.4');
  const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
  const labels = String.raw`(?:\{(?:${name}="(?:[^"\\\n]|\\.)*",?)*\})?`;
  const line = new RegExp(String.raw`^(?:# (?:HELP|TYPE) ${name} .+|${name}${labels} (?:[-+0-9.eE]+|NaN|[-+]Inf))$`);
  for (const one of body
    .trimEnd()
    .split('\n')
    .filter((text) => text !== ''))
    expect(one).toMatch(line);
  expect(body).toContain('peerai_ledger_entries ');
  for (const one of ['messages_waiting', 'mailboxes', 'messages_ended_total{state="delivered"}'])
    expect(body).toContain(`peerai_${one} 0\n`);
  expect(body).toMatch(/peerai_auth_failures_total\{code="TOKEN_WRONG"\} [1-9]/);
  expect(body).not.toContain(world.peer.id);
});

test('/metrics tells what was answered before anybody asked for it, in buckets that add up', async () => {
  const { body } = await raw(world.base, { path: '/metrics' });
  const rows = [...body.matchAll(/^peerai_http_request_seconds_bucket\{le="([^"]+)",route="control"\} (\d+)$/gmu)];
  const counts = rows.map(([, , count]) => Number(count));
  expect(rows.map(([, end]) => end)).toEqual(['0.005', '0.02', '0.1', '0.5', '2', '10', '60', '+Inf']);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts.at(-1)).toBeGreaterThan(0);
  expect(body).toContain(`peerai_http_request_seconds_count{route="control"} ${counts.at(-1)}\n`);
  expect(body).toMatch(/^peerai_http_request_seconds_sum\{route="control"\} \d/mu);
  expect(body).toContain('peerai_receipts_signed_total 0\n');
});

test('reputation is of peers that are known', async () => {
  const list = await world.control('GET', '/api/v1/reputation');
  expect(await list.json()).toEqual({ v: 1, peers: [], strangerScore: 0.3, refuseBelow: 0.2, admissionMin: 0.25 });
  for (const [method, path] of [
    ['GET', '/api/v1/reputation/nobody'],
    ['DELETE', '/api/v1/reputation/nobody/refusal'],
  ] as const) {
    const answer = await world.control(method, path);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'DEVICE_UNKNOWN']);
  }
});

test('the docs describe every control route with its body', async () => {
  const document = (await (await world.control('GET', '/docs-json')).json()) as {
    paths: Record<
      string,
      Record<
        string,
        { requestBody?: { content: Record<string, { schema: Record<string, unknown> }> }; security?: unknown }
      >
    >;
  };
  expect(Object.keys(document.paths).toSorted()).toEqual(
    expect.arrayContaining([
      '/api/network/peers',
      '/api/network/send',
      '/api/v1/chat',
      '/api/v1/doctor',
      '/api/v1/events',
      '/api/v1/keys',
      '/api/v1/ledger/verify',
      '/api/v1/messages',
      '/api/v1/models',
      '/api/v1/node',
      '/api/v1/pairings/join',
      '/api/v1/peers',
      '/api/v1/shares',
    ]),
  );
  const share = document.paths['/api/v1/shares']?.['post']?.requestBody?.content['application/json']?.schema;
  expect(JSON.stringify(share ?? {})).toContain('"concurrency"');
  for (const [path, method] of [
    ['/api/v1/chat', 'post'],
    ['/api/v1/pairings', 'post'],
    ['/api/v1/peers/{id}', 'patch'],
    ['/api/v1/keys', 'post'],
    ['/api/network/send', 'post'],
  ] as const) {
    expect(document.paths[path]?.[method]?.requestBody, `${method} ${path}`).toBeDefined();
  }
});

test('health says live always, and ready with what is broken', async () => {
  expect(JSON.parse((await raw(world.base, { path: '/health/live' })).body)).toEqual({ status: 'live' });
  expect(JSON.parse((await raw(world.base, { path: '/health/ready' })).body)).toEqual({ status: 'ready', broken: [] });
});

test('a client that sends its request too slowly does not keep others from being answered', async () => {
  const { port } = new URL(world.base);
  const slow = Array.from({ length: 50 }, () =>
    connect(Number(port), '127.0.0.1', function write(this: { write(text: string): void }) {
      this.write('POST /api/v1/chat HTTP/1.1\r\nHost: 127.');
    }),
  );
  await vi.waitFor(async () => expect((await raw(world.base, { path: '/health/live' })).status).toBe(200));
  for (const socket of slow) socket.destroy();
});
