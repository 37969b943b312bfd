import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const runs = 2_000;
const chat = { model: 'echo', messages: [{ role: 'user', content: 'hello there' }] };
/** A good body for each route that takes one. */
const seeds: readonly (readonly [string, string, object])[] = [
  ['POST', '/api/v1/chat', { model: 'echo', messages: [{ role: 'user', text: 'a' }], maxTokens: 4 }],
  ['POST', '/api/v1/pairings', { allow: ['chat'] }],
  ['POST', '/api/v1/pairings/join', { link: 'peerai://pair/AQIDBAUGBwgJ' }],
  ['POST', '/api/v1/shares', { model: 'echo', forMs: 1000, tokens: 10, guests: 1, concurrency: 1 }],
  ['POST', '/api/v1/messages', { to: 'somebody', kind: 'text', payload: { a: [1, 2] } }],
  ['POST', '/api/v1/broadcasts', { to: ['somebody'], kind: 'text', payload: 1 }],
  ['POST', '/api/v1/state', { name: 'a', members: [] }],
  ['PATCH', '/api/v1/state/a', { set: { key: { a: [1] } }, remove: ['b'], text: 'hello' }],
  ['POST', '/api/v1/state/a/members', { peers: ['somebody'] }],
  ['POST', '/api/v1/training/runs', { name: 'a', data: 'b', model: { kind: 'mlp', label: 'c', hidden: [8] } }],
  ['POST', '/api/v1/training/offers/a/join', { data: 'b', accept: true }],
  ['POST', '/api/v1/training/runs/a/links', { forMs: 60_000, visitors: 2, data: 'b' }],
  ['POST', '/api/v1/keys', { name: 'a' }],
  ['PATCH', '/api/v1/peers/somebody', { name: 'a', allow: ['chat'], blocked: false }],
  ['PATCH', '/api/v1/models/echo', { exposed: true }],
  ['POST', '/api/network/peers', { action: 'add', peer_address: 'p2p://a@b' }],
  ['POST', '/api/network/send', { target: ['a'], message: 'hi' }],
  ['POST', '/v1/chat/completions', { ...chat, max_tokens: 4, temperature: 1, stop: ['x'] }],
  ['POST', '/v1/completions', { model: 'echo', prompt: 'a', max_tokens: 4 }],
  ['POST', '/v1/embeddings', { model: 'echo', input: ['a', 'b'], encoding_format: 'base64' }],
  ['POST', '/api/chat', { ...chat, stream: false, options: { num_predict: 4 } }],
  ['POST', '/api/generate', { model: 'echo', prompt: 'a', stream: false }],
  ['POST', '/api/embed', { model: 'echo', input: 'a' }],
  ['POST', '/api/show', { model: 'echo' }],
];

/** One value somewhere in a body becomes another one, or the text of the body is cut or altered. */
const mutation = fc.record({
  seed: fc.constantFrom(...seeds),
  place: fc.nat(),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(-1, 0, 1e308, '', '\u0000', [], {}, null, 'x'.repeat(300), 2 ** 53),
  ),
  bytes: fc.option(fc.record({ at: fc.nat(), text: fc.string({ unit: 'binary', maxLength: 3 }) }), { freq: 3 }),
});

function places(value: unknown, set: (replaced: unknown) => unknown): ((replaced: unknown) => unknown)[] {
  const here = [set];
  if (typeof value !== 'object' || value === null) return here;
  for (const [name, one] of Object.entries(value)) {
    here.push(
      ...places(one, (replaced) =>
        set(Array.isArray(value) ? value.with(Number(name), replaced) : { ...value, [name]: replaced }),
      ),
    );
  }
  return here;
}

test(`${runs} broken bodies on every route: never a 500, and alive after`, { timeout: 60_000 }, async () => {
  const started = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(mutation, async ({ seed: [method, path, good], place, value, bytes }) => {
      const all = places(good, (replaced) => replaced);
      let body = JSON.stringify(all[place % all.length]?.(value));
      if (bytes !== null)
        body =
          body.slice(0, bytes.at % (body.length + 1)) + bytes.text + body.slice((bytes.at % (body.length + 1)) + 1);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const response = await fetch(`${world.base}${path}`, {
        method,
        headers,
        body,
        signal: AbortSignal.timeout(5_000),
      });
      const text = await response.text();
      started.set(response.status, (started.get(response.status) ?? 0) + 1);
      expect(response.status, `${method} ${path} ${body}\n${text}`).not.toBe(500);
      expect(text).not.toContain('INTERNAL');
    }),
    { numRuns: runs },
  );
  // Both ways were gone: refused bodies and good ones.
  expect(started.get(400)).toBeGreaterThan(100);
  expect(started.get(200)).toBeGreaterThan(20);
  expect(world.errors).toEqual([]);
  expect((await world.control('GET', '/api/v1/node')).status).toBe(200);
});
