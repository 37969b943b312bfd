import { callMethod, PeerAiError, type PeerId, serveMethod, streamMethod } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { packDelta } from './delta.ts';
import { encodeState, firstState } from './index.ts';
import { type ClosedRound, commitMethod, type News, signReceipt, submitMethod, watchMethod } from './messages.ts';
import { checkRun, decodeRun, encodeRun } from './run-spec.ts';
import { checkSealed, Seal, sealOf, updateCommitment } from './seal.ts';
import { smallRun } from './testing/spec.ts';
import { closedAt, type Player, players, type Town, town } from './testing/town.ts';

const spec = { ...smallRun, rounds: 3, sealed: true } as const;
const run = checkRun(crypto, spec);
const first = crypto.sha256(encodeState(firstState(new Float32Array(spec.size))));
const random = seededRandom(21);
const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });

/** An update of one round, signed by this player, with its salt. */
function updateOf(
  { identity }: Pick<Player, 'identity'>,
  { round, base }: { round: number; base: Uint8Array },
  value: number,
) {
  const { bytes: packed } = packDelta(new Float32Array(spec.size).fill(value), 8);
  const update = crypto.sha256(packed);
  const said = { run: run.hash, term: 1, round, base, update, updateBytes: packed.length, loss: 1 };
  const [receipt, salt] = [signReceipt(identity, said), random.bytes(32)];
  return { packed, receipt, salt, commitment: updateCommitment(crypto, salt, receipt) };
}

