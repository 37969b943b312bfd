import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receiver } from './checks.ts';
import { HttpFace } from './http-face.ts';
import { type Identity, identityOf } from './identity.ts';
import { letterOf, messageOf } from './letter.ts';
import { readOwn, writeOwn } from './own.ts';
import { type ConcatMessage, readConcat, writeConcat } from './pcp-concat.ts';
import { type SixMessage, writeSix } from './pcp-six.ts';
import { plain } from './json.ts';
import { pairWith, startWorld, type World } from './world.ts';
import { writeFields } from './protobuf.ts';

const seed = randomBytes(32);
const identity = identityOf(seed);
// A key is one peer: each name has its own.
const six = identityOf(randomBytes(32));
const concat = identityOf(randomBytes(32));
const keys = new Map<string, Buffer>();
/** Under the names that the agent has for this peer. */
const here: Receiver = {
  names: ['old-six', 'old-concat', identity.peerId],
  get nowMs() {
    return Date.now();
  },
  keyOf: (name) => keys.get(name),
  seen: new Set(),
};

let world: World;
let face: HttpFace;
beforeAll(async () => {
  face = await HttpFace.start(identity, here);
  const keyed = (from: Identity) => ({ public_key: from.publicKey.toString('hex'), url: face.url });
  const peers = [
    { name: 'old-six', profile: 'pcp/1.0-six', ...keyed(six) },
    { name: 'old-concat', profile: 'pcp/0.1', ...keyed(concat) },
  ];
  world = await startWorld({ PEERAI_HTTP__PEERS: JSON.stringify(peers) }, seed);
}, 60_000);
afterAll(async () => {
  face?.stop();
  await world?.stop();
}, 30_000);

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}
async function post(path: string, body: string): Promise<Reply> {
  const response = await fetch(world.agent.info.http + path, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}
async function get(path: string): Promise<Reply['body']> {
  return (await (await fetch(world.agent.info.http + path)).json()) as Reply['body'];
}
/** The status and the code of a refusal, in whichever form its profile has. */
const refusalOf = ({ status, body }: Reply): unknown => {
  const error = body['error'] as string | { readonly code: string };
  return [status, typeof error === 'string' ? error : error.code];
};
const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

describe('pcp/1.0-six', () => {
  const says = (text: string, more: Partial<SixMessage> = {}): SixMessage => ({
    version: '0.3',
    msg_type: 'text',
    sender_id: 'old-six',
    recipient_id: 'first',
    payload: { text },
    ...more,
  });
  const send = (said: SixMessage, from = six): Promise<Reply> => post('/message', writeSix(from, said));
  const session = { session_id: '3f2b8c1e-7a4d-4e6f-9b21-5c0d8e7f6a13', sequence_num: 1 };

  test('a message is received, and the same one is refused', async () => {
    const body = writeSix(six, says('six, once'));
    const received = { status: 'received', entity_id: 'first', verification: 'passed' };
    expect(await post('/message', body)).toEqual({ status: 200, body: received });
    expect(refusalOf(await post('/message', body))).toEqual([409, 'REPLAY_DETECTED']);
    const [newest] = await world.agent.client.messages();
    expect(newest).toMatchObject({ fromName: 'old-six', payload: { text: 'six, once' } });
  });

  test('versions 1.0 and 1.1 are received with a session and a sequence, and a signature in hex too', async () => {
    expect((await send(says('1.0', { version: '1.0', ...session }))).status).toBe(200);
    expect((await send(says('1.1', { version: '1.1', ...session }))).status).toBe(200);
    expect(refusalOf(await send(says('no session', { version: '1.0' })))).toEqual([400, 'MISSING_FIELDS']);
    const message = JSON.parse(writeSix(six, says('hex'))) as { signature: string };
    message.signature = Buffer.from(message.signature, 'base64').toString('hex');
    expect((await post('/message', JSON.stringify(message))).status).toBe(200);
  });

  test('a number is verified as its text was written', async () => {
    const written = writeSix(six, says('', { payload: { tiny: 1e-7, whole: 12 } }));
    expect(written).toContain('"tiny":1e-07');
    expect((await post('/message', written)).status).toBe(200);
    const other = writeSix(six, says('', { payload: { whole: 12 } })).replace('"whole":12', '"whole":12.0');
    expect(refusalOf(await post('/message', other))).toEqual([401, 'INVALID_SIGNATURE']);
  });

  test('one changed byte, another clock, another name and another recipient are refused', async () => {
    const changed = writeSix(six, says('as it was')).replace('as it was', 'as it is!');
    expect(refusalOf(await post('/message', changed))).toEqual([401, 'INVALID_SIGNATURE']);
    expect(refusalOf(await send(says('late', { timestamp: secondsAgo(62) })))).toEqual([400, 'CLOCK_SKEW']);
    expect((await send(says('late, but in time', { timestamp: secondsAgo(50) }))).status).toBe(200);
    expect(refusalOf(await send(says('who?', { sender_id: 'somebody' })))).toEqual([401, 'UNKNOWN_SENDER']);
    expect(refusalOf(await send(says('another key'), identityOf(randomBytes(32))))).toEqual([401, 'INVALID_SIGNATURE']);
    expect(refusalOf(await send(says('not you', { recipient_id: 'second' })))).toEqual([400, 'WRONG_RECIPIENT']);
    expect(refusalOf(await send(says('', { msg_type: 'never-heard-of' })))).toEqual([400, 'UNKNOWN_KIND']);
    expect(refusalOf(await post('/message', '{"version":"0.3","version":"0.3"}'))).toEqual([400, 'INVALID_FORMAT']);
    expect(refusalOf(await post('/message', '{"version":"9.9"}'))).toEqual([400, 'INVALID_VERSION']);
  });

  test('a message of the agent arrives here and its signature holds', async () => {
    keys.set('first', Buffer.from(String((await get('/public-key'))['public_key']), 'hex'));
    const sent = await world.agent.client.send('old-six', 'text', 'wörld 😀');
    expect([sent, face.refused]).toMatchObject([{ state: 'delivered', path: 'http' }, []]);
    expect(face.heard.at(-1)).toEqual({
      profile: 'pcp/1.0-six',
      kind: 'text',
      sender: 'first',
      payload: { text: 'wörld 😀' },
    });
  });
});

describe('pcp/0.1', () => {
  const says = (text: string, more: Partial<ConcatMessage> = {}): ConcatMessage => ({
    msg_type: 'text',
    sender_id: 'old-concat',
    recipient_id: 'first',
    data: { text },
    ...more,
  });
  const send = (said: ConcatMessage): Promise<Reply> => post('/v0.1/message', writeConcat(concat, said));

  test('a message is received once', async () => {
    const body = writeConcat(concat, says('concat, once'));
    expect(await post('/v0.1/message', body)).toEqual({ status: 200, body: { status: 'received' } });
    expect(refusalOf(await post('/v0.1/message', body))).toEqual([400, 'REPLAY_DETECTED']);
    const [newest] = await world.agent.client.messages();
    expect(newest).toMatchObject({ fromName: 'old-concat', payload: { text: 'concat, once' } });
  });

  test('a ping is answered with a signed pong', async () => {
    keys.set('first', Buffer.from(String((await get('/v0.1/public-key'))['public_key']), 'hex'));
    const { status, body } = await send(says('', { msg_type: 'ping', data: {} }));
    expect(status).toBe(200);
    expect(readConcat(JSON.stringify(body), here)).toMatchObject({ kind: 'pong', sender: 'first' });
  });

  test('one changed byte, another clock and another recipient are refused under the names of 0.1', async () => {
    const body = JSON.parse(writeConcat(concat, says('as it was'))) as { payload: { data: string } };
    body.payload.data = Buffer.from('{"text":"as it is!"}').toString('base64');
    expect(refusalOf(await post('/v0.1/message', JSON.stringify(body)))).toEqual([400, 'INVALID_SIGNATURE']);
    expect(refusalOf(await send(says('', { timestamp: secondsAgo(301) })))).toEqual([400, 'EXPIRED_TIMESTAMP']);
    expect((await send(says('in time', { timestamp: secondsAgo(280) }))).status).toBe(200);
    expect(refusalOf(await send(says('', { recipient_id: 'second' })))).toEqual([400, 'UNKNOWN_RECIPIENT']);
  });

  test('a message of the agent arrives here and its signature holds', async () => {
    const sent = await world.agent.client.send('old-concat', 'text', 'wörld 😀');
    expect([sent, face.refused]).toMatchObject([{ state: 'delivered', path: 'http' }, []]);
    expect(face.heard.at(-1)).toMatchObject({ profile: 'pcp/0.1', sender: 'first', payload: { text: 'wörld 😀' } });
  });
});

describe('peerai/1', () => {
  const text = (content: unknown) => messageOf('text', world.agent.info.peerId, letterOf(content));
  const send = (said: ReturnType<typeof text>): Promise<Reply> => post('/message', writeOwn(identity, said));

  test('a stranger is refused, and heard once it is paired; its letter is answered with a signature', async () => {
    expect(refusalOf(await send(text('too early')))).toEqual([401, 'UNKNOWN_SENDER']);
    const { node, agent } = world;
    const hello: [number, Buffer][] = [
      [1, Buffer.from('second')],
      [2, Buffer.from('0.0.1')],
      [4, Buffer.from(face.url)],
    ];
    await node.answer('/peerai/hello/1', () => writeFields(hello));
    const { peer } = await pairWith(world, 'second');
    await node.call(peer, '/peerai/hello/1', writeFields(hello));
    const letter = text('by HTTP');
    const { status, body } = await send(letter);
    expect([status, body]).toMatchObject([200, { status: 'received', entity_id: 'first', verification: 'passed' }]);
    const answer = readOwn(JSON.stringify(body['answer']), here);
    expect([answer.kind, answer.sender]).toEqual(['message.answer', agent.info.peerId]);
    const { id } = letter.payload as { readonly id: string };
    expect(plain(answer.payload)).toEqual({ id, outcome: 'taken' });
    const [newest] = await agent.client.messages();
    expect(newest).toMatchObject({ fromName: 'second', payload: 'by HTTP' });
  });

  test('a repeated message, one changed byte, another clock and another recipient are refused', async () => {
    const body = writeOwn(identity, text('once'));
    expect((await post('/message', body)).status).toBe(200);
    expect(refusalOf(await post('/message', body))).toEqual([409, 'REPLAY_DETECTED']);
    const changed = writeOwn(identity, text('as it was')).replace('as it was', 'as it is!');
    expect(refusalOf(await post('/message', changed))).toEqual([401, 'INVALID_SIGNATURE']);
    const late = { ...text('late'), timestampMs: Date.now() - 62_000 };
    expect(refusalOf(await send(late))).toEqual([400, 'CLOCK_SKEW']);
    expect(refusalOf(await send({ ...text('not you'), recipient: identity.peerId }))).toEqual([400, 'WRONG_RECIPIENT']);
  });

  test('a letter of the agent comes by HTTP when no link is left, and this peer’s signed answer ends it', async () => {
    await world.node.stop();
    const sent = await world.agent.client.send('second', 'text', { greeting: 'hello', n: 1.5 });
    expect(face.refused).toEqual([]);
    expect(sent).toMatchObject({ state: 'delivered', path: 'http' });
    const payload = { content: { greeting: 'hello', n: 1.5 } };
    expect(face.heard.at(-1)).toMatchObject({ profile: 'peerai/1', sender: world.agent.info.peerId, payload });
  });
});

test('health, keys, peers and counts are told on loopback', async () => {
  const about = { entity_id: 'first', crypto_available: true, signing_enabled: true, verification_enabled: true };
  const key = keys.get('first')?.toString('hex');
  expect(await get('/health')).toMatchObject({ ...about, status: 'healthy', public_key: key, trust: 'known' });
  expect((await get('/health'))['profiles']).toEqual(['peerai/1', 'pcp/1.0-six', 'pcp/0.1']);
  expect(await get('/')).toMatchObject(about);
  expect(await get('/public-key')).toEqual({ entity_id: 'first', public_key: key });
  expect(identity.peerId).not.toBe(world.agent.info.peerId);
  const { peers } = (await get('/peers')) as { readonly peers: readonly { readonly entity_id: string }[] };
  expect(peers.map(({ entity_id }) => entity_id)).toEqual(expect.arrayContaining(['old-six', 'old-concat']));
  const { stats } = (await get('/stats')) as { readonly stats: Readonly<Record<string, object>> };
  expect(stats['old-six']).toMatchObject({ successful_deliveries: 1, failed_deliveries: 0, is_healthy: true });
  expect(await get('/v0.1/health')).toMatchObject({ entity_id: 'first' });
});

describe('What older peers ask and hand over', () => {
  const said = (msg_type: string, payload: Readonly<Record<string, unknown>>): Promise<Reply> =>
    post('/message', writeSix(six, { version: '0.3', msg_type, sender_id: 'old-six', payload }));
  const heardOf = async (profile: string, kind: string): Promise<unknown> => {
    const find = () => face.heard.find((one) => one.profile === profile && one.kind === kind);
    await expect.poll(find, { timeout: 20_000 }).toBeDefined();
    return find()?.payload;
  };

  test('what the agent can do is in its answer and in a signed message; and it asks the same', async () => {
    const { status, body } = await said('capability_query', { query_id: 'q-7' });
    expect([status, body]).toMatchObject([
      200,
      { capabilities: { protocol_versions: ['peerai/1', '1.1', '1.0', '0.3', '0.1'], models: [] } },
    ]);
    expect(await heardOf('pcp/1.0-six', 'capability_response')).toMatchObject({
      query_id: 'q-7',
      capabilities: body['capabilities'],
    });
    const asking = world.agent.client.capabilities('old-six');
    const { query_id } = (await heardOf('pcp/1.0-six', 'capability_query')) as { readonly query_id: string };
    const capabilities = { protocol_version: '1.0', supported_msg_types: ['ping'], crypto_features: { e2e: true } };
    expect((await said('capability_response', { query_id, capabilities })).status).toBe(200);
    expect(await asking).toMatchObject({ name: 'old-six', messageTypes: ['ping'], crypto: ['e2e'] });
  });

  test('a task is refused, and done once the owner allows it; it is told of as it goes on', async () => {
    const task = { task_id: 't-six', description: 'hello there', task_type: 'research', priority: 'HIGH' };
    expect(refusalOf(await said('task_delegate', task))).toEqual([403, 'REFUSED']);
    await world.agent.client.changeOlderPeer('old-six', { allow: ['tasks'] });
    await world.agent.client.changeOlderPeer('old-concat', { allow: ['tasks'] });
    expect((await said('task_delegate', task)).status).toBe(200);
    expect(await heardOf('pcp/1.0-six', 'task_accept')).toMatchObject({ task_id: 't-six', status: 'assigned' });
    expect(await heardOf('pcp/1.0-six', 'task_complete')).toMatchObject({
      task_id: 't-six',
      result: { text: 'echo: hello there' },
    });
    await said('task_delegate', { ...task, task_id: 't-seven', task_type: 'deploy' });
    expect(await heardOf('pcp/1.0-six', 'task_reject')).toMatchObject({ task_id: 't-seven', error_code: 'NO_HANDLER' });
  });

  test('in 0.1 a delegate ends with a result, and a wake-up with its acknowledgement', async () => {
    const data = { task_id: 't-one', type: 'research', description: 'hello', priority: 'normal', deadline: null };
    const more = { sender_id: 'old-concat', recipient_id: 'first' };
    const body = writeConcat(concat, { msg_type: 'delegate', ...more, data });
    expect((await post('/v0.1/message', body)).status).toBe(200);
    expect(await heardOf('pcp/0.1', 'status')).toMatchObject({ task_id: 't-one', state: 'assigned' });
    expect(await heardOf('pcp/0.1', 'result')).toMatchObject({ task_id: 't-one', status: 'completed' });
    expect((await said('wake_up', { reason: 'work' })).status).toBe(200);
    expect(await heardOf('pcp/1.0-six', 'wake_up_ack')).toMatchObject({ acknowledged: true });
    expect(face.refused).toEqual([]);
  });
});
