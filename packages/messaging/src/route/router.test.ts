import {
  callMethod,
  createIdentity,
  type Link,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
} from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { Records } from '../mailbox/records.ts';
import type { OutRow } from '../rows.ts';
import { openKeyring } from '../sealed/keyring.ts';
import { sealTo } from '../sealed/seal.ts';
import { routeLimits } from './limits.ts';
import { layerCodec, pathsMethod, recordBytesPerAnswerMax, routeMethod } from './protocol.ts';
import { createRouter, type RouterDeps } from './router.ts';

const signal = new AbortController().signal;
const random = seededRandom(23);
const someone = (): PeerId => createIdentity(crypto, random.bytes(32)).peer;
const strangers = (count: number): PeerId[] => Array.from({ length: count }, someone);

function place() {
  const clock = new ManualClock();
  return { clock, networks: createMemoryNetworks({ clock, random }) };
}
/** A router between friends that are linked to it, with records of so many bytes, and somebody who asks it. */
async function scene(
  friends: readonly PeerId[],
  recordBytes: number | ((peer: PeerId) => number | undefined) = 8,
  { clock, networks } = place(),
) {
  const identity = createIdentity(crypto, random.bytes(32));
  const asker = networks.join(someone());
  const network = networks.join(identity.peer, { isGranted: () => true });
  const keyring = await openKeyring({ store: new MemoryStore(), crypto, clock, random });
  const letterKey = (await keyring.current()).publicKey;
  async function* links(): AsyncGenerator<Link> {
    for (const peer of friends) yield { peer, state: 'up', roundTripMs: 5 } as Link;
  }
  const records = {
    sealed: (peer: PeerId) => {
      const bytes = typeof recordBytes === 'number' ? recordBytes : recordBytes(peer);
      return bytes === undefined ? undefined : new Uint8Array(bytes);
    },
    get: (peer: PeerId) => ({ peer, letterKey }),
    learn: async (sealed: Uint8Array) => ({ peer: new TextDecoder().decode(sealed) as PeerId }),
  } as unknown as Records;
  const watched: Network = Object.assign(network, { links });
  const deps: RouterDeps = {
    network: watched,
    identity,
    crypto,
    clock,
    random,
    logger: silentLogger,
    records,
    keyring,
    isFriend: () => true,
    mayRoute: () => true,
  };
  const router = createRouter(deps);
  router.start({ receive: () => Promise.reject(new Error('no letter is for this one')) }, signal);
  await clock.advance(0);
  const told = async () =>
    (await callMethod({ network: asker, clock }, identity.peer, pathsMethod, {}, { signal })).paths;
  /** The code that a packet for `to` with so much time is answered with. */
  const forward = async (to: PeerId, timeMs: number): Promise<string> => {
    const inner = layerCodec.encode({ next: to, answerKey: undefined, inner: random.bytes(40) });
    const packet = { hopsLeft: 1, timeMs, layer: await sealTo(deps, letterKey, inner, 'hop') };
    return callMethod({ network: asker, clock }, identity.peer, routeMethod, packet, { signal }).then(
      () => 'taken',
      (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
    );
  };
  return { carrier: router.carrier, told, forward };
}

test.each([0, 1])('as many paths are told as the limit says, %i more are left out', async (more) => {
  const { told } = await scene(strangers(routeLimits.pathsPerAnswerMax + more));
  expect(await told()).toHaveLength(routeLimits.pathsPerAnswerMax);
});

test.each([
  [0, 2],
  [1, 1],
])('an answer holds so many bytes of records: of two with %i more than that, %i', async (more, held) => {
  const { told } = await scene(strangers(2), recordBytesPerAnswerMax / 2 + more);
  expect(await told()).toHaveLength(held);
});

test('a path that is not told, for want of a record or for its length, takes no room from those behind it', async () => {
  const [small, long, away, last] = strangers(4);
  const sizes = new Map([
    [small, 8],
    [long, recordBytesPerAnswerMax],
    [last, recordBytesPerAnswerMax - 8],
  ]);
  const { told } = await scene(
    [small, long, away, last].filter((peer) => peer !== undefined),
    (peer) => sizes.get(peer),
  );
  expect((await told()).map(({ peers: [peer] }) => peer)).toEqual([small, last]);
});

test.each([
  [routeLimits.pathsTriedMax, routeLimits.pathsTriedMax],
  [routeLimits.pathsTriedMax + 1, routeLimits.pathsTriedMax],
])('of %i paths to a peer one attempt tries %i, each with the time that a letter has', async (offered, tried) => {
  const here = place();
  const { clock, networks } = here;
  const far = someone();
  const times: number[] = [];
  const friends = strangers(offered).map((peer) => {
    const network = networks.join(peer, { isGranted: () => true });
    const paths = [{ peers: [far], costMs: 5, records: [new TextEncoder().encode(far)] }];
    serveMethod(network, pathsMethod, async () => ({ paths }), { clock });
    const refuse = async ({ timeMs }: { readonly timeMs: number }): Promise<never> => {
      times.push(timeMs);
      throw new PeerAiError('RATE_LIMITED', 'too many letters');
    };
    serveMethod(network, routeMethod, refuse, { clock });
    return peer;
  });
  const { carrier } = await scene(friends, 8, here);
  const letter = { id: 'id', kind: 'text', payload: '""' } as unknown as OutRow;
  await expect(carrier.carry(far, letter, signal)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(times).toEqual(Array.from({ length: tried }, () => routeLimits.timeMsMax));
});

test('the largest answer fits its frame: full of records, of the longest paths', () => {
  const records = Array.from({ length: routeLimits.hopsMax - 1 }, () => new Uint8Array(0));
  const longest = { peers: Array.from({ length: routeLimits.hopsMax - 1 }, someone), costMs: 2 ** 32 - 1, records };
  const [first = longest, ...others] = Array.from({ length: routeLimits.pathsPerAnswerMax }, () => longest);
  const full = { ...first, records: [new Uint8Array(recordBytesPerAnswerMax), ...records.slice(1)] };
  const bytes = pathsMethod.response.encode({ paths: [full, ...others] }).length;
  expect(bytes).toBeGreaterThan(recordBytesPerAnswerMax);
  expect(bytes).toBeLessThanOrEqual(routeLimits.pathsBytesMax - 1_024);
});

test('each hop keeps its own time of what is left, and forwards nothing without any', async () => {
  const far = someone();
  const here = place();
  const times: number[] = [];
  const next = here.networks.join(far, { isGranted: () => true });
  serveMethod(
    next,
    routeMethod,
    async ({ timeMs }) => {
      times.push(timeMs);
      throw new PeerAiError('RATE_LIMITED', 'too many letters');
    },
    { clock: here.clock },
  );
  const { forward } = await scene([far], 8, here);
  for (const more of [1, 500]) expect(await forward(far, routeLimits.timeMsPerHop + more)).toBe('RATE_LIMITED');
  expect(await forward(far, routeLimits.timeMsPerHop)).toBe('TIMEOUT');
  expect(await forward(far, routeLimits.timeMsMax + 1)).toBe('RATE_LIMITED');
  expect(times).toEqual([1, 500, routeLimits.timeMsMax - routeLimits.timeMsPerHop]);
});
