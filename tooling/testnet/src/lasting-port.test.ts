import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { lastingPort } from './lasting-port.ts';

test('a port for an agent that comes back is free, is no other’s, and is none that systems give out by themselves', async () => {
  const host = '127.0.0.1';
  const port = await lastingPort(host);
  const server = createServer();
  // The one that would be next is taken by somebody.
  await new Promise<void>((resolve) => void server.listen(port + 1, host, resolve));
  const other = await lastingPort(host);
  await new Promise((resolve) => void server.close(resolve));
  expect([port, port + 1]).not.toContain(other);
  for (const one of [port, other]) expect(one).toBeLessThan(32_768);
});
