import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliveryView, FilesView, FileView, MessageView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, ended, homes, pairUp, start, up } from '../../test/cli.ts';

const folders = homes();
const place = mkdtempSync(join(tmpdir(), 'peerai-files-'));
const path = join(place, 'a file.bin');
const content = randomBytes(1_700_000);
// A minute on its way: it is cancelled long before, however busy this machine is.
const large = join(place, 'large.bin');
const largeBytes = 12_000_000;
const sha256 = createHash('sha256').update(content).digest('hex');
const laptopHome = folders.make();
const laptopEnv = { PEERAI_NETWORK__NAME: 'laptop', PEERAI_HTTP__PORT: '0' };
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  writeFileSync(path, content);
  writeFileSync(large, new Uint8Array(largeBytes));
  // So slow that a file of 1.7 MB is on its way for a while.
  const env = { PEERAI_NETWORK__NAME: 'desk', PEERAI_HTTP__PORT: '0', PEERAI_PERFORMANCE__BANDWIDTH: '400KB' };
  [desk, laptop] = await Promise.all([up(folders.make(), { env }), up(laptopHome, { env: laptopEnv })]);
  await pairUp(desk, laptop);
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
  rmSync(place, { recursive: true, force: true });
});

const filesOf = async (agent: Agent): Promise<readonly FileView[]> => (await agent.json<FilesView>(['files'])).files;
const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 60_000, interval: 250 });

test(
  'a file is sent with its progress as lines, over kill -9 of its receiver, and lies whole in its home',
  { timeout: 180_000 },
  async () => {
    const sending = start(['send', 'laptop', '--file', path, '--json'], { home: desk.home });
    const movedOf = async (): Promise<number> => (await filesOf(laptop))[0]?.movedBytes ?? 0;
    await eventually(async () => expect(await movedOf()).toBeGreaterThan(780_000));
    await laptop.end('SIGKILL');
    laptop = await up(laptopHome, { env: laptopEnv });
    expect(await movedOf()).toBeGreaterThan(780_000);
    const { code, stdout } = await ended(sending, 120_000);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { progress?: FileView; file?: FileView });
    expect(code).toBe(0);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.at(-1)).toMatchObject({
      v: 1,
      file: { state: 'done', sha256, bytes: content.length, movedBytes: content.length },
    });
    const [file, more] = await filesOf(laptop);
    expect([file?.state, more]).toEqual(['done', undefined]);
    expect(file?.path?.startsWith(join(laptopHome, 'files', 'received'))).toBe(true);
    expect(
      createHash('sha256')
        .update(readFileSync(file?.path ?? ''))
        .digest('hex'),
    ).toBe(sha256);
    const { messages } = await laptop.json<{ messages: MessageView[] }>(['inbox']);
    expect(messages).toMatchObject([{ kind: 'file', payload: { name: 'a file.bin', file: file?.id } }]);

    expect((await laptop.run(['files'])).stdout).toMatch(
      /from desk {2}done {3}1\.6 MiB .*a file\.bin\n\nReceived files take 1\.6 MiB of 2\.0 GiB\./su,
    );
    expect((await laptop.run(['files', 'rm', (file?.id ?? '').slice(0, 8)])).stdout).toBe('Removed.\n');
    expect(() => readFileSync(file?.path ?? '')).toThrow('ENOENT');
    expect(await laptop.run(['files', 'rm', file?.id ?? ''])).toMatchObject({ code: 5 });
  },
);

test('Ctrl-C cancels a file on both sides, and so does either owner', { timeout: 120_000 }, async () => {
  const sending = start(['send', 'laptop', '--file', large, '--json'], { home: desk.home });
  await eventually(async () => expect(sending.told.stdout).toMatch(/"movedBytes":[1-9]/u));
  sending.kill('SIGINT');
  expect((await ended(sending)).code).toBe(130);
  const ofBoth = async () => [(await filesOf(desk))[0]?.state, (await filesOf(laptop))[0]?.state];
  await eventually(async () => expect(await ofBoth()).toEqual(['cancelled', 'cancelled']));

  const { file } = await desk.json<{ file: FileView }>(['send', 'laptop', '--file', large, '--queue']);
  expect(file).toMatchObject({ state: 'moving', bytes: largeBytes });
  await eventually(async () => expect((await filesOf(laptop))[0]).toMatchObject({ state: 'moving' }));
  expect((await laptop.run(['files', 'cancel', (await filesOf(laptop))[0]?.id ?? ''])).stdout).toBe(
    'The file is cancelled.\n',
  );
  await eventually(async () => expect((await filesOf(desk))[0]).toMatchObject({ state: 'refused', code: 'CANCELLED' }));
  expect(await desk.run(['files', 'cancel', file.id])).toMatchObject({ code: 5 });
});

test('a file whose upload breaks leaves nothing behind', { timeout: 60_000 }, async () => {
  const before = (await filesOf(desk)).length;
  const folder = join(desk.home, 'files', 'sending');
  const sending = (): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
  await eventually(async () => expect(sending()).toEqual([]));
  const headers = {
    authorization: `Bearer ${readFileSync(join(desk.home, 'token'), 'utf8').trim()}`,
    'content-type': 'application/octet-stream',
    'content-length': '3000000',
  };
  const upload = request(`${desk.info.api}/api/v1/files?to=laptop&name=broken`, { method: 'POST', headers });
  upload.on('error', () => undefined).write(new Uint8Array(1_500_000));
  await eventually(async () => expect(sending()).toHaveLength(1));
  upload.destroy();
  await eventually(async () => expect(sending()).toEqual([]));
  expect(await filesOf(desk)).toHaveLength(before);
});

test(
  'what is queued for a device that is down is there when it is back, in order and once',
  { timeout: 120_000 },
  async () => {
    await laptop.end();
    const { delivery } = await desk.json<{ delivery: DeliveryView }>(['send', 'laptop', 'hi', '--queue']);
    expect(delivery.state).toBe('queued');
    expect((await desk.run(['send', 'laptop', 'there', '--queue'])).stdout).toBe(
      'Queued: sent when the device is there.\n',
    );
    const small = join(place, 'small.txt');
    writeFileSync(small, 'small');
    // Without the flag too: nothing went over, and nobody knows when it will.
    expect((await desk.run(['send', 'laptop', '--file', small])).stdout).toBe(
      'Queued: sent when the device is there.\n',
    );
    laptop = await up(laptopHome, { env: laptopEnv });
    await eventually(async () => {
      const { messages } = await laptop.json<{ messages: MessageView[] }>(['inbox']);
      expect(messages.filter(({ kind }) => kind === 'text').map(({ payload }) => payload)).toEqual(['hi', 'there']);
      expect((await filesOf(laptop))[0]).toMatchObject({ name: 'small.txt', state: 'done' });
    });
  },
);

test.each([
  [['send', 'laptop', '--file', '/does/not/exist'], 2],
  [['send', 'laptop', '--file', '/'], 2],
  [['send', 'laptop', 'text', '--file', 'x'], 2],
  [['send', 'all', '--file', 'x'], 2],
  [['send', 'nobody', '--file', path], 1],
  [['files', 'cancel', '0123456789'], 1],
])('%j ends with status %i', async (words, code) => {
  expect(await desk.run(words)).toMatchObject({ code });
});
