import {
  callMethod,
  createIdentity,
  type Identity,
  PeerAiError,
  type PeerId,
  serveMethod,
  toHex,
} from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import {
  checkRun,
  createBlobTable,
  encodeState,
  firstState,
  type Learner,
  localSgd,
  outerStep,
  packDelta,
  unpackDelta,
} from './index.ts';
import { signReceipt, submitMethod, watchMethod } from './messages.ts';
import { smallRun as spec } from './testing/spec.ts';
import { closedAt, led, type Player, players, pulling, town } from './testing/town.ts';

const { size } = spec;

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a run', () => {
  it('brings all members to the same weights, bit for bit, which are what all of them want', async () => {
    const here = town();
    const four = players(here, 4);
    const [host, ...others] = four as [Player, ...Player[]];
    const all = Promise.all([host.take([]), ...others.map((one) => one.take([host]))]);
    const weights = await here.clock.until(all);
    for (const own of weights) expect(own).toEqual(weights[0]);
    // The mean of 0, 1, 2, 3 but for (1/2)^6 of it and the rounding of 8 bits.
    expect(weights[0]?.[0]).toBeCloseTo(1.5 * (1 - 0.5 ** 6), 1);
    for (const one of four) expect(closedAt(one)).toEqual(closedAt(host));
    expect(closedAt(host)).toHaveLength(6);
    expect(four.filter(led)).toEqual([host]);
  });

  it('goes on without a member that is slow, and that one is told it came late', async () => {
    const here = town();
    const [host, quick, slow] = players(here, 3) as [Player, Player, Player];
    const learner = pulling(here.clock, 2, 30_000);
    const all = Promise.all([host.take([]), quick.take([host]), slow.take([host], { learner })]);
    const weights = await here.clock.until(all);
    expect(closedAt(slow)).toEqual(closedAt(host));
    expect(weights[2]).toEqual(weights[0]);
    const rounds = host.events.flatMap((event) => (event.type === 'closed' ? [event.peers.length] : []));
    expect(rounds.slice(1)).toEqual([2, 2, 2, 2, 2]);
  });

  it('takes in a member that comes late, and lets one go', async () => {
    const here = town();
    const [host, one, two] = players(here, 3) as [Player, Player, Player];
    const long = { spec: { ...spec, rounds: 12 } };
    const [first, second] = [host.take([], long), one.take([host], long)];
    await here.clock.advance(5_000);
    const late = two.take([host], long);
    await here.clock.advance(4_000);
    one.stop.abort(new PeerAiError('ABORTED', 'the lid was closed'));
    await expect(second).rejects.toThrow(code('ABORTED'));
    const [a, b] = await here.clock.until(Promise.all([first, late]));
    expect(a).toEqual(b);
    expect(closedAt(two).length).toBeLessThan(12);
    expect(closedAt(two)).toEqual(closedAt(host).slice(-closedAt(two).length));
  });

  it('waits for the members it needs, and says how many', async () => {
    const here = town();
    const [host, one] = players(here, 2) as [Player, Player];
    const first = host.take([]);
    await here.clock.advance(60_000);
    expect(closedAt(host)).toEqual([]);
    expect(host.events.at(-1)).toMatchObject({ type: 'received', received: 1, needed: 2 });
    const weights = await here.clock.until(Promise.all([first, one.take([host])]));
    expect(weights[0]).toEqual(weights[1]);
  });

  it('when its coordinator is gone another leads on from the state all hold', async () => {
    const here = town();
    const four = players(here, 4);
    const [a, b, c, host] = four as [Player, Player, Player, Player];
    const first = host.take([]);
    first.catch(() => undefined);
    const rest = [a, b, c].map((one) => one.take([host]));
    await here.clock.advance(2_500);
    const before = closedAt(a).length;
    expect(before).toBeGreaterThan(0);
    here.networks.kill(host.peer);
    const weights = await here.clock.until(Promise.all(rest));
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(led(a)).toBe(true);
    expect([b, c].filter(led)).toEqual([]);
    expect(closedAt(a)).toHaveLength(6);
    for (const one of [b, c]) expect(closedAt(one)).toEqual(closedAt(a));
    host.stop.abort();
  });

  it('a member with poisoned steps is refused by name and does no harm', async () => {
    const here = town();
    const five = players(here, 5);
    const [host, ...others] = five as [Player, ...Player[]];
    const wanted = { ...spec, liars: 1, membersMin: 5 };
    const learner: Learner = {
      learn: async (weights) => ({ weights: weights.map(() => -1e6), loss: 0 }),
    };
    const parts = others.map((one, index) =>
      one.take([host], index === 3 ? { spec: wanted, learner } : { spec: wanted }),
    );
    const weights = await here.clock.until(Promise.all([host.take([], { spec: wanted }), ...parts]));
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(weights[0]?.every((value) => value >= 0 && value <= 3)).toBe(true);
    const refused = host.events.flatMap((event) => (event.type === 'closed' ? event.refused : []));
    expect(new Set(refused.map(({ peer }) => peer))).toEqual(new Set([five[4]?.peer]));
  });

  it('one whose own learner fails leaves with its error, and the others go on', async () => {
    const here = town();
    const [host, one, two] = players(here, 3) as [Player, Player, Player];
    const learner: Learner = { learn: () => Promise.reject(new Error('no data')) };
    const failed = two.take([host], { learner });
    failed.catch(() => undefined);
    const weights = await here.clock.until(Promise.all([host.take([]), one.take([host])]));
    await expect(failed).rejects.toThrow('no data');
    expect(weights[0]).toEqual(weights[1]);
  });

  it('is not joined by a peer that was granted nothing, nor under other terms', async () => {
    const here = town();
    const [host, one] = players(here, 2) as [Player, Player];
    const first = host.take([]);
    first.catch(() => undefined);
    const other = here.clock.until(one.take([host], { spec: { ...spec, localSteps: 6 } }));
    await expect(other).rejects.toThrow(code('PEER_UNREACHABLE'));
    await expect(host.take([])).rejects.toThrow(code('REFUSED'));
    host.stop.abort();
  });
});

