import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '@peerai/config/free-port';
import { afterAll, expect, test } from 'vitest';
import { homes, peerai, program, up } from '../../test/cli.ts';

const folders = homes();
afterAll(() => folders.remove());

async function takenPort(): Promise<{ readonly port: number; readonly server: Server }> {
  // The one after it is needed for WebSocket.
  const port = await freePort(2);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { port, server };
}

test.each([
  ['api.port', (port: number) => ({ PEERAI_API__PORT: `${port}` })],
  ['network.listen_address', (port: number) => ({ PEERAI_NETWORK__LISTEN_ADDRESS: `127.0.0.1:${port}` })],
])('a taken port that was configured is named with %s, and everything started is ended', async (setting, env) => {
  const { port, server } = await takenPort();
  const home = folders.make();
  const { code, stderr } = await peerai(['up'], { home, env: env(port) });
  expect(code).toBe(1);
  expect(stderr).toContain('PORT_TAKEN');
  expect(stderr).toContain(`port ${port}`);
  expect(stderr).toContain(setting);
  server.close();
  await (await up(home, { env: env(port) })).end();
});

test('a taken port that nobody configured gives the next free one, and says so', async () => {
  // Held by us, or by an agent of the person who runs this: taken either way.
  const holder = createServer().listen(8006, '127.0.0.1');
  await Promise.race([once(holder, 'listening'), once(holder, 'error')]).catch(() => undefined);
  const agent = await up(folders.make(), { env: { PEERAI_API__PORT: '' } });
  expect(Number(new URL(agent.info.api).port)).toBeGreaterThan(8006);
  expect(agent.child.told.stderr).toMatch(/port-taken/);
  await agent.end();
  holder.close();
});

test('an address that is not this machine is not called taken', async () => {
  const { code, stderr } = await peerai(['up'], {
    home: folders.make(),
    env: { PEERAI_API__BIND: '203.0.113.7', PEERAI_API__PORT: '8123' },
  });
  expect([code, stderr.includes('ADDRESS_UNAVAILABLE')]).toEqual([1, true]);
});

test('a second agent in the same home is refused, and the first goes on', async () => {
  const home = folders.make();
  const first = await up(home);
  // Without the first one's note, only the store's lock stands between the two.
  const note = readFileSync(join(home, 'agent.json'));
  writeFileSync(join(home, 'agent.json'), '{}');
  const { code, stderr } = await peerai(['up'], { home });
  expect(code).toBe(1);
  expect(stderr).toContain('STORE_LOCKED');
  expect(stderr).toContain('peerai down');
  writeFileSync(join(home, 'agent.json'), note);
  expect((await first.run(['status'])).code).toBe(0);
  await first.end();
});

test.each([
  ['text', Buffer.from('this is no database'.repeat(1000))],
  ['a cut file', undefined],
])('a store that is %s is refused with its path, and left as it is', async (_name, bytes) => {
  const home = folders.make();
  await (await up(home)).end();
  const file = join(home, 'peerai.db');
  const broken = bytes ?? readFileSync(file).subarray(0, 9_000).fill(7, 4_096);
  writeFileSync(file, broken);
  const { code, stderr } = await peerai(['up'], { home });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/STORE_BROKEN/);
  expect(stderr).toContain(file);
  expect(readFileSync(file).equals(broken)).toBe(true);
});

test('a key file that others can read is refused with the command that closes it', async () => {
  const home = folders.make();
  await (await up(home)).end();
  const file = join(home, 'identity.key');
  chmodSync(file, 0o644);
  const { code, stderr } = await peerai(['up'], { home });
  expect([code, stderr.includes('KEY_FILE_OPEN')]).toEqual([5, true]);
  expect(stderr).toContain('chmod 600');
  expect(statSync(file).mode & 0o777).toBe(0o644);
});

test(
  'a passphrase locks the key, also one that was open: without it or with a wrong one nothing starts',
  { timeout: 60_000 },
  async () => {
    const home = folders.make();
    const env = { PEERAI_PASSPHRASE: 'correct horse battery staple' };
    const first = await up(home);
    await first.end();
    const keyFile = (): string => readFileSync(join(home, 'identity.key'), 'utf8');
    expect(keyFile()).toContain('"seed"');
    await (await up(home, { env })).end();
    expect(keyFile()).not.toContain('"seed"');
    const none = await peerai(['up'], { home });
    expect([none.code, none.stderr.includes('KEY_PASSPHRASE_NEEDED')]).toEqual([5, true]);
    const wrong = await peerai(['up'], { home, env: { PEERAI_PASSPHRASE: 'correct horse' } });
    expect([wrong.code, wrong.stderr.includes('KEY_PASSPHRASE_WRONG')]).toEqual([5, true]);
    const again = await up(home, { env });
    expect(again.info.peerId).toBe(first.info.peerId);
    await again.end();
  },
);

test('a full disk is named, and what was confirmed before is there after', { timeout: 60_000 }, async () => {
  const home = folders.make();
  const first = await up(home);
  const keys: string[] = [];
  for (const name of ['a', 'b']) {
    expect((await first.run(['key', 'add', name])).code).toBe(0);
    keys.push(name);
  }
  await first.end();
  // No file of this process may grow past what the store has: what a full disk says, without being root.
  const blocks = Math.ceil(statSync(join(home, 'peerai.db')).size / 1024);
  const env = {
    ...process.env,
    PEERAI_HOME: home,
    PEERAI_API__PORT: '0',
    PEERAI_LLM__ENGINES: 'scripted',
    PEERAI_NETWORK__LISTEN_ADDRESS: '127.0.0.1:0',
    PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
  };
  const script = `trap '' XFSZ; ulimit -f ${blocks}; exec "${process.execPath}" "${program}" up --json`;
  let told = '';
  try {
    told = execFileSync('bash', ['-c', script], {
      env,
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    told = `${stdout}${stderr}`;
  }
  expect(told).toContain('STORE_FULL');
  const again = await up(home);
  const list = await again.json<{ keys: { name: string }[] }>(['key', 'ls']);
  expect(list.keys.map(({ name }) => name).toSorted()).toEqual(keys);
  expect((await again.run(['ledger', 'verify'])).code).toBe(0);
  await again.end();
});

test('a relay that is none is refused, and one that does not answer is left out with a warning', async () => {
  const home = folders.make();
  const { port, server } = await takenPort();
  server.close();
  const agent = await up(home, { env: { PEERAI_NETWORK__RELAYS: `http://127.0.0.1:${port}` } });
  expect(agent.child.told.stderr).toContain('relay-left-out');
  const wrong = await peerai(['up'], { home: folders.make(), env: { PEERAI_NETWORK__RELAYS: agent.info.api } });
  expect([wrong.code, wrong.stderr.includes('RELAY_INVALID')]).toEqual([1, true]);
  await agent.end();
});

test('a folder that cannot be written is an error that names it', async () => {
  const file = folders.make();
  writeFileSync(file, '');
  mkdirSync(`${file}-x`);
  const { code, stderr } = await peerai(['up'], { home: join(file, 'inside') });
  expect(code).not.toBe(0);
  expect(stderr).toContain(file);
});
