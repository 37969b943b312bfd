import { once } from 'node:events';
import { createControlClient, type ControlEvent } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { testEdge, type TestEdge, token } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

const client = () => createControlClient({ baseUrl: world.base, token });
const emit = (bytesPerSecond: number): void =>
  world.peer.events.emit({ type: 'traffic', bytesPerSecond, tokensPerSecond: 0, answering: 0 });
const marked = (event: ControlEvent): number => (event.type === 'traffic' ? event.bytesPerSecond : 0);

test('chat streams its start, its words and its finish', async () => {
  const events = await Array.fromAsync(
    client().chat({ model: 'echo', messages: [{ role: 'user', text: 'one two' }] }, AbortSignal.timeout(5_000)),
  );
  expect(events[0]).toMatchObject({ type: 'start', servedBy: { path: 'local' } });
  expect(events.map((event) => (event.type === 'delta' ? event.text : '')).join('')).toBe('echo: one two');
  expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop', answerTokens: 3 });
});

test('a chat that breaks keeps what came and ends in an error event', async () => {
  const events = await Array.fromAsync(
    client().chat({ model: 'fail', messages: [{ role: 'user', text: 'a' }] }, AbortSignal.timeout(5_000)),
  );
  expect(events.filter(({ type }) => type === 'delta')).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'ENGINE_FAILED' });
});

test.each([
  ['the control API', '/api/v1/chat', { model: 'endless', messages: [{ role: 'user', text: 'a' }] }],
  [
    'the OpenAI gateway',
    '/v1/chat/completions',
    { model: 'endless', stream: true, messages: [{ role: 'user', content: 'a' }] },
  ],
  [
    'the OpenAI gateway, not streamed',
    '/v1/chat/completions',
    { model: 'endless', messages: [{ role: 'user', content: 'a' }] },
  ],
  ['the Ollama gateway', '/api/chat', { model: 'endless', messages: [{ role: 'user', content: 'a' }] }],
])('a client of %s that goes away frees the engine within a second', async (_name, path, body) => {
  const gone = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = fetch(`${world.base}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: gone.signal,
  });
  void answer.then((response) => response.text()).catch(() => undefined);
  await vi.waitFor(() => expect(world.endless.running).toBe(1));
  const goneMs = Date.now();
  gone.abort();
  await vi.waitFor(() => expect(world.endless.running).toBe(0), { timeout: 2_000, interval: 10 });
  expect(world.endless.endedMs - goneMs).toBeLessThan(1_000);
});

test('events are numbered, and Last-Event-ID brings what was missed', async () => {
  const first = new AbortController();
  const seen: { id: string; mark: number }[] = [];
  const reading = (async () => {
    for await (const event of client().events(first.signal)) {
      if (marked(event) > 0) seen.push({ id: event.id, mark: marked(event) });
      if (seen.length === 2) first.abort();
    }
  })().catch(() => undefined);
  await vi.waitFor(() => {
    emit(1_001);
    expect(seen.length).toBeGreaterThanOrEqual(1);
  });
  await reading;
  emit(1_002);
  emit(1_003);
  const again = new AbortController();
  const missed: number[] = [];
  for await (const event of client().events(again.signal, seen[0]?.id)) {
    missed.push(marked(event));
    expect(Number(event.id)).toBeGreaterThan(Number(seen[0]?.id));
    if (marked(event) === 1_003) break;
  }
  again.abort();
  expect(missed.slice(-2)).toEqual([1_002, 1_003]);
});

test('a Last-Event-ID that is no number begins with now', async () => {
  const stop = new AbortController();
  const events = client().events(stop.signal, 'x; y')[Symbol.asyncIterator]();
  const next = events.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  emit(2_001);
  expect(marked((await next).value as ControlEvent)).toBe(2_001);
  stop.abort();
  await events.return?.();
});

test('/network carries the four events of the first prototype in its words, and nothing else', async () => {
  const socket = new WebSocket(`${world.base.replace('http', 'ws')}/network`);
  await once(socket, 'open');
  const got: Record<string, unknown>[] = [];
  socket.on('message', (data: Buffer) => got.push(JSON.parse(data.toString()) as Record<string, unknown>));
  socket.send('{"type":"anything"}');
  const peer = { peerId: 'p1' } as never;
  const message = { id: 'm1', from: 'p1', fromName: 'a', kind: 'text', payload: 'hi', sentMs: 1 };
  world.peer.events.emit({ type: 'peer-connected', peer });
  emit(1);
  world.peer.events.emit({ type: 'message-received', message });
  world.peer.events.emit({ type: 'relay-changed', address: '/dns4/r', state: 'unreachable' });
  world.peer.events.emit({ type: 'relay-changed', address: '/dns4/r', state: 'connected' });
  world.peer.events.emit({ type: 'peer-disconnected', peer });
  await vi.waitFor(() => expect(got).toHaveLength(4));
  expect(got).toEqual([
    { type: 'peer_connected', peer_id: 'p1' },
    { type: 'message_received', message },
    { type: 'network_error', error: 'relay /dns4/r is unreachable' },
    { type: 'peer_disconnected', peer_id: 'p1' },
  ]);
  socket.close();
});

test('a WebSocket reader that stops reading is dropped, and the others go on', async () => {
  const url = `${world.base.replace('http', 'ws')}/network`;
  const [slow, quick] = [new WebSocket(url), new WebSocket(url)];
  await Promise.all([once(slow, 'open'), once(quick, 'open')]);
  let heard = 0;
  quick.on('message', () => (heard += 1));
  slow.pause();
  const dropped = once(slow, 'close');
  const payload = 'x'.repeat(100_000);
  const message = { id: 'm', from: 'p', fromName: 'a', kind: 'text', payload, sentMs: 1 };
  let sent = 0;
  for (; sent < 150; sent += 1) {
    world.peer.events.emit({ type: 'message-received', message });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  slow.resume();
  await dropped;
  await vi.waitFor(() => expect(heard).toBe(sent));
  quick.close();
});

test('stopping the edge ends open streams at once', async () => {
  const other = await testEdge();
  const stop = new AbortController();
  const events = createControlClient({ baseUrl: other.base, token }).events(stop.signal)[Symbol.asyncIterator]();
  const next = events.next().catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedMs = Date.now();
  await other.stop();
  await next;
  expect(Date.now() - startedMs).toBeLessThan(1_000);
  await other.edge.stop();
});
