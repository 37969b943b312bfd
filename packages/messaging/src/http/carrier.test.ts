import { createIdentity, fromUtf8, type Opened, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { memoryWorld, type MemoryWorld } from '@peerai/core-protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createMessenger, type PeerMessenger } from '../messenger.ts';
import { createSessionDialer, type SessionAsk, type SessionDialer } from '../session/dialer.ts';
import { createHttpCarrier } from './carrier.ts';
import { type NamedContact, openContacts } from './contacts.ts';
import { createCounts } from './counts.ts';
import { openHttpFace } from './face.ts';
import { httpLimits } from './limits.ts';
import type { HttpPost } from './ports.ts';

const ending = new Set<AbortController>();
afterEach(() => {
  for (const one of ending) one.abort();
  ending.clear();
});
const secret = 'a secret of both sides';
const urls = { a: 'http://a.test', b: 'http://b.test' };

interface Side {
  readonly world: MemoryWorld;
  readonly messenger: PeerMessenger;
  readonly seen: Opened[];
}
type Web = Map<string, HttpPost>;

/** A messenger with an HTTP face at `url` in this test's web, that knows `contacts` and the other's address. */
async function side(
  web: Web,
  options: {
    readonly name: 'a' | 'b';
    readonly world: MemoryWorld;
    readonly other: MemoryWorld;
    readonly contacts?: readonly NamedContact[];
    readonly knowsUrl?: boolean;
    readonly hasSessions?: boolean;
  },
): Promise<Side> {
  const { name, world, other, contacts: named = [], knowsUrl = true } = options;
  const own = { entityId: name, secret };
  const contacts = await openContacts(
    { store: world.store.room('contacts'), crypto: nodeCrypto },
    { named, isOpen: false, ...own },
  );
  const counts = createCounts(world.clock);
  const post: HttpPost = (request) => {
    const target = web.get(new URL(request.url).origin);
    if (target === undefined) throw new PeerAiError('PEER_UNREACHABLE', 'nobody there');
    return target(request);
  };
  const otherUrl = urls[name === 'a' ? 'b' : 'a'];
  const urlOf = (peer: string): string | undefined => (knowsUrl && peer === other.identity.peer ? otherUrl : undefined);
  const dialer = createSessionDialer(world);
  const deps = { ...world, contacts, counts, post, urlOf, dialer, hasSessions: () => options.hasSessions ?? false };
  const carrier = createHttpCarrier(deps, own);
  const messenger = createMessenger({ ...world, store: world.store.room('messenger'), carriers: [carrier] });
  const seen: Opened[] = [];
  messenger.handle('text', async (message) => {
    seen.push(message);
    return [];
  });
  const stop = new AbortController();
  ending.add(stop);
  await messenger.start(stop.signal);
  const face = await openHttpFace(
    {
      ...world,
      store: world.store.room('http'),
      contacts,
      counts,
      receive: messenger.receive,
      standing: (peer) => (peer === other.identity.peer && named.length === 0 ? 'paired' : 'stranger'),
      paired: () => [],
      queue: async () => ({ size: 0, sent: 0, failed: 0, discarded: 0 }),
    },
    { ...own, profiles: ['peerai/1', 'pcp/1.0-six', 'pcp/0.1'], isOpen: false, showsPeers: true },
  );
  web.set(urls[name], async ({ url, body, signal }) =>
    face.answer({ method: 'POST', path: new URL(url).pathname, host: 'x', body }, 1, signal),
  );
  return { world, messenger, seen };
}

function worlds(): readonly [MemoryWorld, MemoryWorld] {
  const a = memoryWorld({ seed: 1, crypto: nodeCrypto });
  return [a, memoryWorld({ seed: 2, crypto: nodeCrypto, clock: a.clock, networks: a.networks })];
}

describe('Letters by HTTP', () => {
  it('reach a paired peer that no link leads to, exactly once also when an answer is lost', async () => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const from = await side(web, { name: 'a', world: a, other: b });
    const to = await side(web, { name: 'b', world: b, other: a });
    a.networks.cut(a.identity.peer, b.identity.peer);
    const face = web.get(urls.b);
    let lost = 0;
    web.set(urls.b, async (request) => {
      const answer = await face?.(request);
      lost += 1;
      if (lost === 1 || answer === undefined) throw new PeerAiError('PEER_UNREACHABLE', 'the answer was lost');
      return answer;
    });
    const id = await from.messenger.send({ to: b.identity.peer, kind: 'text', payload: 'hello' });
    await a.clock.advance(60_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'http' });
    expect([to.seen.map(({ payload }) => payload), lost]).toEqual([['hello'], 2]);
  });

  it('go sealed to a peer that speaks sessions, and never signed alone when somebody on the way says it does not', async () => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const from = await side(web, { name: 'a', world: a, other: b, hasSessions: true });
    const to = await side(web, { name: 'b', world: b, other: a });
    a.networks.cut(a.identity.peer, b.identity.peer);
    const face = web.get(urls.b) ?? expect.unreachable();
    const asked: string[] = [];
    let isStripped = true;
    web.set(urls.b, async (request) => {
      asked.push(new URL(request.url).pathname);
      expect(Array.from(request.body, (byte) => String.fromCharCode(byte)).join('')).not.toContain('a secret');
      if (isStripped) return { status: 404, body: utf8('{"error":{"code":"NOT_FOUND"},"detail":"nothing here"}') };
      return face(request);
    });
    const id = await from.messenger.send({ to: b.identity.peer, kind: 'text', payload: 'a secret' });
    await a.clock.advance(5_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'queued', code: 'PEER_UNREACHABLE' });
    isStripped = false;
    await a.clock.advance(60_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'http' });
    expect(to.seen).toMatchObject([{ sender: a.identity.peer, payload: 'a secret' }]);
    expect(new Set(asked)).toEqual(new Set(['/session']));
  });

  it('believe no answer that the peer did not sign about this very letter', async () => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const from = await side(web, { name: 'a', world: a, other: b });
    await side(web, { name: 'b', world: b, other: a });
    a.networks.cut(a.identity.peer, b.identity.peer);
    const face = web.get(urls.b) ?? expect.unreachable();
    let says: (said: Record<string, unknown>) => unknown = () => ({ status: 'received', verification: 'passed' });
    web.set(urls.b, async (request) => {
      const { status, body } = await face(request);
      return { status, body: utf8(JSON.stringify(says(JSON.parse(fromUtf8(body)) as Record<string, unknown>))) };
    });
    const to = b.identity.peer;
    const id = await from.messenger.send({ to, kind: 'text', payload: 'hello' });
    await a.clock.advance(5_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'queued', code: 'PEER_UNREACHABLE' });
    // A true signature under another letter's answer.
    let kept: unknown;
    says = (said) => ({ ...said, answer: (kept ??= said['answer']) });
    await a.clock.advance(60_000);
    expect((await from.messenger.status(id))?.state).toBe('delivered');
    const second = await from.messenger.send({ to, kind: 'text', payload: 'second' });
    await a.clock.advance(5_000);
    expect((await from.messenger.status(second))?.state).toBe('queued');
  });

  it('tell a stranger nothing for good: an unsigned refusal waits', async () => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const from = await side(web, { name: 'a', world: a, other: b });
    const stranger = memoryWorld({ seed: 3, clock: a.clock, networks: a.networks });
    await side(web, { name: 'b', world: b, other: stranger });
    a.networks.cut(a.identity.peer, b.identity.peer);
    const id = await from.messenger.send({ to: b.identity.peer, kind: 'text', payload: 'hello' });
    await a.clock.advance(5_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'queued', code: 'UNKNOWN_SENDER' });
  });

  it.each(['pcp/1.0-six', 'pcp/0.1', 'inbox'] as const)('reach an older peer in its own form: %s', async (profile) => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const keyOf = (world: MemoryWorld) => (profile === 'inbox' ? {} : { publicKey: world.identity.publicKey });
    const from = await side(web, {
      name: 'a',
      world: a,
      other: b,
      contacts: [{ name: 'b', profile, url: `${urls.b}/`, ...keyOf(b) }],
    });
    const to = await side(web, { name: 'b', world: b, other: a, contacts: [{ name: 'a', profile, ...keyOf(a) }] });
    const contacts = await openContacts(
      { store: a.store.room('x'), crypto: nodeCrypto },
      { named: [{ name: 'b', profile, ...keyOf(b) }], isOpen: false, secret },
    );
    const peer = contacts.byName('b')?.peer ?? expect.unreachable();
    const id = await from.messenger.send({ to: peer, kind: 'text', payload: 'hello' });
    const refused = await from.messenger.send({
      to: peer,
      kind: profile === 'inbox' ? 'text' : 'nonsense',
      payload: 1,
    });
    await a.clock.advance(2_000);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'delivered', path: 'http' });
    expect(to.seen[0]?.payload).toMatchObject({ text: 'hello' });
    const outcome = await from.messenger.status(refused);
    // 0.1 has no word for an unknown kind.
    expect(outcome?.state).toBe(profile === 'inbox' ? 'delivered' : 'refused');
  });

  it('stop knocking after five failures, try again after 30 s, and end as dead letters', async () => {
    const web: Web = new Map();
    const [a, b] = worlds();
    const name = 'gone';
    const publicKey = createIdentity(nodeCrypto, new Uint8Array(32).fill(4)).publicKey;
    let knocks = 0;
    const from = await side(web, {
      name: 'a',
      world: a,
      other: b,
      contacts: [{ name, profile: 'pcp/0.1', url: 'http://gone.test', publicKey }],
    });
    web.set('http://gone.test', async () => {
      knocks += 1;
      return { status: 502, body: utf8('bad gateway') };
    });
    const contacts = await openContacts(
      { store: a.store.room('x'), crypto: nodeCrypto },
      { named: [{ name, profile: 'pcp/0.1', publicKey }], isOpen: false },
    );
    const to = contacts.byName(name)?.peer ?? expect.unreachable();
    const id = await from.messenger.send({ to, kind: 'text', payload: {}, expiresMs: a.clock.nowMs() + 300_000 });
    await a.clock.advance(50_000);
    const [atOpen] = [knocks];
    expect(atOpen).toBeGreaterThanOrEqual(5);
    expect(await from.messenger.status(id)).toMatchObject({ state: 'queued', code: 'PEER_UNREACHABLE' });
    await a.clock.advance(400_000);
    expect(knocks).toBeGreaterThan(atOpen);
    expect(await from.messenger.outcomes()).toMatchObject([{ id, state: 'expired', code: 'PEER_UNREACHABLE' }]);
  });
});

