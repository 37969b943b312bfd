import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const lease = '/api/v1/market/leases';
const offers = '/api/v1/market/offers';
test.each([
  [offers, {}, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: 'much' }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '1000' }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '0.1234567' }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '1', tokensMax: 0 }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '1', tokensMax: 100_000_001 }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '1', minutesMax: 43_201 }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'x'.repeat(129), credits: '1' }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'echo', credits: '1', more: true }, 400, 'INVALID_FORMAT'],
  [offers, { model: 'none', credits: '1' }, 404, 'MODEL_UNKNOWN'],
  [lease, { model: 'echo' }, 400, 'INVALID_FORMAT'],
  [lease, { peer: '', model: 'echo' }, 400, 'INVALID_FORMAT'],
  [lease, { peer: 'a', model: 'echo', tokens: 1.5 }, 400, 'INVALID_FORMAT'],
  [lease, { peer: 'a', model: 'echo', minutes: -1 }, 400, 'INVALID_FORMAT'],
  [lease, { peer: 'a', model: 'echo', creditsMax: '-1' }, 400, 'INVALID_FORMAT'],
  [lease, { peer: 'a', model: 'echo' }, 404, 'DEVICE_UNKNOWN'],
  [`${lease}/00000000/settle`, {}, 404, 'LEASE_UNKNOWN'],
  [`${lease}/0/dispute`, { reason: 'x' }, 404, 'LEASE_UNKNOWN'],
  [`${lease}/00000000/dispute`, { reason: '' }, 400, 'INVALID_FORMAT'],
  [`${lease}/00000000/dispute`, { reason: 'x'.repeat(501) }, 400, 'INVALID_FORMAT'],
  [`${lease}/00000000/dispute`, [], 400, 'INVALID_FORMAT'],
  [`${lease}/00000000/evidence`, { reason: 'x' }, 404, 'LEASE_UNKNOWN'],
  [`${lease}/00000000/evidence`, {}, 400, 'INVALID_FORMAT'],
  ['/api/v1/leases/00000000/end', {}, 404, 'LEASE_UNKNOWN'],
  ['/api/v1/leases/00000000/dispute', { reason: 'x' }, 404, 'LEASE_UNKNOWN'],
  ['/api/v1/leases/00000000/dispute', { reason: '' }, 400, 'INVALID_FORMAT'],
  ['/api/v1/leases/00000000/dispute', { reason: 'x'.repeat(501) }, 400, 'INVALID_FORMAT'],
  ['/api/v1/leases/00000000/evidence', { reason: 'x' }, 404, 'LEASE_UNKNOWN'],
  ['/api/v1/leases/00000000/evidence', {}, 400, 'INVALID_FORMAT'],
  ['/api/v1/governance/none/transfers', { peer: 'a', amountMicro: '1' }, 404, 'GROUP_UNKNOWN'],
  ['/api/v1/governance/none/transfers', { peer: 'a', amountMicro: '-1' }, 400, 'INVALID_FORMAT'],
  ['/api/v1/governance/none/rewards', { reason: 'gift', peer: 'a', subject: '' }, 400, 'INVALID_FORMAT'],
  [
    '/api/v1/governance/none/rewards',
    { reason: 'capsule', peer: 'a', subject: '0a'.repeat(32), quality: 1.01, novelty: 1 },
    400,
    'INVALID_FORMAT',
  ],
  [
    '/api/v1/governance/none/rewards',
    { reason: 'capsule', peer: 'a', subject: '0a'.repeat(32), quality: 1, novelty: 1 },
    404,
    'GROUP_UNKNOWN',
  ],
  ['/api/v1/market/evidence', {}, 400, 'INVALID_FORMAT'],
  ['/api/v1/market/evidence', { evidence: 'x'.repeat(65_537) }, 400, 'INVALID_FORMAT'],
  ['/api/v1/market/evidence', { evidence: 'none' }, 400, 'INVALID_FORMAT'],
  ['/api/v1/market/evidence', { evidence: '{"v":1,"lease":"","reason":"","documents":[]}' }, 404, 'NOT_FOUND'],
] as const)('POST %s with %j answers %i %s', async (path, body, status, code) => {
  const response = await world.control('POST', path, body);
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
});

const storage = '/api/v1/market/storage';
test.each([
  ['POST', `${storage}/offers`, {}, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/offers`, { bytes: 0, credits: '1' }, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/offers`, { bytes: 17_592_186_044_417, credits: '1' }, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/offers`, { bytes: 1, credits: '1', minutesMax: 43_201 }, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/leases`, { peer: 'a', bytes: 17_179_869_185 }, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/leases`, { peer: 'a', bytes: 1 }, 404, 'DEVICE_UNKNOWN'],
  ['POST', `${storage}/leases/00000000/prove`, {}, 404, 'LEASE_UNKNOWN'],
  ['POST', `${storage}/leases/00000000/files`, {}, 400, 'INVALID_FORMAT'],
  ['POST', `${storage}/leases/00000000/files?name=a`, {}, 400, 'INVALID_FORMAT'],
  ['GET', `${storage}/files/none/content`, undefined, 404, 'FILE_UNKNOWN'],
  ['DELETE', `${storage}/files/none`, undefined, 404, 'FILE_UNKNOWN'],
  ['DELETE', `${storage}/offers`, undefined, 404, 'NOT_OFFERED'],
] as const)('%s %s with %j answers %i %s', async (method, path, body, status, code) => {
  const response = await world.control(method, path, body);
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
});

test('room for bytes is offered and withdrawn, and a file needs a lease', async () => {
  const offered = await world.control('POST', `${storage}/offers`, { bytes: 17_592_186_044_416, credits: '0.001' });
  const offer = { unitPriceMicro: '1000', freeBytes: 17_592_186_044_416, minutesMax: 43_200 };
  expect([offered.status, await offered.json()]).toEqual([
    200,
    expect.objectContaining({ offer: expect.objectContaining(offer) as object }),
  ]);
  const put = await fetch(`${world.base}${storage}/leases/00000000/files?name=a`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: 'some bytes',
  });
  expect([put.status, ((await put.json()) as { code: string }).code]).toEqual([404, 'LEASE_UNKNOWN']);
  expect(await (await world.control('DELETE', `${storage}/offers`)).json()).toMatchObject({ offer: null });
});

test('what is offered is listed and withdrawn, and what is not says so', async () => {
  const offered = await world.control('POST', offers, { model: 'echo', credits: '999.999999' });
  expect([offered.status, await offered.json()]).toEqual([
    200,
    expect.objectContaining({ offers: [expect.objectContaining({ model: 'echo', unitPriceMicro: '999999999' })] }),
  ]);
  expect((await world.control('DELETE', `${offers}/echo`)).status).toBe(200);
  const again = await world.control('DELETE', `${offers}/echo`);
  expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([404, 'NOT_OFFERED']);
});
