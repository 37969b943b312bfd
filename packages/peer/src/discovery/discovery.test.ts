import {
  createIdentity,
  type Directory,
  type Identity,
  limits as coreLimits,
  type ModelCard,
  nobleCrypto,
  openRecord,
  type PeerId,
  signRecord,
} from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createDiscovery } from './discovery.ts';
import { findRequestSchema, type ToldField, toldFields } from './discovery.schema.ts';
import { toldAddresses } from './told-addresses.ts';

const random = seededRandom(3);
const outside = '/ip4/198.41.0.4/tcp/4001/p2p/X';

interface Overrides {
  readonly tells?: readonly ToldField[];
  readonly models?: () => readonly string[];
  readonly identity?: Identity;
  readonly isBlocked?: (peer: PeerId) => boolean;
  readonly hasDirectory?: boolean;
}

/** A peer's discovery over a directory that keeps what is announced and finds what it is given. */
function made(overrides: Overrides = {}, answers: readonly Uint8Array[] = []) {
  const clock = new ManualClock();
  const { identity = createIdentity(nobleCrypto, random.bytes(32)), models = () => ['mistral'] } = overrides;
  const announced: Uint8Array[] = [];
  const asked: string[] = [];
  const directory: Directory = {
    announce: async (bytes) => void announced.push(bytes),
    async *find(what) {
      asked.push(what);
      yield* answers;
    },
  };
  const world = { identity, clock, crypto: nobleCrypto, store: new MemoryStore(), logger: silentLogger };
  const settings = { name: 'attic', version: '0.1.0', tells: overrides.tells ?? toldFields };
  const parts = {
    devices: { get: () => undefined, isBlocked: overrides.isBlocked ?? (() => false) },
    addresses: () => [outside],
    models: { exposedCards: () => models().map((name) => ({ name }) as ModelCard) },
  };
  const has = overrides.hasDirectory === false ? {} : { directory };
  /** The same peer, started anew at this clock. */
  const again = (at: ManualClock) => createDiscovery({ ...world, ...has, clock: at }, settings, parts);
  const stopping = new AbortController();
  const records = () => announced.map((bytes) => openRecord(nobleCrypto, bytes, clock.nowMs()));
  return { clock, identity, announced, asked, records, stopping, again, discovery: again(clock) };
}

describe('the own record', () => {
  test('says what the settings let it say', async () => {
    const { clock, discovery, records, stopping, identity } = made();
    discovery.start(stopping.signal);
    await clock.advance(0);
    const expiresMs = clock.nowMs() + limits.recordLifeMs;
    expect(records()).toMatchObject([
      {
        peer: identity.peer,
        name: 'attic',
        models: ['mistral'],
        addresses: [outside],
        agent: 'peerai/0.1.0',
        expiresMs,
      },
    ]);
    stopping.abort();
  });

  test.each([
    [['models'] as const, { name: '', models: ['mistral'], addresses: [] }],
    [['addresses'] as const, { name: '', models: [], addresses: [outside] }],
    [['name'] as const, { name: 'attic', models: [], addresses: [] }],
  ])('says %s and nothing else', async (tells, said) => {
    const { clock, discovery, records, stopping } = made({ tells });
    discovery.start(stopping.signal);
    await clock.advance(0);
    expect(records()).toMatchObject([said]);
    stopping.abort();
  });

  test('is not announced where nothing may be said', async () => {
    const { clock, discovery, announced, stopping } = made({ tells: [] });
    discovery.start(stopping.signal);
    await clock.advance(limits.recordLifeMs);
    expect(announced).toEqual([]);
    stopping.abort();
  });

  test('is renewed before it expires, not before half its life, and told anew when it says something else', async () => {
    let models = ['mistral'];
    const { clock, discovery, announced, records, stopping } = made({ models: () => models });
    discovery.start(stopping.signal);
    await clock.advance(limits.recordLifeMs / 2 - 1);
    expect(announced).toHaveLength(1);
    await clock.advance(limits.announceLookMs);
    expect(announced).toHaveLength(2);
    models = ['phi'];
    await clock.advance(limits.announceLookMs);
    expect(records().at(-1)).toMatchObject({ models: ['phi'] });
    stopping.abort();
    await clock.advance(limits.recordLifeMs);
    expect(announced).toHaveLength(3);
  });

  test('has a higher number than before, also after a restart with the clock set back', async () => {
    const { clock, discovery, again, announced, stopping } = made();
    discovery.start(stopping.signal);
    await clock.advance(0);
    const late = new ManualClock(clock.nowMs() - 60_000);
    again(late).start(stopping.signal);
    await late.advance(0);
    const [first, second] = announced.map((bytes) => openRecord(nobleCrypto, bytes, late.nowMs()).sequence);
    expect(second).toBeGreaterThan(first ?? 0);
    stopping.abort();
  });

  test('names as many models as it may, and not one more', async () => {
    const many = Array.from({ length: coreLimits.recordModelsMax + 1 }, (_, index) => `model-${index}`);
    const { clock, discovery, records, stopping } = made({ models: () => many });
    discovery.start(stopping.signal);
    await clock.advance(0);
    expect(records()[0]?.models).toEqual(many.slice(0, coreLimits.recordModelsMax));
    stopping.abort();
  });
});