it.each([0, 1])(
  'What is known of %i peers more than the limit: the failures of the one asked longest ago go',
  async (more) => {
    const [world] = worlds();
    const asked: string[] = [];
    const post: HttpPost = async ({ url }) => {
      asked.push(url);
      throw new PeerAiError('PEER_UNREACHABLE', 'nobody there');
    };
    const { signal } = new AbortController();
    const contacts = await openContacts({ store: world.store, crypto: nodeCrypto }, { named: [], isOpen: false });
    const dialer = { askFile: (_: PeerId, body: Uint8Array, ask: SessionAsk) => ask(body, signal).then(() => body) };
    const deps = { ...world, contacts, counts: createCounts(world.clock), post, hasSessions: () => true };
    const carrier = createHttpCarrier(
      { ...deps, urlOf: (peer) => `http://${peer}`, dialer: dialer as Partial<SessionDialer> as SessionDialer },
      { entityId: 'a' },
    );
    const ask = async (name: string): Promise<void> => {
      await carrier
        .files(name as PeerId)?.(new Uint8Array(), signal)
        .catch(() => undefined);
    };
    for (let count = 0; count < httpLimits.breakerFailuresMax; count += 1) await ask('first');
    for (let count = 1; count < httpLimits.countedPeersMax + more; count += 1) await ask(`p${count}`);
    const before = asked.length;
    // A breaker that is open lets nothing through.
    await ask('first');
    expect(asked.length - before).toBe(more);
  },
);
