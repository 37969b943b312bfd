import { createIdentity, type Network, PeerAiError, type PeerId, serveMethod } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, type MemoryNetworks, seededRandom } from '@peerai/core-protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { notLeading } from './follow.ts';
import { createBlobTable, createRuns, encodeState, firstState, type Learner, type RunEvent } from './index.ts';
import { RunLeader } from './lead.ts';
import { type News, signReceipt, submitMethod, watchMethod } from './messages.ts';
import type { Participant } from './participant.ts';
import { checkRun } from './run-spec.ts';
import { smallRun as spec } from './testing/spec.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const { signal } = new AbortController();
const random = seededRandom(11);
const [own, other] = [random, random].map((source) => createIdentity(crypto, source.bytes(32))) as [
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
];
const first = firstState(new Float32Array(spec.size));
const base = crypto.sha256(encodeState(first));
const run = checkRun(crypto, spec);

const plain = { attempt: undefined };
/** News of a run that has begun and where nothing happens. */
const quiet: News = {
  term: 1,
  open: {
    round: 0,
    base,
    members: [own.peer, other.peer],
    present: 2,
    received: 0,
    needed: 2,
    ...plain,
    opened: undefined,
  },
  closed: undefined,
};

let clock: ManualClock;
let networks: MemoryNetworks;
let there: Network;
beforeEach(() => {
  clock = new ManualClock();
  networks = createMemoryNetworks({ clock, random });
  there = networks.join(other.peer, { isGranted: () => true });
});

const never = (): Promise<never> => new Promise(() => undefined);
/** One that learns nothing for as long as it is asked. */
const idle: Learner = { learn: never };
const still: Learner = { learn: async (weights) => ({ weights: weights.slice(), loss: 1 }) };

/** This peer's part; `other` leads, as far as it knows. */
function takePart(learner: Learner, stop = new AbortController()) {
  const network = networks.join(own.peer, { isGranted: () => true });
  const blobs = createBlobTable(crypto);
  serveBlobs(network, blobs);
  const events: RunEvent[] = [];
  const runs = createRuns({ network, clock, crypto, identity: own, blobs });
  const done = runs.takePart({
    spec,
    from: first,
    ask: [other.peer],
    learner,
    onEvent: (event) => void events.push(event),
    signal: stop.signal,
  });
  done.catch(() => undefined);
  return {
    done,
    stop,
    network,
    leads: () =>
      events.some(({ type, ...event }) => type === 'coordinator' && 'peer' in event && event.peer === own.peer),
  };
}

describe('a member', () => {
  it('holds a coordinator for gone after `coordinatorSilentMs` of silence, not a millisecond before', async () => {
    serveMethod(there, watchMethod, async function* () {
      yield quiet;
      await never();
    });
    const { leads, stop } = takePart(idle);
    await clock.advance(limits.coordinatorSilentMs - 1);
    expect(leads()).toBe(false);
    await clock.advance(1);
    expect(leads()).toBe(true);
    stop.abort();
  });

  it('waits `submitMsMax` for its update to be taken, then goes away', async () => {
    let gone = false;
    serveMethod(there, watchMethod, async function* () {
      for (;;) {
        yield quiet;
        await clock.sleep(limits.coordinatorSignMs);
      }
    });
    serveMethod(there, submitMethod, (_, { signal: asking }) => {
      asking.addEventListener('abort', () => (gone = true));
      return never();
    });
    const { stop } = takePart(still);
    await clock.advance(limits.submitMsMax - 1);
    expect(gone).toBe(false);
    await clock.advance(1);
    expect(gone).toBe(true);
    stop.abort();
  });

  it('hands its update in again after `leaderRetryMs` when the channel broke', async () => {
    let asked = 0;
    serveMethod(there, watchMethod, async function* () {
      for (;;) {
        yield quiet;
        await clock.sleep(limits.coordinatorSignMs);
      }
    });
    serveMethod(there, submitMethod, () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new PeerAiError('CHANNEL_CLOSED', 'the link broke')) : never();
    });
    const { stop } = takePart(still);
    await clock.advance(limits.leaderRetryMs / 2);
    expect(asked).toBe(1);
    await clock.advance(limits.leaderRetryMs);
    expect(asked).toBe(2);
    stop.abort();
  });

  it.each([
    [limits.leaderTriesMax - 1, true],
    [limits.leaderTriesMax, false],
  ])(
    'asks `leaderTriesMax` times: one that does not lead for %d asks is followed: %s',
    async (refusals, isFollowed) => {
      let asked = 0;
      const over: News = { term: 1, open: undefined, closed: undefined };
      serveMethod(there, watchMethod, async function* () {
        asked += 1;
        if (asked <= refusals) throw notLeading(undefined, 0);
        yield over;
      });
      const { done } = takePart(idle);
      const ended = clock.until(done);
      if (isFollowed) expect((await ended).weights).toEqual(first.weights);
      else await expect(ended).rejects.toThrow(code('PEER_UNREACHABLE'));
      expect(asked).toBe(limits.leaderTriesMax);
    },
  );
});

