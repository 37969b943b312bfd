import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { freePort } from '@peerai/config/free-port';
import { PeerAiError } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { choosePort } from './listen.ts';

let holder: Server | undefined;
afterEach(() => holder?.close());

async function takePort(): Promise<number> {
  const port = await freePort();
  holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  return port;
}

test('a free port is taken as wished', async () => {
  const port = await takePort();
  holder?.close();
  await once(holder as Server, 'close');
  expect(await choosePort({ host: '127.0.0.1', port, span: 1, configured: true, setting: 'api.port' })).toBe(port);
});

test('a taken port that was configured is an error that names it and the setting', async () => {
  const port = await takePort();
  const error = await choosePort({ host: '127.0.0.1', port, span: 1, configured: true, setting: 'api.port' }).catch(
    (one: unknown) => one,
  );
  expect(PeerAiError.is(error, 'PORT_TAKEN')).toBe(true);
  expect((error as PeerAiError).message).toContain(String(port));
  expect((error as PeerAiError).details['hint']).toContain('api.port');
});

test('a taken port that nobody configured gives the next free one', async () => {
  const port = await takePort();
  const chosen = await choosePort({
    host: '127.0.0.1',
    port,
    span: 2,
    configured: false,
    setting: 'network.listen_address',
  });
  expect(chosen).toBeGreaterThan(port);
});

test('a port that is taken for UDP alone is taken only where UDP is needed', async () => {
  const socket = createSocket('udp4').bind(await freePort(), '127.0.0.1');
  await once(socket, 'listening');
  const wish = { host: '127.0.0.1', port: socket.address().port, span: 1, configured: true, setting: 'api.port' };
  await expect(choosePort({ ...wish, udp: true })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  expect(await choosePort(wish)).toBe(wish.port);
  socket.close();
});
