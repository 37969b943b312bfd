import { compareUtf8, type Identity, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { someone, testChain } from '../../test/governance.ts';
import { crypto, type LedgerWorld, ledgerWorld, notes } from '../../test/world.ts';
import { membersPayload } from '../agreement/epoch.ts';
import { openLedger } from '../log/open.ts';
import { evidenceOfSize, verifyEquivocation } from '../witness/equivocation.ts';
import { decodeStatement, encodeStatement } from './entry.ts';
import { governanceLimits as limits } from './limits.ts';
import { type LogHeadWord, logHeadNote, signLogHead } from './log-heads.ts';
import { stateDigest } from './state.ts';

const group = 'ab'.repeat(32);
const [alice, bob] = [someone(), someone()];

/** A log under a key of a member; `begin` makes another history of it. */
async function logOf(identity: Identity, begin = 0) {
  const world: LedgerWorld = await ledgerWorld(1);
  const ledger = await openLedger({ ...world, identity, store: world.store.room(`of ${identity.peer} ${begin}`) });
  const heads = new Map<number, string>();
  const grow = async (count: number): Promise<void> => {
    await ledger.append(notes(count, Number(ledger.size) + begin));
    heads.set(Number(ledger.size), (await ledger.checkpoint()).note);
  };
  const word = async (from: number, size: number, more: Partial<{ path: readonly Uint8Array[] }> = {}) => {
    const path = from === 0 || from >= size ? [] : await ledger.proveConsistency(BigInt(from), BigInt(size));
    return signLogHead({ crypto, identity }, group, { note: heads.get(size) ?? '', from: BigInt(from), path, ...more });
  };
  return { ledger, heads, grow, word };
}
type Log = Awaited<ReturnType<typeof logOf>>;
let log: Log;
let other: Log;
beforeAll(async () => {
  [log, other] = [await logOf(alice), await logOf(alice, 1_000)];
  for (const count of [3, 4, 6]) for (const one of [log, other]) await one.grow(count);
});

const members = [alice.peer, bob.peer].toSorted(compareUtf8);
function begun(peers: readonly PeerId[] = members) {
  const chain = testChain({ crypto, ballots: { verify: async () => false } }, peers);
  const say = (by: PeerId, ...heads: readonly LogHeadWord[]) => chain.say(by, { type: 'log-heads', heads }, 1_000);
  return { chain, say, held: () => chain.state().logHeads };
}

describe('heads of members’ logs', () => {
  test('are held from block to block, whoever brings them, and each newer one leads on from the one before', async () => {
    const { say, held } = begun();
    expect(await say(alice.peer, await log.word(0, 3))).toBeUndefined();
    expect(await say(bob.peer, await log.word(3, 13))).toBeUndefined();
    expect(held().heads.get(alice.peer)).toMatchObject({ size: 13n, height: 2 });
    const head = held().heads.get(alice.peer);
    expect(head && logHeadNote(crypto, alice.peer, head)).toBe(log.heads.get(13));
    // Two brought one of them at once, or it is said again: nobody lied.
    expect(await say(bob.peer, await log.word(3, 7))).toBe('TOO_LATE');
    expect(await say(bob.peer, await log.word(0, 3))).toBe('TOO_LATE');
    expect(await say(alice.peer, await log.word(13, 13))).toBe('NO_EFFECT');
    expect(held().faults).toEqual([]);
  });

  test('that contradict the chain change nothing and name their log, as a fork, a rollback, or no path', async () => {
    const { chain, say, held } = begun();
    await say(alice.peer, await log.word(0, 7));
    const before = held().heads;
    expect(await say(bob.peer, await other.word(0, 7))).toBe('FORKED');
    expect(await say(bob.peer, await log.word(7, 3))).toBe('ROLLBACK');
    expect(await say(bob.peer, await other.word(7, 13))).toBe('INCONSISTENT');
    expect(held().heads).toEqual(before);
    expect(held().faults).toMatchObject([
      { origin: alice.peer, kind: 'forked', height: 2, held: { size: 7n }, said: { size: 7n } },
      { origin: alice.peer, kind: 'rollback', height: 3, said: { size: 3n } },
      { origin: alice.peer, kind: 'inconsistent', height: 4, said: { size: 13n } },
    ]);
    const [fork] = held().faults;
    const [a = '', b = ''] = [fork?.held, fork?.said].map((one) => one && logHeadNote(crypto, alice.peer, one));
    const evidence = evidenceOfSize(crypto, a, b) ?? new Uint8Array();
    expect(verifyEquivocation(crypto, evidence)).toMatchObject({ origin: alice.peer, kind: 'size' });
    // Said again it takes no more room, and one that is right is taken all the same.
    expect(await say(bob.peer, await log.word(7, 3), await log.word(7, 13))).toBeUndefined();
    expect(held().faults).toHaveLength(3);
    expect(stateDigest(crypto, chain.state())).toMatch(/^[\da-f]{64}$/u);
  });

  test('count only as their log signed them for this group, and of members', async () => {
    const { say, held, chain } = begun();
    const word = await log.word(0, 7);
    const later = await log.word(0, 13);
    for (const wrong of [
      { ...word, from: 3n },
      { ...word, root: later.root },
      { ...word, head: later.head },
      { ...word, origin: bob.peer },
      signLogHead({ crypto, identity: alice }, 'cd'.repeat(32), { note: log.heads.get(7) ?? '', from: 0n, path: [] }),
    ])
      expect(await say(bob.peer, wrong)).toBe('INVALID_SIGNATURE');
    const guest = await logOf(someone());
    await guest.grow(1);
    expect(await say(bob.peer, await guest.word(0, 1))).toBe('NOT_MEMBER');
    expect(held()).toEqual({ heads: new Map(), faults: [] });
    expect(() =>
      signLogHead({ crypto, identity: bob }, group, { note: log.heads.get(7) ?? '', from: 0n, path: [] }),
    ).toThrow(expect.objectContaining({ code: 'NOT_OUR_LOG' }));
    const action = { type: 'policy', name: 'log-heads.every_minutes', value: 0 } as const;
    const on = await chain.propose(alice.peer, { title: 'none', text: '', action, openMs: 60_000 }, 1_000);
    for (const by of members) await chain.say(by, { type: 'vote', on, choice: 'yes' }, 1_000);
    await chain.say(bob.peer, { type: 'close', on }, 1_000);
    expect(await say(bob.peer, word)).toBe('NO_EFFECT');
  });

  test('and lies of who is no member any more are kept up to the limit, heads of members always', async () => {
    const { say, held, chain } = begun([alice.peer, bob.peer]);
    await say(alice.peer, await log.word(0, 3));
    for (let count = 1; count <= limits.logHeadsKept; count += 1) {
      const late = someone();
      const one = await logOf(late, count);
      await one.grow(1);
      await chain.put({ author: alice.peer, payload: membersPayload([alice.peer, late.peer].toSorted(compareUtf8)) });
      expect(await say(alice.peer, await one.word(0, 1))).toBeUndefined();
      expect(held().heads.size).toBe(Math.min(limits.logHeadsKept, count + 1));
      if (count > limits.logHeadFaultsKept + 1) continue;
      const fork = await logOf(late, count + 1);
      await fork.grow(1);
      expect(await say(alice.peer, await fork.word(0, 1))).toBe('FORKED');
      expect(held().faults).toHaveLength(Math.min(limits.logHeadFaultsKept, count));
    }
    expect(held().heads.get(alice.peer)).toMatchObject({ size: 3n });
    expect([...held().heads.values()].map(({ height }) => height).toSorted((a, b) => a - b)[1]).toBe(6);
  });
});

describe('a word about a log', () => {
  const said = (heads: readonly LogHeadWord[]) => ({ timeMs: 7, said: { type: 'log-heads' as const, heads } });
  const code = (expected: string) => expect.objectContaining({ code: expected }) as PeerAiError;

  test('is read as it was written; one too many, too large or of another form is not', async () => {
    const word = await log.word(3, 13);
    const both = said([word, await log.word(0, 3)]);
    expect(decodeStatement(encodeStatement(both).body)).toEqual(both);
    const many = (count: number) => encodeStatement(said(Array.from({ length: count }, () => ({ ...word, path: [] }))));
    expect(decodeStatement(many(limits.logHeadsTogether).body).said).toMatchObject({ heads: { length: 32 } });
    expect(() => many(limits.logHeadsTogether + 1)).toThrow(code('LIMIT_EXCEEDED'));
    for (const at of [{ size: limits.logEntriesMax }, { from: limits.logEntriesMax }])
      expect(() => encodeStatement(said([{ ...word, ...at }]))).not.toThrow();
    for (const over of [{ size: limits.logEntriesMax + 1n }, { from: limits.logEntriesMax + 1n }])
      expect(() => encodeStatement(said([{ ...word, ...over }]))).toThrow(code('LIMIT_EXCEEDED'));
    const [short, long] = [new Uint8Array(31), new Uint8Array(65)];
    for (const wrong of [
      { size: 0n },
      { root: short },
      { head: long },
      { signature: long },
      { path: [short] },
      { from: 0n },
    ])
      expect(() => encodeStatement(said([{ ...word, ...wrong }]))).toThrow(code('INVALID_FORMAT'));
    expect(() => encodeStatement(said([]))).toThrow(code('INVALID_FORMAT'));
  });

  test('that was changed is refused by code, 10,000 times, and never taken', async () => {
    const word = await log.word(0, 13);
    const { body } = encodeStatement(said([word]));
    const { say, chain } = begun();
    let read = 0;
    const once = (bytes: Uint8Array): void => {
      const { said: one } = decodeStatement(bytes);
      read += one.type === 'log-heads' ? 1 : 0;
    };
    expect(readMutated(body, once, { random: seededRandom(5) }).refused).toBeGreaterThan(5_000);
    expect(read).toBeGreaterThan(0);
    for (let at = 0; at < 64; at += 1) {
      const head = word.head.slice();
      head[at] = (head[at] ?? 0) ^ 1;
      expect(await say(bob.peer, { ...word, head })).toBe('INVALID_SIGNATURE');
    }
    expect(chain.state().logHeads.heads.size).toBe(0);
  });
});