describe('a coordinator', () => {
  it('gives a sign of life each `coordinatorSignMs` while nothing changes, not a millisecond before', async () => {
    const { leader } = leading();
    const news = leader.watch(other.peer, signal);
    await news.next();
    let told = false;
    void news.next().then(() => (told = true));
    await clock.advance(limits.coordinatorSignMs - 1);
    expect(told).toBe(false);
    await clock.advance(1);
    expect(told).toBe(true);
  });

  it('lets as many watch as a round has updates, itself included, and not one more', async () => {
    const { leader } = leading();
    const names = Array.from({ length: limits.roundUpdatesMax }, (_, index) => `peer${index}` as PeerId);
    const watching = names.slice(0, -1).map((peer) => leader.watch(peer, signal));
    for (const news of watching) await news.next();
    const [last] = names.slice(-1) as [PeerId];
    await expect(leader.watch(last, signal).next()).rejects.toThrow(code('LIMIT_REACHED'));
    // One that watches already may ask again, and a place that was left is free.
    expect((await leader.watch(names[0] ?? last, signal).next()).done).toBe(false);
    await watching.at(-1)?.return();
    expect((await leader.watch(last, signal).next()).done).toBe(false);
  });
});

describe('news', () => {
  it('of the largest round fit their message', () => {
    const { roundUpdatesMax: most } = limits;
    const receipt = {
      run: base,
      term: 2 ** 32 - 1,
      round: 2 ** 32 - 1,
      base,
      update: base,
      updateBytes: 2 ** 32 - 1,
      loss: 1,
    };
    const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
    const of = (count: number): News => ({
      term: 1,
      open: { ...quiet.open, members: many(count, own.peer) } as NonNullable<News['open']>,
      closed: {
        round: 1,
        base,
        delta: base,
        deltaBytes: 1,
        next: base,
        receipts: many(count, signReceipt(own, receipt)),
        refused: many(count, { peer: own.peer, reason: 'not-finite' }),
        loss: 1,
        commitments: many(count, base),
        salts: many(count, base),
        attempt: 2 ** 32 - 1,
      },
    });
    const bytes = watchMethod.response.encode(of(most));
    expect(watchMethod.response.decode(bytes).closed?.receipts).toHaveLength(most);
    // A frame adds a few bytes of its own.
    expect(bytes.length + 64).toBeLessThan(limits.newsBytesMax);
    expect(() => watchMethod.response.decode(watchMethod.response.encode(of(most + 1)))).toThrow(
      code('INVALID_FORMAT'),
    );
  });

  it('are `newsBytesMax` long at most: a channel takes so many bytes and not one more', async () => {
    const network = networks.join(own.peer);
    there.answer(watchMethod.protocol, async (channel) => {
      for await (const message of channel) expect(message.length).toBe(limits.newsBytesMax);
    });
    const channel = await network.open(other.peer, watchMethod.protocol, { signal });
    await channel.send(new Uint8Array(limits.newsBytesMax));
    await expect(channel.send(new Uint8Array(limits.newsBytesMax + 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });
});

function leading() {
  const network = networks.join(own.peer, { isGranted: () => true });
  const part: Participant = {
    run,
    learner: idle,
    onEvent: () => undefined,
    privacy: undefined,
    held: {
      state: first,
      hash: base,
      residual: undefined,
      term: 1,
      termOf: undefined,
      members: [],
      unmasked: new Set(),
      closed: undefined,
    },
  };
  return {
    leader: new RunLeader({ network, clock, crypto, identity: own, blobs: createBlobTable(crypto) }, part, signal),
  };
}
