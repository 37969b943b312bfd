import { createIdentity, type Identity, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { createBlobTable } from '../blob-table.ts';
import type { Held, RunDeps } from '../participant.ts';
import { checkRun, type Run } from '../run-spec.ts';
import { firstState } from '../shared-state.ts';
import { privateSpec } from '../testing/private-run.ts';
import { inputOf, meanOf } from './input.ts';
import { type Exchange, type SumName, takeSum } from './member.ts';
import { type SumPart, type SumStep, sumSteps } from './messages.ts';
import { type SumResult, SumTable } from './table.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(21);
const identities = Array.from({ length: 7 }, () => createIdentity(crypto, random.bytes(32))).toSorted((a, b) =>
  a.peer < b.peer ? -1 : 1,
);
const size = 6;

interface Bench {
  readonly clock: ManualClock;
  readonly run: Run;
  readonly name: SumName;
  readonly present: Set<PeerId>;
  readonly table: SumTable;
  readonly deltas: ReadonlyMap<PeerId, Float32Array>;
  /** A member's sum; `until` is the step before which it leaves. */
  take(identity: Identity, until?: SumStep | 'end', held?: Held, lying?: Lying): Promise<number | undefined>;
}

/** What a coordinator that lies makes of an exchange. */
type Lying = (exchange: Exchange) => Exchange;

/** A coordinator's table and its members, without a network. */
function bench(count: number, attempt = 1): Bench {
  const who = identities.slice(0, count);
  const clock = new ManualClock();
  const run = checkRun(crypto, { ...privateSpec(who.map(({ peer }) => peer)), size });
  const name = { term: 1, base: crypto.sha256(new Uint8Array([9])), attempt };
  const present = new Set(run.private?.members);
  const { signal } = new AbortController();
  const table = new SumTable(
    { crypto, clock, present: () => [...present], onReceived: () => undefined },
    run,
    name,
    signal,
  );
  const deltas = new Map(
    who.map(({ peer }, place) => [peer, Float32Array.from({ length: size }, (_, index) => place - index / 4)]),
  );
  const networks = createMemoryNetworks({ clock, random });
  return {
    clock,
    run,
    name,
    present,
    table,
    deltas,
    async take(identity, until = 'end', held = heldFrom(), lying = (exchange) => exchange) {
      const blobs = createBlobTable(crypto);
      const deps: RunDeps = { network: networks.join(identity.peer), clock, crypto, identity, blobs, random };
      const exchange: Exchange = async (step, parts) => {
        if (step === until) {
          present.delete(identity.peer);
          table.nudge();
          return undefined;
        }
        for (;;) {
          const fetch = ({ update, updateBytes }: { update: Uint8Array; updateBytes: number }) =>
            blobs.read(update, 0, updateBytes);
          const answer = await table.enter(identity.peer, { ...name, step, parts }, fetch, signal);
          if (answer.is !== 'open') return answer.is === 'late' ? undefined : answer.parts;
        }
      };
      const input = inputOf(run, { delta: deltas.get(identity.peer) ?? new Float32Array(size), loss: 2 });
      return await takeSum(deps, { run, held }, name, input, lying(exchange));
    },
  };
}

const heldFrom = (): Held => ({
  state: firstState(new Float32Array(size)),
  hash: new Uint8Array(32),
  residual: undefined,
  term: 1,
  termOf: undefined,
  members: [],
  unmasked: new Set(),
  closed: undefined,
});

/** The mean that the members of a result have in the open. */
function plainMean({ deltas }: Bench, peers: readonly PeerId[]): number[] {
  return Array.from({ length: size }, (_, index) => {
    const values = peers.map((peer) => deltas.get(peer)?.[index] ?? Number.NaN);
    return values.reduce((sum, value) => sum + value, 0) / peers.length;
  });
}

function expectMean(here: Bench, result: SumResult): void {
  for (const [index, value] of plainMean(here, result.peers).entries())
    expect(result.delta[index]).toBeCloseTo(value, 5);
}

describe('the sum of a private round', () => {
  it.each<SumStep | 'end'>([...sumSteps, 'end'])(
    'of seven is the sum of those who masked, with two gone before “%s”',
    async (step) => {
      const here = bench(7);
      const collected = here.table.collect(() => undefined);
      const taken = identities.map((identity, place) => here.take(identity, place < 2 ? step : 'end'));
      const result = await here.clock.until(collected);
      await here.clock.until(Promise.all(taken));
      const gone = ['keys', 'shares', 'masked'].includes(step) ? 2 : 0;
      expect(result.peers).toEqual(identities.slice(gone).map(({ peer }) => peer));
      expect(result.receipts).toHaveLength(result.peers.length);
      expectMean(here, result);
      expect(result.loss).toBeCloseTo(2, 4);
    },
  );

  it.each<SumStep>(['shares', 'masked', 'confirm', 'unmask'])(
    'of seven is none with three gone before “%s”: the rest are told that they are late',
    async (step) => {
      const here = bench(7);
      const collected = here.clock.until(here.table.collect(() => undefined));
      const taken = Promise.all(identities.map((identity, place) => here.take(identity, place < 3 ? step : 'end')));
      await expect(collected).rejects.toThrow(code('TOO_FEW_UPDATES'));
      await here.clock.until(taken);
    },
  );

  it('leaves out who is silent for `sumStepMs`, and not before', async () => {
    const here = bench(4);
    let done = false;
    const collected = here.table.collect(() => undefined).then((result) => ((done = true), result));
    const [first, ...others] = identities.slice(0, 4) as [Identity, ...Identity[]];
    const { advertise } = silentMember(here, first);
    void advertise();
    const taken = Promise.all(others.map((identity) => here.take(identity)));
    await here.clock.advance(limits.sumStepMs - 1);
    expect(done).toBe(false);
    await here.clock.advance(1);
    expect(done).toBe(true);
    const result = await collected;
    await here.clock.until(taken);
    expect(result.peers).toEqual(others.map(({ peer }) => peer));
  });

  it('takes nothing that is not a member’s own, and goes on without it', async () => {
    const here = bench(4);
    const collected = here.table.collect(() => undefined);
    const [liar, other] = identities as [Identity, Identity];
    const enter = (peer: PeerId, step: SumStep, parts: readonly SumPart[]) =>
      here.table.enter(
        peer,
        { ...here.name, step, parts },
        () => Promise.reject(new Error('not fetched')),
        new AbortController().signal,
      );
    const body = new Uint8Array(3);
    await expect(enter(liar.peer, 'keys', [])).rejects.toThrow(code('REFUSED'));
    await expect(enter(liar.peer, 'keys', [{ peer: other.peer, body }])).rejects.toThrow(code('REFUSED'));
    await expect(enter(liar.peer, 'keys', [{ peer: liar.peer, body }])).rejects.toThrow(PeerAiError);
    // A step that is not open yet, and another try, are answered and not taken.
    expect(await enter(liar.peer, 'shares', [])).toEqual({ is: 'late', parts: [] });
    const { signal } = new AbortController();
    const elsewhere = { ...here.name, attempt: 2, step: 'keys' as const, parts: [] };
    expect(await here.table.enter(liar.peer, elsewhere, () => Promise.reject(new Error('no')), signal)).toEqual({
      is: 'late',
      parts: [],
    });
    here.present.delete(liar.peer);
    const taken = Promise.all(identities.slice(1, 4).map((identity) => here.take(identity)));
    expectMean(here, await here.clock.until(collected));
    await here.clock.until(taken);
  });

  it('says for a while that a step is open, then that it closed', async () => {
    const here = bench(3);
    const collected = here.table.collect(() => undefined);
    const [one] = identities as [Identity];
    let answered: string | undefined;
    const { advertise } = silentMember(here, one);
    void advertise().then(({ is }) => (answered = is));
    await here.clock.advance(limits.sumWaitMs - 1);
    expect(answered).toBeUndefined();
    await here.clock.advance(1);
    expect(answered).toBe('open');
    collected.catch(() => undefined);
  });
});

describe('a member', () => {
  it('unmasks the updates from one state once: a second sum from there is refused', async () => {
    const held = heldFrom();
    const [first, ...others] = identities.slice(0, 3) as [Identity, ...Identity[]];
    const here = bench(3);
    const collected = here.table.collect(() => undefined);
    const taken = [here.take(first, 'end', held), ...others.map((identity) => here.take(identity))];
    await here.clock.until(collected);
    await here.clock.until(Promise.all(taken));
    expect([...held.unmasked]).toEqual([toHex(here.name.base)]);
    const again = bench(3, 2);
    again.table.collect(() => undefined).catch(() => undefined);
    await expect(again.take(first, 'end', held)).rejects.toThrow(code('TOO_FEW_UPDATES'));
    expect(again.table.received).toBe(0);
  });

  it('that was told another list of members than the others gives out no share', async () => {
    const here = bench(4);
    here.table.collect(() => undefined).catch(() => undefined);
    const names = here.run.private?.members ?? [];
    // The coordinator tells each that the next one dropped out: with both kinds of shares of one it would have that one's update.
    const held = names.map(() => heldFrom());
    const signed: SumPart[] = [];
    const allSigned = Promise.withResolvers<void>();
    const taken = identities.slice(0, 4).map((identity, place) => {
      const without = names.filter((_, index) => index !== (place + 1) % 4);
      return here.take(identity, 'end', held[place], (exchange) => async (step, parts) => {
        if (step !== 'confirm') {
          const told = await exchange(step, parts);
          return step === 'masked' ? without.map((peer) => ({ peer, body: new Uint8Array() })) : told;
        }
        signed.push(...parts);
        if (signed.length === 4) allSigned.resolve();
        await allSigned.promise;
        return signed;
      });
    });
    for (const one of await here.clock.until(Promise.allSettled(taken)))
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { code: 'REFUSED', message: expect.stringContaining('another list') as string },
      });
    expect(held.map(({ unmasked }) => unmasked.size)).toEqual([0, 0, 0, 0]);
  });

  it('whose sum broke before it unmasked takes part in the next try', async () => {
    const held = heldFrom();
    const [first, ...others] = identities.slice(0, 3) as [Identity, ...Identity[]];
    const broken = bench(3);
    const failed = expect(broken.table.collect(() => undefined)).rejects.toThrow(code('TOO_FEW_UPDATES'));
    const left = [broken.take(first, 'end', held), ...others.map((identity) => broken.take(identity, 'confirm'))];
    expect(await broken.clock.until(Promise.all(left))).toEqual([undefined, undefined, undefined]);
    await failed;
    expect(held.unmasked.size).toBe(0);
    const again = bench(3, 2);
    const collected = again.table.collect(() => undefined);
    const taken = [again.take(first, 'end', held), ...others.map((identity) => again.take(identity))];
    expectMean(again, await again.clock.until(collected));
    await again.clock.until(Promise.all(taken));
  });
});

