import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEdge, type TestEdge } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

test.each([
  ['GET', '/api/v1/ledger/entries?limit=0', undefined, 400, 'INVALID_FORMAT'],
  ['GET', '/api/v1/ledger/proofs/x', undefined, 400, 'INVALID_FORMAT'],
  ['GET', '/api/v1/ledger/proofs/99', undefined, 404, 'NOT_IN_LOG'],
  ['GET', '/api/v1/ledger/page?from=-1', undefined, 400, 'INVALID_FORMAT'],
  ['GET', '/api/v1/ledger/entries?origin=', undefined, 400, 'INVALID_FORMAT'],
  ['POST', '/api/v1/ledger/evidence', { evidence: '' }, 400, 'INVALID_FORMAT'],
  ['POST', '/api/v1/ledger/pardons', { pardoned: true }, 400, 'INVALID_FORMAT'],
  ['GET', '/api/v1/ledger/entries?origin=nobody', undefined, 404, 'NOT_FOUND'],
  ['GET', '/api/v1/ledger/evidence/nobody', undefined, 404, 'NOT_FOUND'],
  ['POST', '/api/v1/ledger/evidence', { evidence: 'AAAA' }, 400, 'INVALID_FORMAT'],
  ['POST', '/api/v1/ledger/repair', {}, 404, 'NOT_FOUND'],
] as const)('%s %s with %j answers %i %s', async (method, path, body, status, code) => {
  const response = await world.control(method, path, body);
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
});

test('a log nobody else knows says so, and its messages have nothing to compare', async () => {
  const logs = await (await world.control('GET', '/api/v1/ledger/logs')).json();
  expect(logs).toMatchObject({ own: { size: 0, cosigners: [] }, copies: [], forked: [] });
  const check = await world.control('POST', '/api/v1/ledger/check', {});
  expect([check.status, await check.json()]).toEqual([200, expect.objectContaining({ ok: true, kept: 0 })]);
});
