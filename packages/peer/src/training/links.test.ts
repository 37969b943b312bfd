import {
  callMethod,
  createIdentity,
  fromHex,
  fromUtf8,
  nobleCrypto,
  PeerAiError,
  type PeerId,
} from '@peerai/core-protocol';
import { decodeTicket, encodeTicket, proveTicket, type Ticket } from '@peerai/core-protocol/access';
import { fetchBlob } from '@peerai/core-protocol/blob';
import { seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { createRuns, createBlobTable, decodeRun, firstState } from '@peerai/nn-engine/rounds';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { shareMethod } from '../share/share-protocol.ts';
import type { TestPeer, TestWorld } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import {
  areDone,
  begin,
  join,
  latest,
  readIn,
  signs,
  trainingTown,
  untilTrained,
  whileTimeGoes,
} from '../testing/training-town.ts';
import { createVisitor, type TrainingRoundView, type TrainingRunView, type Visitor } from '../visitor/index.ts';
import { trainingLinkRequestSchema, type TrainingLinkRequest } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const ticketOf = (link: string): Ticket => decodeTicket(nobleCrypto, link.split('#')[1] ?? '');

const linkInto = (host: TestPeer, wish: TrainingLinkRequest = {}, run = 'signs') =>
  host.peer.training.link(run, trainingLinkRequestSchema.parse(wish));

/** A row of the training room, as the disk has it. */
async function kept<T>({ store }: TestPeer, key: string): Promise<T> {
  const bytes = await store.room('training').get(key);
  if (bytes === undefined) throw new Error(`no row ${key}`);
  return JSON.parse(fromUtf8(bytes)) as T;
}

interface Came {
  readonly visitor: Visitor;
  readonly peer: PeerId;
  readonly network: ReturnType<TestWorld['networks']['join']>;
  readonly rounds: TrainingRoundView[];
  readonly runs: TrainingRunView[];
  readonly leave: AbortController;
  /** Takes part, with its own table unless it takes what is handed out. */
  train(own?: string): Promise<TrainingRunView>;
}

/** Somebody with the link, in a tab of its own. */
function visit({ clock, networks }: TestWorld, ticket: Ticket, seed: number): Came {
  const identity = createIdentity(nobleCrypto, seededRandom(seed).bytes(32));
  const network = networks.join(identity.peer, { isGranted: (peer) => peer === ticket.provider });
  const visitor = createVisitor(
    { identity, clock, crypto: nobleCrypto, random: seededRandom(5), logger: silentLogger, network },
    ticket,
  );
  const [rounds, runs, leave] = [[] as TrainingRoundView[], [] as TrainingRunView[], new AbortController()];
  return {
    visitor,
    peer: identity.peer,
    network,
    rounds,
    runs,
    leave,
    train: (own) =>
      visitor.train({
        own: own === undefined ? undefined : { name: 'own.csv', text: own },
        runtime: async () => createNodeRuntime(),
        threads: 1,
        share: () => 1,
        changed: (run) => runs.push(run),
        closed: (round) => rounds.push(round),
        signal: leave.signal,
      }),
  };
}

const look = (world: TestWorld, { visitor }: Came) => whileTimeGoes(world.clock, visitor.look(live()));
const lookCode = (world: TestWorld, came: Came): Promise<string> =>
  look(world, came).then(
    () => 'OK',
    (error: { readonly code: string }) => error.code,
  );

describe('a visitor with a link into a run', { timeout: 60_000 }, () => {
  test('commits to its updates as everybody does where the run is sealed, and ends with the same model', async () => {
    const { world, at } = await trainingTown(1);
    const run = await begin(world, at(0), { rounds: 3, sealed: true });
    const { link } = await linkInto(at(0), { visitors: 1, data: await readIn(at(0), signs(80, 9), 'spare.csv') });
    const one = visit(world, ticketOf(link), 50);
    expect((await look(world, one)).offer).toMatchObject({
      terms: { kind: 'open', sealed: true },
      asks: { visible: expect.arrayContaining([expect.stringContaining('commits to its update')]) },
    });
    const asked: string[] = [];
    const open = one.network.open.bind(one.network);
    one.network.open = (peer, protocol, options) => {
      asked.push(protocol.id);
      return open(peer, protocol, options);
    };
    const ended = one.train();
    await untilTrained(world.clock, () => areDone(at(0)));
    const last = await whileTimeGoes(world.clock, ended);
    expect(last.file?.sha256).toBe((await latest(at(0))).file?.sha256);
    expect(last).toMatchObject({ id: run.id, round: 3, code: null });
    expect(asked.filter((id) => /commit|submit/u.test(id))).toEqual(
      Array.from({ length: 3 }, () => ['/peerai/train/commit/1', '/peerai/train/submit/1']).flat(),
    );
  });

  test('sees what is asked before anything is fetched, takes part with a part of what is handed out, and ends with the same model', async () => {
    const { world, peers, at } = await trainingTown(2);
    const run = await begin(world, at(0), { membersMin: 3 });
    const { link, handed, visitors } = await linkInto(at(0), {
      visitors: 2,
      data: await readIn(at(0), signs(80, 9), 'spare.csv'),
    });
    expect([link.startsWith('https://page.example/t#'), handed?.name, visitors]).toEqual([true, 'spare.csv', []]);
    const [one, two] = [visit(world, ticketOf(link), 50), visit(world, ticketOf(link), 51)];
    const seen = await look(world, one);
    expect(seen).toMatchObject({
      offer: { id: run.id, name: 'signs', from: { name: 'peer-0' } },
      handed: { name: 'spare.csv' },
    });
    expect((seen.handed?.bytes ?? 0) + ((await look(world, two)).handed?.bytes ?? 0)).toBe(handed?.bytes);
    await join(world, at(1));
    const ended = one.train();
    await untilTrained(world.clock, () => areDone(...peers));
    const last = await whileTimeGoes(world.clock, ended);
    expect(last).toMatchObject({ state: 'done', round: 6, data: { name: 'spare.csv', examples: 32, heldOut: 8 } });
    expect(last.hash).toBe((await latest(at(0))).hash);
    const { rounds } = await at(1).peer.training.get(run.id);
    const counted = rounds.filter(({ members }) => members.some(({ peerId }) => peerId === one.peer));
    expect(counted).toHaveLength(6);
    expect(one.rounds.at(-1)).toMatchObject({ round: 5, hash: last.hash });
    expect(await at(0).peer.training.links('signs')).toMatchObject([
      { state: 'over', visitors: [{ peerId: one.peer }, { peerId: two.peer }] },
    ]);
    expect(await lookCode(world, two)).toBe('RUN_OVER');
  });

  test('leaves, and the run goes on without it', async () => {
    const { world, peers, at } = await trainingTown(2);
    await begin(world, at(0), { rounds: 40, localSteps: 4 });
    const came = visit(world, ticketOf((await linkInto(at(0))).link), 50);
    const ended = came.train(signs(60, 8));
    ended.catch(() => undefined);
    await untilTrained(world.clock, () => came.rounds.length >= 2);
    came.leave.abort();
    await join(world, at(1));
    await expect(whileTimeGoes(world.clock, ended)).rejects.toThrow();
    await untilTrained(world.clock, () => areDone(...peers));
    const [first, second] = await Promise.all(peers.map(latest));
    expect([first?.round, first?.hash]).toEqual([40, second?.hash]);
  });

  test('may open that run and nothing else: no chat, no tasks, no other run, nothing of the owner', async () => {
    const { world, at } = await trainingTown(2);
    const run = await begin(world, at(0), { rounds: 2, name: 'other' });
    await join(world, at(1), 'other');
    await untilTrained(world.clock, () => areDone(at(0), at(1)));
    await untilTrained(world.clock, () =>
      begin(world, at(0)).catch((error: unknown) =>
        PeerAiError.is(error, 'RUN_ACTIVE') ? undefined : Promise.reject(error),
      ),
    );
    const ticket = ticketOf((await linkInto(at(0))).link);
    const came = visit(world, ticket, 50);
    const host = at(0).identity.peer;
    const may = (protocol: string): boolean => at(0).peer.isGranted(came.peer, protocol);
    const own = ['/peerai/train/watch/1', '/peerai/train/commit/1', '/peerai/train/submit/1', '/peerai/blob/1'];
    expect(own.map(may)).toEqual([false, false, false, false]);
    await look(world, came);
    expect(own.map(may)).toEqual([true, true, true, true]);
    const others = [
      'train/offers',
      'train/sum',
      'model',
      'message',
      'group',
      'file',
      'memory',
      'status',
      'capabilities',
    ];
    for (const other of others) expect([other, may(`/peerai/${other}/1`)]).toEqual([other, false]);
    // Whoever may ask a model shows a ticket; this one's is for none.
    const asked = callMethod(
      { network: came.network, clock: world.clock },
      host,
      shareMethod,
      { grant: proveTicket(nobleCrypto, ticket, came.peer) },
      { signal: live() },
    );
    await expect(whileTimeGoes(world.clock, asked)).rejects.toThrow(code('TICKET_INVALID'));
    // The run that is over is answered to its members, and not to a visitor of another.
    const [offer] = (await whileTimeGoes(world.clock, at(1).peer.training.offers(live()))).offers;
    expect(offer?.name).toBe('signs');
    const identity = createIdentity(nobleCrypto, seededRandom(50).bytes(32));
    const deps = {
      network: came.network,
      clock: world.clock,
      crypto: nobleCrypto,
      identity,
      blobs: createBlobTable(nobleCrypto),
    };
    using runs = createRuns(deps);
    const { termsHex } = await kept<{ termsHex: string }>(at(0), `run/${run.id}`);
    const spec = decodeRun(nobleCrypto, fromHex(termsHex));
    const taking = runs.takePart({
      spec,
      from: firstState(new Float32Array(spec.size)),
      ask: [host],
      leads: false,
      learner: { learn: async (weights) => ({ weights, loss: 0 }) },
      signal: live(),
    });
    await expect(whileTimeGoes(world.clock, taking)).rejects.toThrow(code('PEER_UNREACHABLE'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('comes as one of as many as the link allows, and those stay welcome', async () => {
    const { world, at } = await trainingTown(1);
    await begin(world, at(0));
    const { link } = await linkInto(at(0), { visitors: 2 });
    const [one, two, three] = [50, 51, 52].map((seed) => visit(world, ticketOf(link), seed)) as [Came, Came, Came];
    expect([await lookCode(world, one), await lookCode(world, two)]).toEqual(['OK', 'OK']);
    expect(await lookCode(world, three)).toBe('TOO_MANY_GUESTS');
    expect(await lookCode(world, one)).toBe('OK');
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('is let in to the very end of the link’s life, and is out then', async () => {
    const { world, at } = await trainingTown(1);
    await begin(world, at(0), { rounds: 2_000, localSteps: 5, membersMin: 1 });
    const { link, expiresMs } = await linkInto(at(0), { forMs: limits.trainingLinkMsMin });
    const came = visit(world, ticketOf(link), 50);
    const ended = came.train(signs(60, 8));
    ended.catch(() => undefined);
    await untilTrained(world.clock, () => came.rounds.length >= 1);
    await world.clock.advance(expiresMs - world.clock.nowMs() - 1);
    expect(at(0).peer.isGranted(came.peer, '/peerai/train/watch/1')).toBe(true);
    await world.clock.advance(1);
    expect(at(0).peer.isGranted(came.peer, '/peerai/train/watch/1')).toBe(false);
    await expect(whileTimeGoes(world.clock, ended)).rejects.toThrow(code('TICKET_EXPIRED'));
    expect((await latest(at(0))).state).toBe('training');
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('is out at once when the owner stops the link, also after a restart, and its part of the data is gone', async () => {
    const { world, at, again, shelves } = await trainingTown(1);
    await begin(world, at(0), { rounds: 2_000, localSteps: 5, membersMin: 1 });
    const data = await readIn(at(0), signs(80, 9), 'spare.csv');
    const { link, id } = await linkInto(at(0), { visitors: 2, data });
    const kept = () => [...(shelves[0]?.files.keys() ?? [])].filter((name) => name.includes('/links/'));
    expect(kept()).toHaveLength(2);
    const came = visit(world, ticketOf(link), 50);
    const ended = came.train();
    ended.catch(() => undefined);
    await untilTrained(world.clock, () => came.rounds.length >= 1);
    expect(await at(0).peer.training.stopLink(id.slice(0, 6))).toMatchObject({ state: 'stopped' });
    await expect(whileTimeGoes(world.clock, ended)).rejects.toThrow(code('TICKET_REVOKED'));
    expect(kept()).toEqual([]);
    const back = await again(0);
    expect(await lookCode(world, came)).toBe('TICKET_REVOKED');
    const { round } = await latest(back);
    await untilTrained(world.clock, async () => (await latest(back)).round > round);
    await whileTimeGoes(world.clock, back.peer.training.stop('signs'));
  });

  test('is refused with a wrong secret, an unknown ticket, and the ticket of another device', async () => {
    const { world, at } = await trainingTown(2);
    await begin(world, at(0));
    const ticket = ticketOf((await linkInto(at(0))).link);
    const forged = (changed: Partial<Ticket>, by: TestPeer, seed: number): Promise<string> => {
      const text = encodeTicket(by.identity, { ...ticket, ...changed });
      return lookCode(world, visit(world, decodeTicket(nobleCrypto, text), seed));
    };
    expect(await forged({ secret: new Uint8Array(16) }, at(0), 60)).toBe('TICKET_INVALID');
    expect(await forged({ id: new Uint8Array(8) }, at(0), 61)).toBe('TICKET_INVALID');
    expect(await forged({}, at(1), 62)).toBe('TICKET_INVALID');
    expect(() => visit(world, { ...ticket, kind: 'share' }, 63)).toThrow(code('TICKET_INVALID'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('needs a run that goes on and is coordinated where the link is made, and data that is enough for all', async () => {
    const { world, at } = await trainingTown(2);
    await begin(world, at(0));
    await join(world, at(1));
    await untilTrained(world.clock, async () => (await latest(at(1))).round >= 1);
    await expect(linkInto(at(1))).rejects.toThrow(code('NOT_LEADING'));
    await expect(linkInto(at(0), {}, 'nothing')).rejects.toThrow(code('RUN_UNKNOWN'));
    const data = await readIn(at(0), signs(2 * limits.trainingRowsMin - 1, 9), 'spare.csv');
    await expect(linkInto(at(0), { visitors: 2, data })).rejects.toThrow(/cut into 2 parts/u);
    expect(await linkInto(at(0), { visitors: 1, data })).toMatchObject({ handed: { name: 'spare.csv' } });
    await untilTrained(world.clock, () => areDone(at(0), at(1)));
    await expect(linkInto(at(0))).rejects.toThrow(code('RUN_OVER'));
  });

  test('has one of as many links as may be open; one that ended makes room', async () => {
    const { world, at } = await trainingTown(1);
    await begin(world, at(0));
    const made = [];
    for (let count = 0; count < limits.trainingLinksMax; count += 1) made.push(await linkInto(at(0)));
    await expect(linkInto(at(0))).rejects.toThrow(code('LIMIT_REACHED'));
    await at(0).peer.training.stopLink(made[0]?.id ?? '');
    const { id } = await linkInto(at(0));
    const ids = (await at(0).peer.training.links('signs')).map((link) => link.id);
    expect([ids.length, ids.includes(made[0]?.id ?? ''), ids.includes(id)]).toEqual([
      limits.trainingLinksMax,
      false,
      true,
    ]);
    await expect(at(0).peer.training.stopLink('nothing')).rejects.toThrow(code('SHARE_UNKNOWN'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('gets the part that is its own, and not another’s', async () => {
    const { world, at } = await trainingTown(1);
    await begin(world, at(0));
    const data = await readIn(at(0), signs(80, 9), 'spare.csv');
    const { id, link } = await linkInto(at(0), { visitors: 2, data });
    const [one, two] = [visit(world, ticketOf(link), 50), visit(world, ticketOf(link), 51)];
    await look(world, one);
    await look(world, two);
    const { handed } = await kept<{ handed: { shards: { sha256: string }[] } }>(at(0), `link/${id}`);
    const [first, second] = handed.shards.map(({ sha256 }) => fromHex(sha256)) as [Uint8Array, Uint8Array];
    const fetch = ({ network }: Came, sha256: Uint8Array) =>
      whileTimeGoes(
        world.clock,
        fetchBlob({ network, clock: world.clock, crypto: nobleCrypto }, at(0).identity.peer, sha256, {
          signal: live(),
        }),
      );
    expect((await fetch(one, first)).length).toBeGreaterThan(0);
    await expect(fetch(one, second)).rejects.toThrow(code('NOT_FOUND'));
    expect((await fetch(two, second)).length).toBeGreaterThan(0);
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });
});

test.each([
  ['visitors', 1, limits.trainingVisitorsMax],
  ['forMs', limits.trainingLinkMsMin, limits.trainingLinkMsMax],
])('%s of a link are %i to %i', (name, min, max) => {
  const takes = (value: number): boolean => trainingLinkRequestSchema.safeParse({ [name]: value }).success;
  expect([min - 1, min, max, max + 1].map(takes)).toEqual([false, true, true, false]);
});
