import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { raw, testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const json = { 'content-type': 'application/json' };
const makeCode = async (): Promise<string> => {
  const made = await world.control('POST', '/api/v1/session-codes', {});
  expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
  const { code, expiresInMs } = (await made.json()) as { code: string; expiresInMs: number };
  expect(expiresInMs).toBe(60_000);
  return code;
};
const begin = (code: unknown, headers: Record<string, string> = {}) =>
  raw(world.base, {
    method: 'POST',
    path: '/api/v1/session',
    headers: { ...json, ...headers },
    body: JSON.stringify({ code }),
  });

describe('a code', () => {
  test('is made for the control token alone', async () => {
    const ask = (headers: Record<string, string>) =>
      raw(world.base, { method: 'POST', path: '/api/v1/session-codes', headers: { ...json, ...headers }, body: '{}' });
    expect((await ask({})).status).toBe(401);
    const { key } = (await (await world.control('POST', '/api/v1/keys', { name: 'tool' })).json()) as { key: string };
    expect((await ask({ authorization: `Bearer ${key}` })).status).toBe(401);
  });

  test('is changed into the token once, by a caller without one', async () => {
    const code = await makeCode();
    const first = await begin(code, { origin: world.base });
    expect([first.status, JSON.parse(first.body), first.headers['cache-control']]).toEqual([
      200,
      { v: 1, token },
      'no-store',
    ]);
    const again = await begin(code);
    expect([again.status, JSON.parse(again.body)]).toMatchObject([401, { code: 'TOKEN_WRONG' }]);
    expect(again.body).not.toContain(token);
  });

  test.each<[string, unknown, number]>([
    ['is none', 'nonsense', 401],
    ['is empty', '', 400],
    ['is too long', 'x'.repeat(65), 400],
    ['is no text', 7, 400],
    ['is missing', undefined, 400],
  ])('that %s opens nothing', async (_name, code, status) => {
    expect((await begin(code)).status).toBe(status);
  });

  test('is of no use to a page of another site or under another name', async () => {
    const code = await makeCode();
    expect((await begin(code, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await begin(code, { host: 'evil.example' })).status).toBe(403);
    expect((await begin(code)).status).toBe(200);
  });

  test('is no token', async () => {
    const authorization = `Bearer ${await makeCode()}`;
    expect((await raw(world.base, { path: '/api/v1/node', headers: { authorization } })).status).toBe(401);
    expect((await raw(world.base, { path: '/v1/models', headers: { authorization } })).status).toBe(401);
  });

  test.each(['/api/v1/session/', '/api/v1/session;x', '/api/v1/session/../node', '/api/v1/sessions'])(
    'does not make %s a way in',
    async (path) => {
      const { status, body } = await raw(world.base, { path });
      expect([401, 404]).toContain(status);
      expect(body).not.toContain(world.peer.id);
    },
  );

  test('opens the docs once, and leaves the address', async () => {
    const path = `/docs?code=${await makeCode()}`;
    const first = await raw(world.base, { path });
    expect([first.status, first.headers['location']]).toEqual([303, '/docs']);
    expect(first.headers['set-cookie']?.[0]).toMatch(/^peerai_docs=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/docs$/);
    const again = await raw(world.base, { path });
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined]);
  });
});
