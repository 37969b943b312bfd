import type { Check, NetView, PeerView, TraceView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, pairUp, up } from '../../test/cli.ts';

const folders = homes();
const patient = { timeout: 20_000, interval: 250 };
/** A device that is away is dialled at least this often. */
const redialled = { timeout: 75_000, interval: 500 };
let desk: Agent;
let laptop: Agent;
beforeAll(async () => {
  const start = (name: string) => up(folders.make(), { env: { PEERAI_NETWORK__NAME: name } });
  [desk, laptop] = await Promise.all([start('desk'), start('laptop')]);
  await pairUp(desk, laptop, 'chat');
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  folders.remove();
});

const deskAsSeen = async (): Promise<PeerView | undefined> =>
  (await laptop.json<{ peers: PeerView[] }>(['peers', 'ls'])).peers.find(({ name }) => name === 'desk');

test('who can reach this peer is said in words and as data', { timeout: 60_000 }, async () => {
  const net = await laptop.json<NetView>(['net']);
  expect(net).toMatchObject({ v: 1, reachability: { scope: 'machine' }, behindRouter: null, relays: [] });
  expect(net.addresses.every(({ scope }) => scope === 'machine')).toBe(true);
  expect((await laptop.run(['net'])).stdout).toContain('Only programs on this machine can dial this peer.');
});

test('a device that is here is traced step by step', { timeout: 60_000 }, async () => {
  const trace = await laptop.json<TraceView>(['peers', 'trace', 'desk']);
  expect(trace).toMatchObject({ v: 1, name: 'desk', reached: true, trouble: null });
  expect(trace.steps.map(({ step, code }) => `${step} ${code}`)).toEqual(
    expect.arrayContaining(['dial OK', 'encrypt OK', 'upgrade OK', 'protocol OK']),
  );
  const shown = await laptop.run(['peers', 'trace', 'desk']);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/✓ \/ip4\/127\.0\.0\.1\/tcp\/\d+ +dial \d+ ms → encrypt \d+ ms → upgrade \d+ ms/);
  expect(shown.stdout).toContain('✓ desk answers.');
});

test(
  'a device that blocked us: the connection is closed without a word, and that is said',
  { timeout: 60_000 },
  async () => {
    await desk.json(['peers', 'block', 'laptop']);
    await vi.waitFor(async () => expect((await deskAsSeen())?.trouble?.code).toBe('CLOSED_AFTER_HANDSHAKE'), patient);
    expect(await laptop.json<TraceView>(['peers', 'trace', 'desk'])).toMatchObject({
      reached: false,
      trouble: { step: 'upgrade', code: 'CLOSED_AFTER_HANDSHAKE' },
    });
    await desk.json(['peers', 'unblock', 'laptop']);
    await vi.waitFor(async () => expect((await deskAsSeen())?.state).toBe('online'), patient);
    expect(await deskAsSeen()).not.toHaveProperty('trouble');
  },
);

test(
  'a device that is off: the list, the doctor and a trace say at which step it ends',
  { timeout: 120_000 },
  async () => {
    await desk.end();
    // An attempt that met its end says that the connection was lost; the next one finds nobody.
    await vi.waitFor(async () => expect((await deskAsSeen())?.trouble?.code).toBe('NOBODY_LISTENS'), redialled);
    const { checks } = await laptop.json<{ checks: Check[] }>(['doctor']);
    expect(checks.find(({ title }) => title === 'desk')).toMatchObject({
      state: 'look',
      cause: expect.stringContaining('nobody listens there. (dial, NOBODY_LISTENS)') as string,
      remedy: 'Start it on desk, and see there that it listens.',
      command: 'peerai up',
    });
    const shown = await laptop.run(['peers', 'trace', 'desk']);
    expect(shown.code).toBe(4);
    expect(shown.stdout).toMatch(/⊗ \/ip4\/127\.0\.0\.1\/tcp\/\d+ +dial NOBODY_LISTENS/);
    expect(shown.stdout).toContain('    $ peerai up');
    expect((await laptop.run(['peers', 'show', 'desk'])).stdout).toMatch(/trouble +The machine at \/ip4/);
  },
);