describe('a run that is over', () => {
  it('is answered for as long as few others followed it', async () => {
    const here = town();
    const [host, late] = players(here, 2) as [Player, Player];
    const numbered = (index: number) => ({ spec: { ...spec, name: `run ${index}`, rounds: 1, membersMin: 1 } });
    for (let index = 0; index <= limits.runsOverMax; index += 1) await here.clock.until(host.take([], numbered(index)));
    const fetched = await here.clock.until(late.take([host], numbered(1)));
    expect(fetched).toEqual(new Float32Array(size));
    expect(closedAt(late)).toHaveLength(1);
    await expect(here.clock.until(late.take([host], numbered(0)))).rejects.toThrow(code('PEER_UNREACHABLE'));
  });
});

describe('a coordinator that lies', () => {
  const first = firstState(new Float32Array(size));
  const base = crypto.sha256(encodeState(first));
  const delta = packDelta(new Float32Array(size).fill(1), 8).bytes;
  const after = outerStep(first, unpackDelta(delta, size), localSgd);
  const next = crypto.sha256(encodeState(after));
  const random = seededRandom(8);
  const signers = [1, 2].map(() => createIdentity(crypto, random.bytes(32)));
  const { hash: run } = checkRun(crypto, { ...spec, rounds: 1 });
  const receipt = { run, term: 1, round: 0, base, update: new Uint8Array(32), updateBytes: 1, loss: 0 };
  const receipts = signers.map((identity) => signReceipt(identity, receipt));
  const unsealed = { commitments: [], salts: [], attempt: undefined };
  const closed = {
    round: 0,
    base,
    deltaBytes: delta.length,
    next,
    receipts,
    refused: [],
    loss: undefined,
    ...unsealed,
  };
  const elsewhere = signers.map((identity) => signReceipt(identity, { ...receipt, round: 1 }));

  it.each<[string, Partial<typeof closed>, string | undefined]>([
    ['about nothing is believed', {}, undefined],
    ['about the state a round leads to', { next: base.map((byte) => byte ^ 1) }, 'HASH_MISMATCH'],
    ['about how many handed in an update', { receipts: receipts.slice(1) }, 'REFUSED'],
    ['by counting a member twice', { receipts: [receipts[0], receipts[0]] as Uint8Array[] }, 'REFUSED'],
    ['with receipts of another round', { receipts: elsewhere }, 'REFUSED'],
    [
      'with receipts nobody signed',
      { receipts: receipts.map((bytes) => bytes.with(bytes.length - 1, 1)) },
      'INVALID_SIGNATURE',
    ],
  ])('%s', async (_, lie, expected) => {
    const here = town();
    const [liar, one] = players(here, 2) as [Player, Player];
    const network = here.networks.join(liar.peer, { isGranted: () => true });
    const blobs = createBlobTable(crypto);
    serveBlobs(network, blobs);
    serveMethod(network, watchMethod, async function* () {
      yield { term: 1, open: undefined, closed: { ...closed, delta: blobs.put(delta), ...lie } };
    });
    const taken = here.clock.until(one.take([liar], { spec: { ...spec, rounds: 1 } }));
    if (expected === undefined) expect(await taken).toEqual(after.weights);
    else await expect(taken).rejects.toThrow(code(expected));
  });
});

