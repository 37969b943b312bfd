import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryShelf, MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import { readNanoFile } from '@peerai/nn-engine/node';
import { expect, test } from 'vitest';
import { createEventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import { type ActiveDeps, ActiveRun } from './active-run.ts';
import { createBases } from './bases.ts';
import type { Seat } from './engine.ts';
import { forgetOldest, openRunBook, places, type RunHead } from './run-book.ts';
import { createTeller } from './teller.ts';
import type { TrainingRunView } from './training.schema.ts';

const [self, other] = ['self', 'other'] as PeerId[] as [PeerId, PeerId];
const head = {
  id: '00',
  role: 'started',
  by: self,
  state: 'waiting',
  members: [other],
  hash: '',
  sent: 0,
  receivedBytes: 0,
} as unknown as RunHead;

/** A run in which nobody is found, and whom it asked when. */
function alone(more: Partial<RunHead> = {}) {
  const clock = new ManualClock();
  const asked: (readonly [ms: number, peers: number])[] = [];
  const stop = new AbortController();
  const seat = {
    take: async ({ ask }: { readonly ask: readonly PeerId[] }) => {
      asked.push([clock.elapsedMs(), ask.length]);
      throw new PeerAiError('PEER_UNREACHABLE', 'nobody');
    },
  } as unknown as Seat;
  const deps = {
    self,
    clock,
    logger: silentLogger,
    network: { sent: 0, received: 0 },
    book: { note: () => undefined, save: async () => undefined, unmasked: async () => [] },
    changed: () => undefined,
  } as unknown as ActiveDeps;
  const active = new ActiveRun(deps, { seat, head: { ...head, ...more } });
  return { clock, asked, stop, active };
}

test('who started a run looks for its coordinator `trainingLooksMax` times, `trainingAgainMs` apart, then leads it again', async () => {
  const { clock, asked, stop, active } = alone();
  const ended = active.toEnd(false, stop.signal).catch((error: unknown) => error);
  const { trainingAgainMs: againMs, trainingLooksMax: looks } = limits;
  await clock.advance(againMs - 1);
  expect(asked).toEqual([[0, 1]]);
  await clock.advance(1);
  expect(asked).toHaveLength(2);
  await clock.advance(againMs * (looks - 1));
  expect(asked.map(([ms]) => ms)).toEqual(Array.from({ length: looks + 1 }, (_, at) => at * againMs));
  expect(asked.map(([, peers]) => peers)).toEqual([...Array.from({ length: looks }, () => 1), 0]);
  stop.abort();
  await ended;
});

test('who starts one leads at once, and who joined one never leads', async () => {
  const [fresh, joined] = [alone(), alone({ role: 'joined', by: other })];
  const runs = [fresh.active.toEnd(true, fresh.stop.signal), joined.active.toEnd(false, joined.stop.signal)];
  const ended = Promise.allSettled(runs);
  await fresh.clock.advance(0);
  expect(fresh.asked).toEqual([[0, 0]]);
  await joined.clock.advance(2 * limits.trainingLooksMax * limits.trainingAgainMs);
  expect(new Set(joined.asked.map(([, peers]) => peers))).toEqual(new Set([1]));
  for (const { stop } of [fresh, joined]) stop.abort();
  await ended;
});

test('how far a run is, is told every `trainingToldEveryMs`, the newest last; what people wait for at once', async () => {
  const clock = new ManualClock();
  const events = createEventHub();
  const told: (readonly [ms: number, round: number])[] = [];
  const view = ({ round }: RunHead) => ({ round }) as TrainingRunView;
  const hub = {
    ...events,
    emit: ((event) => 'run' in event && told.push([clock.elapsedMs(), event.run.round])) as typeof events.emit,
  };
  const teller = createTeller({ events: hub, clock }, view);
  const say = (round: number, isWhole = false) => teller.changed({ ...head, round }, isWhole);
  say(1);
  say(2);
  await clock.advance(limits.trainingToldEveryMs - 1);
  say(3);
  expect(told).toEqual([[0, 1]]);
  await clock.advance(1);
  expect(told).toEqual([
    [0, 1],
    [limits.trainingToldEveryMs, 3],
  ]);
  say(4, true);
  expect(told.at(-1)).toEqual([limits.trainingToldEveryMs, 4]);
});

test('an adapter is of a base of as many bytes as may be, and not of one with one more', async () => {
  const shelf = new MemoryShelf();
  const bases = (bytesMax?: number) =>
    createBases({
      crypto,
      book: { runs: () => [] },
      shelf: () => shelf,
      nanoFile: readNanoFile,
      weightsOf: () => Promise.reject(new Error('no run is here')),
      signal: new AbortController().signal,
      ...(bytesMax === undefined ? {} : { bytesMax }),
    });
  const { sha256 } = await bases().choose(undefined, 'nano');
  const bytes = shelf.files.get(places.base(sha256))?.length ?? expect.fail('no copy was kept');
  expect(bytes).toBeLessThan(limits.trainingBaseBytesMax);
  expect(await bases(bytes).choose(undefined, 'nano')).toMatchObject({ sha256 });
  await expect(bases(bytes - 1).choose(undefined, 'nano')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
});

test.each([0, 1])('`trainingRunsKept` runs that are over are kept, the oldest go first (%d more)', async (more) => {
  const book = await openRunBook({ store: new MemoryStore(), ledger: { append: async () => 0n } });
  const runs = limits.trainingRunsKept + more;
  for (let at = 0; at < runs; at += 1) await book.save({ ...head, id: `${at}`, state: 'done', startedMs: at });
  await book.save({ ...head, id: 'goes on', state: 'training', startedMs: -1 });
  await forgetOldest(book);
  const left = book.runs().map(({ id }) => id);
  expect(left).toEqual(['goes on', ...Array.from({ length: limits.trainingRunsKept }, (_, at) => `${at + more}`)]);
});
