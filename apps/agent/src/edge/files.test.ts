import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { fileMethod } from '@peerai/messaging';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { raw, testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const sender = createIdentity(nodeCrypto, new Uint8Array(32).fill(7)).peer;
const content = new Uint8Array(300_000).map((_, place) => place % 251);

/** A file of this name came; gives its id here. */
async function received(name: string, seed: number, bytes = content): Promise<string> {
  const transfer = new Uint8Array(16).fill(seed);
  const ask = (question: Parameters<typeof fileMethod.request.encode>[0]) =>
    world.peer.files.answerHttp(sender, fileMethod.request.encode(question), () => undefined);
  await ask({ transfer, step: 'offer', offer: { name, size: bytes.length, sha256: nodeCrypto.sha256(bytes) } });
  for (let index = 0; index * 262_144 < bytes.length; index += 1) {
    await ask({ transfer, step: 'piece', index, data: bytes.slice(index * 262_144, (index + 1) * 262_144) });
  }
  const { files } = await world.peer.files.list();
  return files.find((file) => file.name === name)?.id ?? '';
}
const download = (id: string) => world.control('GET', `/api/v1/files/${id}/content`);

test('a received file is given out whole, to be saved and never shown, for the owner alone', async () => {
  const id = await received('photo of läpp.html', 1);
  const answer = await download(id);
  expect(answer.status).toBe(200);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': '300000',
    'content-disposition': `attachment; filename="photo of l_pp.html"; filename*=UTF-8''photo%20of%20l%C3%A4pp.html`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect((await download(id.slice(0, 8))).status).toBe(200);
  expect((await raw(world.base, { path: `/api/v1/files/${id}/content` })).status).toBe(401);
});

test.each([
  ['a"; filename="b.exe', 'a__ filename__b.exe'],
  ['../../etc/passwd', 'passwd'],
  ['line\r\nset-cookie: a=b', 'line__set-cookie_ a_b'],
  ['x\u202Egpj.exe', 'x_gpj.exe'],
  ["it's (1)*.txt", 'it_s (1)_.txt'],
])('the name %j cannot leave its header or its folder', async (name, saved) => {
  const answer = await download(await received(name, name.length));
  expect(answer.headers.get('set-cookie')).toBeNull();
  const whole = saved.replaceAll(' ', '%20').replace('(', '%28').replace(')', '%29');
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${saved}"; filename*=UTF-8''${whole}`);
});

test('an empty file is an empty answer; what is not here (any more) is said with its code', async () => {
  const empty = await received('empty', 40, new Uint8Array());
  expect(await (await download(empty)).text()).toBe('');
  const gone = await received('gone', 41);
  await world.control('DELETE', `/api/v1/files/${gone}`);
  expect(await (await download(gone)).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  const deleted = await received('deleted with another program', 42);
  world.shelf.files.delete(`received/${deleted.slice(0, 8)}-deleted with another program`);
  expect(await (await download(deleted)).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect(await (await download('none')).json()).toMatchObject({ status: 404, code: 'FILE_UNKNOWN' });
});

test('a file that was cut by another program ends as a broken answer, never as a short one', async () => {
  const id = await received('cut', 43);
  const place = `received/${id.slice(0, 8)}-cut`;
  world.shelf.files.set(place, content.slice(0, 280_000));
  const answer = await download(id);
  await expect(answer.arrayBuffer()).rejects.toThrow();
  expect((await world.control('GET', '/api/v1/node')).status).toBe(200);
});

test.each(['@team', 'all', 'a,b'])('a file to %s is refused: it goes to one device', async (to) => {
  const query = new URLSearchParams({ to, name: 'x' }).toString();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
  const answer = await fetch(`${world.base}/api/v1/files?${query}`, { method: 'POST', headers, body: 'x' });
  expect(await answer.json()).toMatchObject({ status: 400, code: 'UNSUPPORTED' });
});