describe('an update', () => {
  it.each([
    ['of another peer', true, 'REFUSED'],
    ['of another length', false, 'SHAPE_MISMATCH'],
  ])('%s is not taken', async (_, isForeign, expected) => {
    const here = town();
    const [host] = players(here, 1) as [Player];
    const [own, stranger] = [
      createIdentity(crypto, seededRandom(5).bytes(32)),
      createIdentity(crypto, seededRandom(4).bytes(32)),
    ];
    const network = here.networks.join(own.peer, { isGranted: () => true });
    const done = host.take([]);
    done.catch(() => undefined);
    await here.clock.advance(100);
    const { hash } = checkRun(crypto, spec);
    const receipt = {
      run: hash,
      term: 1,
      round: 0,
      base: crypto.sha256(encodeState(firstState(new Float32Array(size)))),
      update: new Uint8Array(32),
      updateBytes: 1,
      loss: 0,
    };
    const call = (identity: Identity) =>
      here.clock.until(
        callMethod(
          { network, clock: here.clock },
          host.peer,
          submitMethod,
          { run: hash, receipt: signReceipt(identity, receipt), salt: undefined },
          { signal: new AbortController().signal },
        ),
      );
    await expect(call(isForeign ? stranger : own)).rejects.toThrow(code(expected));
    host.stop.abort();
  });
});

describe('somebody whom the others cannot ask', () => {
  it('takes part, and does not lead on when the coordinator is gone', async () => {
    const here = town();
    const [visitor, host, other] = players(here, 3) as [Player, Player, Player];
    const long = { ...spec, rounds: 40 };
    host.take([], { spec: long }).catch(() => undefined);
    const rest = other.take([host], { spec: long });
    rest.catch(() => undefined);
    // First in the order of ids: another member would be the next to lead.
    const visiting = visitor.take([host], { spec: long, leads: false });
    visiting.catch(() => undefined);
    await here.clock.advance(5_000);
    expect(closedAt(visitor).length).toBeGreaterThan(1);
    here.networks.kill(host.peer);
    host.stop.abort();
    await expect(here.clock.until(visiting)).rejects.toThrow(code('PEER_UNREACHABLE'));
    expect([led(visitor), led(host)]).toEqual([false, true]);
    other.stop.abort();
  });

  it('leads nothing when it knows nobody', async () => {
    const here = town();
    const [visitor] = players(here, 1) as [Player];
    await expect(here.clock.until(visitor.take([], { leads: false }))).rejects.toThrow(code('PEER_UNREACHABLE'));
  });
});

it('A peer that may not join a run hears nothing of it', async () => {
  const here = town();
  let [asked, mayJoin]: [string[], boolean] = [[], false];
  const joins = (_: PeerId, run: Uint8Array): boolean => {
    asked = [...asked, toHex(run)];
    return mayJoin;
  };
  const [host, other] = players(here, 2, () => true, joins) as [Player, Player];
  const leading = host.take([]);
  leading.catch(() => undefined);
  await expect(here.clock.until(other.take([host], { leads: false }))).rejects.toThrow(code('PEER_UNREACHABLE'));
  expect(new Set(asked)).toEqual(new Set([toHex(checkRun(crypto, spec).hash)]));
  mayJoin = true;
  const taking = other.take([host], { leads: false });
  expect(await here.clock.until(taking)).toEqual(await leading);
});