/** A member that plays by rules of its own: `plays` gets each piece of news. */
async function byHand(
  { clock }: Town,
  { network, stop }: Player,
  leader: PeerId,
  plays: (news: News) => Promise<void>,
): Promise<void> {
  const deps = { network, clock };
  try {
    for await (const news of streamMethod(deps, leader, watchMethod, { run: run.hash, term: 0 }, stop))
      await plays(news);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

const refusedBy = ({ events }: Player) =>
  events.flatMap((event) => (event.type === 'closed' ? [event.refused.map(({ peer, reason }) => [peer, reason])] : []));

describe('a sealed run', () => {
  it('comes to what an open one comes to, and no update is asked for before all have committed', async () => {
    const here = town();
    const [one, two, three, another] = players(here, 4) as [Player, Player, Player, Player];
    const seen: { readonly opened: boolean; readonly received: number }[] = [];
    const watching = [one.take([], { spec }), two.take([one], { spec }), three.take([one], { spec })];
    const watched = byHand(here, another, one.peer, async ({ open }) => {
      if (open !== undefined) seen.push({ opened: open.opened !== undefined, received: open.received });
    });
    // Whoever only watches commits to nothing: the round opens without it when its time is over.
    const weights = await here.clock.until(Promise.all(watching));
    another.stop.abort();
    await here.clock.until(watched);
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).toEqual(weights[0]);
    expect(closedAt(two)).toEqual(closedAt(one));
    const plain = town();
    const [a, b, c] = players(plain, 3) as [Player, Player, Player];
    const open = { ...spec, sealed: undefined };
    const parts = [a.take([], { spec: open }), b.take([a], { spec: open }), c.take([a], { spec: open })];
    const [expected] = await plain.clock.until(Promise.all(parts));
    expect(weights[0]).toEqual(expected);
    expect(seen.some(({ opened, received }) => !opened && received === 3)).toBe(true);
  });

  it('names who hands in another update than it committed to, or what another committed to, and goes on without it', async () => {
    const here = town();
    const [one, two, liar, copier] = players(here, 4) as [Player, Player, Player, Player];
    const done = [one.take([], { spec }), two.take([one], { spec })];
    const codes: string[] = [];
    const playing = [liar, copier].map(async (player) => {
      const { network } = player;
      const deps = { network, clock: here.clock };
      let [committed, handed] = [-1, -1];
      let chosen: ReturnType<typeof updateOf> | undefined;
      await byHand(here, player, one.peer, async ({ open }) => {
        if (open === undefined) return;
        if (open.round > 0) return player.stop.abort();
        const place = { round: open.round, base: open.base };
        if (committed < open.round) {
          committed = open.round;
          chosen = updateOf(player, place, 1);
          // The copier knows another's commitment, and says it for its own.
          const { commitment } = player === liar ? chosen : updateOf(two, place, 1);
          const said = { run: run.hash, term: 1, base: open.base, attempt: open.attempt ?? 0, commitment };
          expect(await callMethod(deps, one.peer, commitMethod, said, { signal })).toEqual({ late: false });
        } else if (open.opened !== undefined && handed < open.round && chosen !== undefined) {
          handed = open.round;
          const other = player === liar ? updateOf(player, place, 9) : chosen;
          player.blobs.put(other.packed);
          const update = { run: run.hash, receipt: other.receipt, salt: chosen.salt };
          await callMethod(deps, one.peer, submitMethod, update, { signal }).catch((error: unknown) =>
            codes.push(PeerAiError.is(error) ? `${error.code}: ${error.message}` : 'other'),
          );
        }
      });
    });
    await here.clock.until(Promise.all(done));
    await here.clock.until(Promise.all(playing));
    expect(codes).toEqual(Array(2).fill('REFUSED: The update is not the one that this peer committed to.'));
    const [named] = refusedBy(two);
    expect(new Map(named as [string, string][])).toEqual(
      new Map([liar, copier].map(({ peer }) => [peer as string, 'not-committed'])),
    );
    expect(refusedBy(one)[0]).toEqual(named);
    expect(closedAt(one)).toHaveLength(3);
  });

  it('tries a round again when one that committed is gone before its update is in, and another came', async () => {
    const here = town();
    const [one, two, three] = players(here, 3) as [Player, Player, Player];
    const deps = { network: three.network, clock: here.clock };
    const attempts: (number | undefined)[] = [];
    const host = one.take([], { spec });
    const watching = byHand(here, three, one.peer, async ({ open }) => {
      if (open === undefined) return;
      attempts.push(open.attempt);
      const { commitment } = updateOf(three, { round: 0, base: open.base }, 1);
      const said = { run: run.hash, term: 1, base: open.base, attempt: open.attempt ?? 0, commitment };
      if (open.opened === undefined) await callMethod(deps, one.peer, commitMethod, said, { signal });
      else three.stop.abort();
    });
    await here.clock.until(watching);
    expect(new Set(attempts)).toEqual(new Set([1]));
    expect(closedAt(one)).toEqual([]);
    await here.clock.until(Promise.all([host, two.take([one], { spec })]));
    expect(closedAt(one)).toHaveLength(3);
    expect(closedAt(two)).toEqual(closedAt(one));
  });

  it('is left by a member whose coordinator opens a round twice', async () => {
    const here = town();
    const [lead, one] = players(here, 2) as [Player, Player];
    const network = here.networks.join(lead.peer, { isGranted: () => true });
    const open = {
      round: 0,
      base: first,
      members: [lead.peer, one.peer],
      present: 2,
      received: 1,
      needed: 2,
      attempt: 1,
    };
    serveMethod(network, watchMethod, async function* () {
      for (const value of [1, 2]) {
        yield { term: 1, open: { ...open, opened: new Uint8Array(32).fill(value) }, closed: undefined };
        await here.clock.sleep(100);
      }
    });
    await expect(here.clock.until(one.take([lead], { spec }))).rejects.toThrow('opened a round twice');
  });

  it('has other terms than one that is not, whose bytes stay as they were; and is never a private one', () => {
    expect(decodeRun(crypto, encodeRun(spec))).toMatchObject({ sealed: true, hash: run.hash });
    const open = { ...spec, sealed: undefined };
    expect(checkRun(crypto, open).hash).not.toEqual(run.hash);
    expect(encodeRun(spec).slice(0, -2)).toEqual(encodeRun(open));
    const members = players(town(), 3).map(({ peer }) => peer);
    const hidden = {
      ...spec,
      rule: 'masked-sum',
      bits: 32,
      membersMin: 3,
      private: { members, elementMax: 1 },
    } as const;
    expect(() => checkRun(crypto, hidden)).toThrow(code('INVALID_OPTION'));
    expect(checkRun(crypto, { ...hidden, sealed: undefined }).private?.members).toEqual(members);
  });
});

describe('a sealed round that closed', () => {
  const [one, two, three] = players(town(), 3) as [Player, Player, Player];
  const place = { round: 0, base: first };
  const [mine, other, late] = [updateOf(one, place, 1), updateOf(two, place, 2), updateOf(three, place, 3)];
  const commitments = [mine.commitment, other.commitment];
  const closed: ClosedRound = {
    round: 0,
    base: first,
    delta: first,
    deltaBytes: 1,
    next: first,
    refused: [],
    loss: undefined,
    receipts: [mine.receipt, other.receipt],
    commitments,
    salts: [mine.salt, other.salt],
    attempt: 1,
  };
  const told = { attempt: 1, opened: sealOf(crypto, commitments.toReversed()) };

  it('holds when each update opens one of the commitments that it was opened with', () => {
    expect(() => checkSealed(crypto, closed, told)).not.toThrow();
    // A member that heard of another try only, or of none, has nothing to hold it against.
    expect(() => checkSealed(crypto, closed, { attempt: 2, opened: first })).not.toThrow();
    expect(() => checkSealed(crypto, closed, undefined)).not.toThrow();
  });

  it.each([
    [
      'with an update that nobody committed to',
      { receipts: [mine.receipt, late.receipt], salts: [mine.salt, late.salt] },
      'not the one',
    ],
    [
      'with a commitment that was put in later',
      {
        receipts: [mine.receipt, late.receipt],
        salts: [mine.salt, late.salt],
        commitments: [...commitments, late.commitment],
      },
      'other commitments',
    ],
    ['with one commitment less', { commitments: [mine.commitment] }, 'other commitments'],
    ['with salts of other updates', { salts: [other.salt, mine.salt] }, 'not the one'],
    ['without salts', { salts: [] }, 'salt has 32 bytes'],
  ])('is refused %s', (_, change, text) => {
    expect(() => checkSealed(crypto, { ...closed, ...change }, told)).toThrow(text);
  });

  it('takes commitments of 32 bytes until it opens, the newest of each, and updates after that', () => {
    const seal = new Seal(crypto);
    expect(() => seal.commit(one.peer, mine.commitment.subarray(1))).toThrow(code('INVALID_FORMAT'));
    expect(seal.commit(one.peer, other.commitment)).toBe(false);
    expect(seal.commit(one.peer, mine.commitment)).toBe(false);
    expect(() => seal.admits(one.peer, mine.salt, mine.receipt)).toThrow(code('REFUSED'));
    seal.open();
    expect(seal.opened).toEqual(sealOf(crypto, [mine.commitment]));
    expect(seal.commit(two.peer, other.commitment)).toBe(true);
    expect(seal.commit(one.peer, mine.commitment)).toBe(false);
    expect(seal.commit(one.peer, other.commitment)).toBe(true);
    expect(seal.admits(two.peer, other.salt, other.receipt)).toBe(false);
    expect(seal.admits(one.peer, mine.salt, mine.receipt)).toBe(true);
    expect(() => seal.admits(one.peer, undefined, mine.receipt)).toThrow(code('REFUSED'));
    // Who broke its word is out of the next try of this round as well.
    const again = new Seal(crypto, seal);
    expect(again.attempt).toBe(2);
    expect(() => again.commit(one.peer, mine.commitment)).toThrow(code('REFUSED'));
  });
});
