import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ControlEvent, Peer } from '@peerai/peer';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createNetworkSocket, networkSocketLimits as limits } from './network-socket.ts';

/** The seed's socket on a port of its own, and how to open readers of it. */
async function listen() {
  const stop = new AbortController();
  const told: ((event: ControlEvent) => void)[] = [];
  const subscribe = async function* (signal: AbortSignal) {
    while (!signal.aborted) yield { event: await new Promise<ControlEvent>((resolve) => void told.push(resolve)) };
  };
  const server = createServer();
  server.on('upgrade', createNetworkSocket({ events: { subscribe } } as unknown as Peer, stop.signal));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const readers: WebSocket[] = [];
  onTestFinished(async () => {
    stop.abort();
    for (const reader of readers) reader.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  /** `open`, or the status that was answered instead. */
  const read = () =>
    new Promise<'open' | number | undefined>((resolve) => {
      const reader = new WebSocket(`ws://127.0.0.1:${port}`);
      readers.push(reader);
      reader.on('error', () => undefined);
      reader.on('open', () => resolve('open'));
      reader.on('unexpected-response', (_, { statusCode }) => resolve(statusCode));
    });
  const tell = (event: ControlEvent) => told.shift()?.(event);
  return { readers, read, tell };
}

test('`readersMax` hear at once, one more is answered 503, and has a place when one leaves', async () => {
  const { readers, read, tell } = await listen();
  for (let count = 0; count < limits.readersMax; count += 1) expect(await read()).toBe('open');
  expect(await read()).toBe(503);
  const heard = readers.slice(0, limits.readersMax).map((reader) => once(reader, 'message'));
  tell({ type: 'relay-changed', address: '/r', state: 'unreachable' });
  for (const [text] of await Promise.all(heard))
    expect(JSON.parse(String(text))).toEqual({ type: 'network_error', error: 'relay /r is unreachable' });
  readers[0]?.close();
  await expect.poll(read, { timeout: 10_000 }).toBe('open');
});

test('a reader that says `messageBytesMax` bytes stays, one that says more is cut off', async () => {
  const { readers, read } = await listen();
  for (const more of [0, 1]) {
    expect(await read()).toBe('open');
    readers[more]?.send(new Uint8Array(limits.messageBytesMax + more));
  }
  const [cut] = await once(readers[1] ?? expect.fail('two are open'), 'close');
  expect([cut, readers[0]?.readyState]).toEqual([1009, WebSocket.OPEN]);
});