test.each([
  ['the outer world first', ['/ip4/192.168.1.2/tcp/1', outside, '/ip4/127.0.0.1/tcp/1'], [outside]],
  ['a relay outside', ['/ip4/10.0.0.2/tcp/1', `${outside}/p2p-circuit`], [`${outside}/p2p-circuit`]],
  ['a house without a way in', ['/ip4/127.0.0.1/tcp/1', '/ip4/172.20.1.2/tcp/1'], ['/ip4/172.20.1.2/tcp/1']],
  ['a house by IPv6', ['/ip6/::1/tcp/1', '/ip6/fd00::1/tcp/1'], ['/ip6/fd00::1/tcp/1']],
  ['one machine', ['/ip4/127.0.0.1/tcp/1'], ['/ip4/127.0.0.1/tcp/1']],
  ['a name', ['/dns4/peer.example/tcp/1', '/ip4/192.168.1.2/tcp/1'], ['/dns4/peer.example/tcp/1']],
])('a stranger is told: %s', (_name, all, told) => {
  expect(toldAddresses(all)).toEqual(told);
});

describe('who serves mistral?', () => {
  const clock = new ManualClock();
  const someone = (fields: object, seed = random.bytes(32)): Uint8Array => {
    const body = {
      addresses: [],
      name: '',
      sequence: 1,
      expiresMs: clock.nowMs() + 60_000,
      models: ['mistral'],
      agent: 'a/1',
    };
    return signRecord(createIdentity(nobleCrypto, seed), { ...body, ...fields });
  };

  test('is answered by records that are signed, live and say so', async () => {
    const seed = random.bytes(32);
    const good = someone({ name: 'study', sequence: 2 }, seed);
    const older = someone({ name: 'old', sequence: 1 }, seed);
    const forged = someone({}).map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte));
    const answers = [good, older, forged, someone({ models: ['phi'] }), someone({ expiresMs: clock.nowMs() })];
    const { discovery, asked } = made({}, answers);
    const { peers } = await discovery.find({ model: 'mistral' }, AbortSignal.timeout(1_000));
    expect(asked).toEqual(['model:mistral']);
    expect(peers).toMatchObject([{ name: 'study', models: ['mistral'], agent: 'a/1', paired: false }]);
  });

  test('is not answered with a blocked peer, nor with this peer itself', async () => {
    const blocked = someone({});
    const ownSeed = random.bytes(32);
    const identity = createIdentity(nobleCrypto, ownSeed);
    const isBlocked = (peer: PeerId): boolean => peer === openRecord(nobleCrypto, blocked, clock.nowMs()).peer;
    const { discovery } = made({ identity, isBlocked }, [blocked, someone({}, ownSeed)]);
    expect((await discovery.find({ model: 'mistral' }, AbortSignal.timeout(1_000))).peers).toEqual([]);
  });

  test('one thing is asked at a time, and a peer id is one', async () => {
    expect(findRequestSchema.safeParse({}).success).toBe(false);
    expect(findRequestSchema.safeParse({ model: 'm', peer: 'p' }).success).toBe(false);
    const { discovery } = made();
    await expect(discovery.find({ peer: 'nobody' }, AbortSignal.timeout(1_000))).rejects.toMatchObject({
      code: expect.stringMatching(/./u) as string,
    });
    const { discovery: none } = made({ hasDirectory: false });
    await expect(none.find({ model: 'm' }, AbortSignal.timeout(1_000))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(none.crawl(AbortSignal.timeout(1_000))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
