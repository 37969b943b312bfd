import { PeerAiError } from '@peerai/core-protocol';
import { readPcpPayload } from '@peerai/core-protocol/pcp';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type OlderScene, olderScene } from '../testing/older.ts';
import { testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

const scene = (options?: Parameters<typeof olderScene>[1]): Promise<OlderScene> =>
  olderScene({ seed: 31, operators: async () => ['Add', 'MatMul'] }, options);

test('An older peer that asks what this one can do is told by the answer, and by a signed message of its own', async () => {
  const { world, old, a } = await scene();
  const { status, body } = await old.say(a, 'capability_query', { query_id: 'q1' });
  expect(status).toBe(200);
  const said = body['capabilities'] as Record<string, unknown>;
  expect(said).toMatchObject({
    protocol_version: '1.1',
    protocol_versions: ['peerai/1', '1.1', '1.0', '0.3', '0.1'],
    entity_id: a.identity.peer,
    nn_operators: ['Add', 'MatMul'],
    crypto_features: { ed25519_signing: true, 'chacha20-poly1305': true },
    // Who may not chat is told of no models.
    models: [],
  });
  expect(said['supported_msg_types']).toEqual(
    expect.arrayContaining([
      'text',
      'task_delegate',
      'wake_up',
      'capability_query',
      'heartbeat',
      'error',
      'group',
      'state',
    ]),
  );
  const message = await until(world.clock, () => old.heard.find(({ kind }) => kind === 'capability_response'));
  expect(readPcpPayload('capability_response', message.payload).payload).toMatchObject({
    query_id: 'q1',
    capabilities: { entity_id: a.identity.peer, supported_msg_types: said['supported_msg_types'] },
  });
});

test('In the oldest profile the answer is a message itself; without an address nothing else is tried', async () => {
  const { old, a } = await scene({ profile: 'pcp/0.1', hasUrl: false });
  const { body } = await old.say(a, 'capability_query', {});
  expect(body).toMatchObject({ msg_type: 'capability_response', recipient_id: 'old' });
  expect(await a.peer.messages.counts()).toMatchObject({ waiting: 0 });
});

test('Messages with the answer go out as often as their limit says; the answer itself is always there', async () => {
  const { world, old, a } = await scene();
  const asked = limits.capabilityAnswersPerMinute + 1;
  for (let turn = 0; turn < asked; turn += 1)
    expect((await old.say(a, 'capability_query', {})).body['capabilities']).toBeDefined();
  await world.clock.advance(1_000);
  expect(old.heard).toHaveLength(limits.capabilityAnswersPerMinute);
});

test('An older peer is asked by a message, and what it says is kept', async () => {
  const { world, old, a } = await scene();
  const asking = a.peer.status.capabilities.of('old', live());
  const question = await until(world.clock, () => old.heard[0]);
  expect(question.kind).toBe('capability_query');
  const capabilities = {
    protocol_version: '1.0',
    supported_msg_types: ['ping'],
    crypto_features: { e2e: true, tor: 0 },
  };
  expect((await old.say(a, 'capability_response', { capabilities })).status).toBe(200);
  expect(await asking).toMatchObject({
    name: 'old',
    peerId: old.identity.peer,
    agent: '',
    protocolVersions: ['1.0'],
    messageTypes: ['ping'],
    crypto: ['e2e'],
    operators: [],
  });
  old.heard.length = 0;
  expect(await a.peer.status.capabilities.of('old', live())).toMatchObject({ messageTypes: ['ping'] });
  expect(old.heard).toEqual([]);
});

test('One that says nothing is not waited for longer than the limit; one that knows no such question is told so', async () => {
  const { world, old, a } = await scene();
  await expect(world.clock.until(a.peer.status.capabilities.of('old', live()))).rejects.toMatchObject({
    code: 'TIMEOUT',
  });
  old.answers = () => ({ status: 400, body: { detail: 'Unknown message format' } });
  await expect(world.clock.until(a.peer.status.capabilities.of('old', live()))).rejects.toMatchObject({
    code: 'UNKNOWN_KIND',
  });
  const without = await scene({ hasUrl: false });
  await expect(without.a.peer.status.capabilities.of('old', live())).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
  });
});

test('What is no question, and no list of capabilities, is refused', async () => {
  const { old, a } = await scene();
  expect((await old.say(a, 'capability_response', {})).status).toBe(400);
  expect((await old.say(a, 'capability_response', { capabilities: 7 })).status).toBe(400);
  expect((await old.say(a, 'capability_query', { query_id: 7 })).status).toBe(400);
});

test('A device that no link reaches, but HTTP does, is asked by a message', async () => {
  const world = testWorld();
  const posts: string[] = [];
  const b = await world.peer('b', {
    seed: 32,
    settings: { http: { url: () => 'http://b.example' } },
  });
  const a = await world.peer('a', {
    seed: 33,
    post: async ({ url }) => {
      posts.push(url);
      throw new PeerAiError('PEER_UNREACHABLE', 'nobody listens');
    },
  });
  await pair(world, b, a);
  await until(world.clock, () => a.peer.peers.list()[0]?.state === 'online');
  world.networks.kill(b.identity.peer);
  expect(posts).toEqual([]);
  const asked = world.clock.until(a.peer.status.capabilities.of('b', live(), true));
  await asked.catch(() => undefined);
  expect(posts).not.toEqual([]);
});

test('A wake-up of an older peer with the right to tasks is acknowledged, and then it is asked what it can do', async () => {
  const { world, old, a } = await scene();
  expect((await old.say(a, 'wake_up', { reason: 'work' })).status).toBe(403);
  await a.peer.olderPeers.change('old', { allow: ['tasks'] });
  for (let turn = 0; turn < limits.wakesPerWindowMax; turn += 1)
    expect((await old.say(a, 'wake_up', { reason: 'work', timestamp: 1_700_000_000 })).status).toBe(200);
  await until(
    world.clock,
    () => old.heard.filter(({ kind }) => kind === 'wake_up_ack').length === limits.wakesPerWindowMax,
  );
  const [first] = old.heard;
  expect(readPcpPayload('wake_up_ack', first?.payload).payload).toMatchObject({ acknowledged: true });
  await until(world.clock, () => old.heard.some(({ kind }) => kind === 'capability_query'));
  const order = old.heard.map(({ kind }) => kind);
  expect(order.indexOf('wake_up_ack')).toBeLessThan(order.indexOf('capability_query'));
  expect((await old.say(a, 'wake_up', {})).status).toBe(200);
  await until(world.clock, () =>
    old.heard.some(({ payload }) => (payload as { readonly status?: string }).status === 'rate_limited'),
  );
});

test('An older peer is woken, and its answer is known without an id', async () => {
  const { world, old, a } = await scene();
  const waking = a.peer.status.wake('old', { reason: 'work' }, live());
  await until(world.clock, () => old.heard.some(({ kind }) => kind === 'wake_up'));
  await old.say(a, 'wake_up_ack', { acknowledged: true, reason: 'ready', timestamp: 1 });
  expect(await waking).toMatchObject({ status: 'success', reason: 'ready' });
});
