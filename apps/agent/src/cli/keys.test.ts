import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerVerification, NodeView, PeerView, RotationView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, pairUp, upAs } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  [desk, laptop] = await Promise.all([upAs('desk', folders.make()), upAs('laptop', folders.make())]);
  await pairUp(desk, laptop);
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});
const laptopAtDesk = async (): Promise<PeerView | undefined> =>
  (await desk.json<{ peers: PeerView[] }>(['peers', 'ls'])).peers.find(({ name }) => name === 'laptop');

test('a fingerprint is right in each of its forms, and anything else is status 6', { timeout: 60_000 }, async () => {
  const { fingerprint } = await laptop.json<NodeView>(['key', 'show']);
  for (const form of [fingerprint.words.join(' '), fingerprint.emoji.join(''), fingerprint.hex.toUpperCase()])
    expect(await desk.run(['peers', 'verify', 'laptop', form])).toMatchObject({ code: 0 });
  const wrong = await desk.run([
    'peers',
    'verify',
    'laptop',
    fingerprint.hex.replace(/^./, (one) => (one === '0' ? '1' : '0')),
  ]);
  expect([wrong.code, wrong.stderr]).toEqual([6, expect.stringContaining('FINGERPRINT_WRONG')]);
  expect((await desk.run(['peers', 'verify', 'laptop'])).stdout).toContain(fingerprint.words.join(' '));
});

test(
  'a device that changed its key is the same device at its friends, and answers go on',
  { timeout: 90_000 },
  async () => {
    const { rotation } = await laptop.json<{ rotation: RotationView }>(['key', 'rotate', '--grace', '1h']);
    expect(rotation.from).toBe(laptop.info.peerId);
    expect(statSync(join(laptop.home, 'identity.key')).mode & 0o777).toBe(0o600);
    expect((await laptop.end()).code).toBe(0);
    laptop = await upAs('laptop', laptop.home);
    expect(laptop.info.peerId).toBe(rotation.to);
    await vi.waitFor(async () => expect(await laptopAtDesk()).toMatchObject({ peerId: rotation.to, state: 'online' }), {
      timeout: 30_000,
      interval: 300,
    });
    await vi.waitFor(
      async () => expect((await laptop.run(['run', 'echo', 'hi', '--peer', 'desk'])).stdout).toBe('echo: hi\n'),
      {
        timeout: 20_000,
        interval: 500,
      },
    );
    expect(await laptop.json<LedgerVerification>(['ledger', 'verify'])).toMatchObject({ ok: true });
  },
);

test('a device that revoked its key is blocked, and not let in again by hand', { timeout: 60_000 }, async () => {
  expect((await laptop.run(['key', 'revoke', '--identity'])).code).toBe(2);
  expect((await laptop.run(['key', 'revoke', '--identity', '-y'])).stdout).toBe(
    '1 of 1 device heard it and refuse this key.\n',
  );
  expect(await laptopAtDesk()).toMatchObject({ state: 'blocked' });
  expect((await desk.run(['peers', 'unblock', 'laptop'])).code).toBe(5);
});
