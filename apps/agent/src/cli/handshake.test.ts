import type { HandshakeView, PeerSessionView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, pairUp, up } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  const env = { PEERAI_HTTP__PORT: '0' };
  [desk, laptop] = await Promise.all([
    up(folders.make(), { env: { ...env, PEERAI_NETWORK__NAME: 'desk' } }),
    up(folders.make(), { env: { ...env, PEERAI_NETWORK__NAME: 'laptop' } }),
  ]);
  await pairUp(desk, laptop);
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

test('a handshake shows the session as both sides have it, and both list it', { timeout: 90_000 }, async () => {
  expect(await desk.run(['handshake'])).toMatchObject({ code: 0, stdout: 'No session is open.\n' });
  // The address comes with the first hello.
  const three = await vi.waitFor(() => desk.json<HandshakeView>(['handshake', 'laptop']), {
    timeout: 20_000,
    interval: 250,
  });
  expect(three).toMatchObject({ state: 'established', steps: 3, theirId: three.id, name: 'laptop' });
  const { stdout } = await desk.run(['handshake', 'laptop', '--six']);
  expect(stdout).toMatch(/^state +established, in 6 steps\n/u);
  const [, id = 'none'] = /^session +(\S+)$/mu.exec(stdout) ?? [];
  expect(stdout).toMatch(new RegExp(`^session at laptop +${id}$`, 'mu'));
  const { sessions } = await laptop.json<{ sessions: PeerSessionView[] }>(['handshake']);
  expect(sessions.map((one) => one.id)).toEqual([three.id, id]);
  expect(await desk.run(['ping', 'laptop'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ ms · direct\n$/u),
  });
  expect(await desk.run(['handshake', 'nobody'])).toMatchObject({ code: 1 });
});