describe('the mean of masked updates', () => {
  it('has the loss of those who tell it', () => {
    const { run, deltas } = bench(3);
    const own = [...deltas.values()];
    const total = new Uint32Array(size + 2);
    const losses = [1.5, Number.NaN, 4.5];
    own.forEach((delta, index) => {
      for (const [place, word] of inputOf(run, { delta, loss: losses[index] ?? 0 }).entries())
        total[place] = (total[place] ?? 0) + word;
    });
    expect(meanOf(run, total, 3).loss).toBeCloseTo(3, 4);
  });
});

/** A member that hands in its keys and nothing after. */
function silentMember(here: Bench, identity: Identity) {
  const held = heldFrom();
  const { promise: keys, resolve } = Promise.withResolvers<readonly SumPart[]>();
  const networks = createMemoryNetworks({ clock: here.clock, random });
  const deps: RunDeps = {
    network: networks.join(identity.peer),
    clock: here.clock,
    crypto,
    identity,
    blobs: createBlobTable(crypto),
    random,
  };
  void takeSum(deps, { run: here.run, held }, here.name, new Uint32Array(size + 2), (_, parts) => {
    resolve(parts);
    return Promise.resolve(undefined);
  });
  return {
    advertise: async () =>
      await here.table.enter(
        identity.peer,
        { ...here.name, step: 'keys', parts: await keys },
        () => Promise.reject(new Error('no masked input')),
        new AbortController().signal,
      ),
  };
}
