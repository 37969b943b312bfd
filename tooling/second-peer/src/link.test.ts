import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Receiver } from './checks.ts';
import { pictureNames } from './files.ts';
import { readFrame, writeFrame } from './frame.ts';
import { identityOf } from './identity.ts';
import { letterOf, messageOf, readDelivery, readOutcome, taken, writeDelivery } from './letter.ts';
import { ask, type Question, workHashOf } from './model.ts';
import { Node } from './node.ts';
import { bytesOf, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { countersign, hashOf, readHalf } from './receipt.ts';
import { Refusal } from './refusal.ts';
import { picturesOf, proofOf, readTicket } from './ticket.ts';
import { type Paired, pairWith, startWorld, type World } from './world.ts';

let world: World;
let paired: Paired;
const leases: string[] = [];
const received: { readonly kind: string; readonly content: unknown }[] = [];
const hello = writeFields([
  [1, Buffer.from('second')],
  [2, Buffer.from('0.0.1')],
  [8, 1n],
]);
/** How many letters came in each frame. */
const frames: number[] = [];
beforeAll(async () => {
  world = await startWorld();
  const { node, identity } = world;
  const here: Receiver = {
    names: [identity.peerId],
    get nowMs() {
      return Date.now();
    },
    keyOf: () => undefined,
    seen: new Set(),
  };
  await node.answer('/peerai/ping/1', (request) => request);
  await node.answer('/peerai/receipts/1', (request) => {
    leases.push(bytesOf(readFields(request), 1).toString('hex'));
    return Buffer.alloc(0);
  });
  await node.answer('/peerai/hello/1', () => hello);
  await node.answer('/peerai/message/1', (request, peerId) => {
    const { kind, sender, letter } = readDelivery(request, here);
    if (sender !== peerId) throw new Refusal('WRONG_SENDER', 'a letter of somebody else');
    received.push({ kind, content: letter.content });
    return taken();
  });
  await node.answer('/peerai/message/2', (request) => {
    const letters = readFrame(bytesOf(readFields(request), 1));
    frames.push(letters.length);
    for (const letter of letters) {
      const { kind, letter: said } = readDelivery(writeFields([[1, letter]]), here);
      received.push({ kind, content: said.content });
    }
    return writeFields(letters.map(() => [1, taken()]));
  });
  paired = await pairWith(world, 'second');
}, 60_000);
afterAll(async () => world?.stop(), 30_000);

const question = (text: string, more: Partial<Question> = {}): Question => ({
  requestId: randomBytes(8).toString('hex'),
  model: 'echo',
  messages: [{ role: 'user', text }],
  maxTokens: 100,
  ...more,
});
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'done',
    (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
  );

test('the agent pairs with this peer and has it as a device', async () => {
  const { agent, identity } = world;
  expect(paired.name).toBe('first');
  expect(paired.allow).toEqual(['chat', 'tasks']);
  expect(paired.ticket).toMatchObject({ kind: 'pair', provider: { peerId: agent.info.peerId } });
  const names = pictureNames();
  expect(names).toHaveLength(64);
  const pictures = picturesOf(paired.ticket, identity.publicKey);
  expect(pictures.map((number) => names[number])).toEqual(paired.pictures);
  const devices = (await agent.client.peers()).filter(({ kind }) => kind === 'device');
  expect(devices).toMatchObject([{ peerId: identity.peerId, name: 'second', state: 'online', transport: 'tcp' }]);
});

test('an invite with another secret lets nobody in', async () => {
  const { agent, node, identity } = world;
  const ticket = readTicket((await agent.client.invite(['chat'])).link);
  const grant = proofOf({ ...ticket, secret: randomBytes(16) }, identity.publicKey);
  const request = writeFields([
    [1, grant],
    [2, Buffer.from('thief')],
  ]);
  expect(await codeOf(node.call(paired.peer, '/peerai/pair/1', request))).toBe('INVITE_INVALID');
});

test('ping comes back, and a nonce of 33 bytes is refused', async () => {
  const { node, agent, identity } = world;
  const ping = (bytes: number): Promise<Buffer> =>
    node.call(paired.peer, '/peerai/ping/1', writeFields([[1, Buffer.alloc(bytes, 7)]]));
  expect(bytesOf(readFields(await ping(32)), 1)).toEqual(Buffer.alloc(32, 7));
  expect(await codeOf(ping(33))).toBe('LIMIT_EXCEEDED');
  // The other way: what `peerai peers ping` does, answered here.
  expect((await agent.client.ping(identity.peerId)).roundTripMs).toBeGreaterThan(0);
});

test('hello, status, capabilities and models are answered', async () => {
  const { node, agent } = world;
  const said = readFields(await node.call(paired.peer, '/peerai/hello/1', hello));
  expect(textsOf(said, 1)).toEqual(['first']);
  expect(textsOf(said, 3).length).toBeGreaterThan(0);
  expect(textsOf(said, 4)).toEqual([agent.info.http]);
  const report = writeFields([
    [1, 1n],
    [2, BigInt(Date.now())],
    [3, 1n],
    // Zeros are written too.
    ...[4, 5, 6, 7].map((number) => [number, 0n] as const),
  ]);
  const status = readFields(await node.call(paired.peer, '/peerai/status/1', report));
  expect(numberOf(status, 1)).toBe(1n);
  const about = JSON.parse((await node.call(paired.peer, '/peerai/capabilities/1', Buffer.from('{}'))).toString()) as {
    readonly capabilities: { readonly agent: string; readonly models: readonly string[] };
  };
  expect(about.capabilities.models).toContain('echo');
  const cards = readFields(await node.call(paired.peer, '/peerai/models/1', Buffer.alloc(0)));
  const names = cards.map(([, card]) => textsOf(readFields(Buffer.from(card as Uint8Array)), 1)[0]);
  expect(names).toContain('echo-slow');
});

test('a letter to the agent is taken once, whatever comes again; one changed byte is refused', async () => {
  const { node, agent, identity } = world;
  const letter = letterOf({ text: 'from the second peer' });
  const deliver = async (request: Buffer): Promise<unknown> =>
    readOutcome(await node.call(paired.peer, '/peerai/message/1', request));
  const message = messageOf('text', agent.info.peerId, letter);
  expect(await deliver(writeDelivery(identity, message))).toEqual({ outcome: 'taken', code: '' });
  expect(await deliver(writeDelivery(identity, message))).toEqual({ outcome: 'taken', code: '' });
  const torn = writeDelivery(identity, message);
  torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
  expect(await deliver(torn)).toEqual({ outcome: 'refused', code: 'INVALID_SIGNATURE' });
  expect(await deliver(writeDelivery(identity, { ...message, kind: 'never-heard-of', payload: letterOf(1) }))).toEqual({
    outcome: 'refused',
    code: 'UNKNOWN_KIND',
  });
  const same = writeDelivery(identity, messageOf('text', agent.info.peerId, letterOf('again')));
  expect(await deliver(same)).toEqual({ outcome: 'taken', code: '' });
  expect(await codeOf(deliver(same))).toBe('REPLAY_DETECTED');
  const late = { ...messageOf('text', agent.info.peerId, letterOf('late')), timestampMs: Date.now() - 61_000 };
  expect(await codeOf(deliver(writeDelivery(identity, late)))).toBe('CLOCK_SKEW');
  const inbox = (await agent.client.messages()).map(({ fromName, payload }) => [fromName, payload]);
  expect(inbox).toEqual([
    ['second', 'again'],
    ['second', { text: 'from the second peer' }],
  ]);
});

test('letters in a frame are taken each for itself, and a large one of the agent comes in one', async () => {
  const { node, agent, identity } = world;
  const letter = (content: unknown, kind = 'text'): Buffer =>
    bytesOf(readFields(writeDelivery(identity, messageOf(kind, agent.info.peerId, letterOf(content)))), 1);
  const inFrame = async (letters: readonly Buffer[], compress: boolean): Promise<unknown> => {
    const request = writeFields([[1, writeFrame(letters, compress)]]);
    const answers = readFields(await node.call(paired.peer, '/peerai/message/2', request));
    return answers.map(([, answer]) => readOutcome(Buffer.from(answer as Uint8Array)));
  };
  const done = { outcome: 'taken', code: '' };
  const unknown = { outcome: 'refused', code: 'UNKNOWN_KIND' };
  const letters = [letter('one'), letter('what?', 'never-heard-of'), letter('two')];
  expect(await inFrame(letters, false)).toEqual([done, unknown, done]);
  expect(await inFrame([letter('words '.repeat(1_000))], true)).toEqual([done]);
  const texts = (await agent.client.messages()).slice(0, 3).map(({ payload }) => payload);
  // Those of one millisecond are told in any order.
  expect(new Set(texts)).toEqual(new Set(['one', 'two', 'words '.repeat(1_000)]));
  const broken = writeFields([[1, writeFrame([letter('words '.repeat(1_000))], true).subarray(0, -3)]]);
  expect(await codeOf(node.call(paired.peer, '/peerai/message/2', broken))).toBe('INVALID_FORMAT');
  await agent.client.send('second', 'text', 'many words '.repeat(500));
  expect([received.pop(), frames]).toEqual([{ kind: 'text', content: 'many words '.repeat(500) }, [1]]);
});

test('a letter of the agent arrives here', async () => {
  const { agent } = world;
  expect(await agent.client.send('second', 'text', 'hello, second')).toMatchObject({
    state: 'delivered',
    path: 'link',
  });
  expect(received).toEqual([{ kind: 'text', content: 'hello, second' }]);
});

test('a paired peer asks a model and both sign the same receipts', async () => {
  const { node, identity } = world;
  let previous = Buffer.alloc(32);
  for (const n of [1, 2]) {
    const asked = question(`grüße ${n}`);
    const answer = await ask(await node.open(paired.peer, '/peerai/model/1'), asked, (half) =>
      countersign(identity, half),
    );
    expect(answer).toMatchObject({ text: `echo: grüße ${n}`, reason: 'stop' });
    const receipt = readHalf(answer.receiptHalf);
    expect(receipt).toMatchObject({ n, requestId: asked.requestId, model: 'echo', answerTokens: answer.answerTokens });
    expect(receipt.lease).toEqual(paired.ticket.id);
    expect(receipt.consumer).toEqual(identity.publicKey);
    expect(receipt.workHash).toEqual(workHashOf(asked, answer.text));
    expect(receipt.previous).toEqual(previous);
    previous = Buffer.from(hashOf(answer.receiptHalf));
  }
  // After its hello the agent asked here what it owes, under the same lease.
  await expect.poll(() => leases, { timeout: 10_000 }).toContain(paired.ticket.id.toString('hex'));
  // The provider files what was signed after the answer has ended; then nothing is owed.
  const owed = async (): Promise<unknown> =>
    readFields(await node.call(paired.peer, '/peerai/receipts/1', writeFields([[1, paired.ticket.id]])));
  await expect.poll(owed, { timeout: 10_000 }).toEqual([]);
});

test('a guest with a share link asks within its ticket and no further', async () => {
  const { agent } = world;
  const seed = randomBytes(32);
  const guest = identityOf(seed);
  const node = await Node.start(seed);
  try {
    const { link } = await agent.client.share({ model: 'echo', tokens: 200, guests: 1 });
    const ticket = readTicket(link);
    expect(ticket).toMatchObject({ kind: 'share', models: ['echo'], tokens: 200, guests: 1 });
    const peer = await node.dial(agent.info.addresses);
    const put = async (asked: Question, sign = (half: Buffer) => countersign(guest, half)) =>
      await ask(await node.open(peer, '/peerai/model/1'), asked, sign);
    expect(await codeOf(put(question('no ticket')))).toBe('NOT_GRANTED');
    const wrong = proofOf(ticket, world.identity.publicKey);
    expect(await codeOf(put(question('another hand', { grant: wrong })))).toBe('TICKET_INVALID');
    const grant = proofOf(ticket, guest.publicKey);
    const answer = await put(question('one two', { grant }));
    expect(answer).toMatchObject({ text: 'echo: one two' });
    expect(readHalf(answer.receiptHalf)).toMatchObject({ n: 1, lease: ticket.id, consumer: guest.publicKey });
    expect(await codeOf(put(question('other model', { grant, model: 'echo-slow' })))).toBe('MODEL_NOT_SHARED');
    const share = readFields(await node.call(peer, '/peerai/share/1', writeFields([[1, grant]])));
    expect([textsOf(share, 2), numberOf(share, 3)]).toEqual([['echo'], 200n]);
    expect(numberOf(share, 4)).toBe(BigInt(answer.promptTokens + answer.answerTokens));
    expect(await codeOf(node.call(peer, '/peerai/ping/1', writeFields([[1, Buffer.from('x')]])))).toBe('REFUSED');
  } finally {
    await node.stop();
  }
});

test('the first prototype’s protocol answers a paired peer over the raw stream', async () => {
  const stream = await world.node.openRaw(paired.peer, '/llama/1.0.0');
  stream.write(Buffer.from(JSON.stringify({ prompt: 'hello there', model: 'echo' })));
  await stream.end();
  const reply = JSON.parse((await stream.readAll()).toString('utf8')) as { readonly data: unknown };
  expect(reply).toMatchObject({ success: true, data: { content: 'echo: hello there', stop: true, stop_type: 'eos' } });
});
