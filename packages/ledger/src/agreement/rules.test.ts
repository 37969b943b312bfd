import { concatBytes, type Identity, type PeerId, PeerAiError, utf8 } from '@peerai/core-protocol';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { createGroup, identityOf, payload } from '../../test/members.ts';
import { crypto } from '../../test/world.ts';
import { decodeBlock, decodeDraft, draftOf, encodeBlock, encodeDraft } from './block.ts';
import { certificateOf, checkCertificate } from './certificate.ts';
import { decodeChainEntry, encodeChainEntry, signEntry } from './entry.ts';
import {
  agreementLimits as limits,
  type ChainEntry,
  decodeGenesis,
  encodeGenesis,
  type Epoch,
  faultsOf,
  groupIdOf,
  leaderOf,
  membersPayload,
  pbftNames,
  quorumOf,
  readMembersPayload,
  type SignedStatement,
  type Statement,
  verifyEvidence,
} from './index.ts';
import { evidenceOf } from './evidence.ts';
import { createMachine } from './machine.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { checkDraft, firstPlace, isEntryOf } from './place.ts';
import { simplexRules } from './rules.ts';
import { type AgreementState, stateAt } from './state.ts';
import { decodeStatement, encodeStatement, isSigned, noBlock, signStatement } from './statement.ts';

const { genesis, identities } = createGroup(4);
const [a, b, c, d] = identities as [Identity, Identity, Identity, Identity];
const place = firstPlace(crypto, genesis);
const { group, epoch } = place;
const hash = (mark: number): Uint8Array => new Uint8Array(32).fill(mark);
const code = (expected: string) => expect.objectContaining({ code: expected });
const say = (who: Identity, change: Partial<Statement> = {}): SignedStatement => {
  const { kind = 'notarize' } = change;
  const block = kind === 'nullify' ? noBlock : hash(1);
  return signStatement(who, { kind, group, epoch: 0, height: 1, view: 1, parent: 0, block, ...change });
};

test('a group of n bears a third of liars, and two quorums share an honest member', () => {
  expect([1, 3, 4, 6, 7, 32].map((count) => [faultsOf(count), quorumOf(count)])).toEqual([
    [0, 1],
    [0, 3],
    [1, 3],
    [1, 5],
    [2, 5],
    [10, 22],
  ]);
  for (let count = 1; count <= limits.membersMax; count += 1)
    expect(2 * quorumOf(count) - count).toBeGreaterThan(faultsOf(count));
  expect(pbftNames).toEqual({
    propose: 'pre-prepare',
    notarize: 'prepare',
    finalize: 'commit',
    nullify: 'view-change',
  });
});

test('each member leads in its turn, from height to height and from view to view', () => {
  const leaders = [0, 1, 2, 3].map((step) => [leaderOf(epoch, 1 + step, 1), leaderOf(epoch, 1, 1 + step)]);
  expect(leaders.map(([one, other]) => one === other)).toEqual([true, true, true, true]);
  expect(new Set(leaders.flat()).size).toBe(4);
});

test('a genesis is the same in every order of its members, and has all its limits', () => {
  const { members } = genesis;
  expect(groupIdOf(crypto, { ...genesis, members: members.toReversed() })).toEqual(group);
  expect(decodeGenesis(encodeGenesis(genesis))).toEqual({ ...genesis, members: epoch.members });
  const peers = Array.from({ length: limits.membersMax + 1 }, (_, at) => identityOf(at + 1).peer);
  expect(() => encodeGenesis({ ...genesis, members: peers.slice(1) })).not.toThrow();
  expect(() => encodeGenesis({ ...genesis, name: 'n'.repeat(limits.groupNameBytesMax) })).not.toThrow();
  for (const [wrong, expected] of [
    [{ members: peers }, 'INVALID_FORMAT'],
    [{ members: [] }, 'INVALID_FORMAT'],
    [{ members: [a.peer, a.peer] }, 'INVALID_FORMAT'],
    [{ nonce: new Uint8Array(limits.nonceBytes - 1) }, 'INVALID_FORMAT'],
    [{ name: '' }, 'INVALID_FORMAT'],
    [{ name: 'n'.repeat(limits.groupNameBytesMax + 1) }, 'LIMIT_EXCEEDED'],
  ] as const)
    expect(() => encodeGenesis({ ...genesis, ...wrong })).toThrow(code(expected));
  expect(readMembersPayload(membersPayload(members.toReversed()).body)).toEqual(epoch.members);
});

describe('a certificate', () => {
  const three = [a, b, c].map((who) => say(who));
  const whole = certificateOf('notarize', epoch, three);
  const check = (change: Partial<typeof whole>, under: Epoch = epoch, quorum = 3) =>
    checkCertificate(crypto, group, under, quorum, { ...whole, ...change });

  test('is the word of a quorum of its epoch', () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({}, epoch, 4)).toThrow(code('INVALID_SIGNATURE'));
    expect(() => check({}, { ...epoch, number: 1 })).toThrow(code('INVALID_FORMAT'));
  });

  test('binds group, height, view, kind and block, and each signature its member', () => {
    const [one = noBlock, two = noBlock, three = noBlock] = whole.signatures;
    for (const change of [{ height: 2 }, { view: 2 }, { kind: 'finalize' }, { block: hash(2) }] as const)
      expect(() => check(change)).toThrow(code('INVALID_SIGNATURE'));
    expect(() => check({ signatures: [two, one, three] })).toThrow(code('INVALID_SIGNATURE'));
    expect(() => checkCertificate(crypto, hash(9), epoch, 3, whole)).toThrow(code('INVALID_SIGNATURE'));
    for (const change of [
      { signatures: [one, two] },
      { signers: Uint8Array.of(0b1_0111) },
      { signers: Uint8Array.of(0b111, 0) },
      { signers: Uint8Array.of(0b11) },
      { block: noBlock },
    ])
      expect(() => check(change)).toThrow(code('INVALID_FORMAT'));
  });
});

describe('evidence', () => {
  const lies = [
    ['conflicting-propose', say(a, { kind: 'propose' }), say(a, { kind: 'propose', block: hash(2) })],
    ['conflicting-propose', say(a, { kind: 'propose', view: 3 }), say(a, { kind: 'propose', view: 3, parent: 1 })],
    ['conflicting-notarize', say(a), say(a, { block: hash(2) })],
    ['conflicting-finalize', say(a, { kind: 'finalize' }), say(a, { kind: 'finalize', block: hash(2) })],
    ['nullify-and-finalize', say(a, { kind: 'nullify' }), say(a, { kind: 'finalize' })],
  ] as const;

  test.for(lies)('%s is proven offline, by its bytes alone', ([kind, first, second]) => {
    const evidence = evidenceOf(first, second);
    expect(evidence).toMatchObject({ kind, member: a.peer, height: 1 });
    const bytes = evidence?.bytes ?? noBlock;
    expect(bytes.length).toBeLessThanOrEqual(limits.evidenceBytesMax);
    expect(verifyEvidence(crypto, bytes)).toMatchObject({ kind, member: a.peer, group });
  });

  test('is void with one changed byte, or when the two go together', () => {
    const bytes = evidenceOf(lies[0][1], lies[0][2])?.bytes ?? noBlock;
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      expect(() => verifyEvidence(crypto, damaged)).toThrow(PeerAiError);
    }
    const pair = (first: SignedStatement, second: SignedStatement): Uint8Array => {
      const [one, two] = [encodeStatement(first), encodeStatement(second)];
      const length = (of: Uint8Array): number[] => [(of.length & 127) | 128, of.length >> 7];
      return concatBytes(Uint8Array.of(10, ...length(one)), one, Uint8Array.of(18, ...length(two)), two);
    };
    expect(verifyEvidence(crypto, pair(say(a), say(a, { block: hash(2) }))).kind).toBe('conflicting-notarize');
    for (const other of [
      say(a),
      say(a, { view: 2, block: hash(2) }),
      say(a, { height: 2, block: hash(2) }),
      say(a, { epoch: 1, block: hash(2) }),
      say(a, { kind: 'finalize', block: hash(2) }),
      say(a, { kind: 'nullify' }),
      say(b, { block: hash(2) }),
      say(a, { group: hash(3), block: hash(2) }),
    ])
      expect(() => verifyEvidence(crypto, pair(say(a), other))).toThrow(code('EVIDENCE_WRONG'));
    expect(() => verifyEvidence(crypto, new Uint8Array(limits.evidenceBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
  });
});

test('a block may come next only in its place, with signed entries of members in their order', () => {
  const header = { group, height: 1, epoch: 0, previous: group, timeMs: 1 };
  const entry = signEntry(a, group, 1, payload('x'));
  const check = (change: Partial<typeof header>, entries = [entry]) =>
    checkDraft(crypto, place, draftOf(crypto, { ...header, ...change }, entries));
  expect(() => check({})).not.toThrow();
  for (const change of [{ group: hash(1) }, { height: 2 }, { epoch: 1 }, { previous: hash(1) }])
    expect(() => check(change)).toThrow(code('BLOCK_WRONG'));
  for (const entries of [
    [],
    [signEntry(a, group, 2, payload('x'))],
    [entry, entry],
    [signEntry(identityOf(77), group, 1, payload('x'))],
    [{ ...entry, body: utf8('y') }],
    [signEntry(a, hash(5), 1, payload('x'))],
    [1, 2].map((number) => signEntry(a, group, number, membersPayload(genesis.members))),
    [signEntry(a, group, 1, { kind: 'agreement/members', body: hash(1) })],
    ofBytes(limits.blockEntriesBytesMax + 1),
  ])
    expect(() => check({}, entries)).toThrow(code('BLOCK_WRONG'));
  expect(() => check({}, ofBytes(limits.blockEntriesBytesMax))).not.toThrow();

  /** Entries that have so many bytes together. */
  function ofBytes(bytes: number): ChainEntry[] {
    const entryOf = (at: number, length: number) =>
      signEntry(a, group, at + 1, { kind: 'k', body: new Uint8Array(length) });
    const full = Array.from({ length: 7 }, (_, at) => entryOf(at, limits.entryBodyBytesMax));
    const [frame = 0] = full.map((one) => encodeChainEntry(one).length - limits.entryBodyBytesMax);
    const last = bytes - 7 * (limits.entryBodyBytesMax + frame) - frame;
    // A body below 2^14 bytes takes one byte less to say how long it is.
    const whole = [...full, entryOf(7, last + 1)];
    expect(whole.reduce((sum, one) => sum + encodeChainEntry(one).length, 0)).toBe(bytes);
    return whole;
  }
});

describe('the rules', () => {
  test('nobody gives a view up and finalizes in it', () => {
    const may = (nullify: boolean, finalize: boolean) =>
      (['notarize', 'nullify', 'finalize'] as const).map((next) => simplexRules.maySay({ nullify, finalize }, next));
    expect([may(false, false), may(true, false), may(false, true)]).toEqual([
      [true, true, true],
      [false, false, false],
      [true, false, true],
    ]);
  });

  test('no view that may have decided something is passed over', () => {
    const [nullified, notarized] = [
      [a, b, c].map((who) => say(who, { kind: 'nullify' })),
      [a, b, c].map((who) => say(who)),
    ];
    const none = { statements: new Map(), notarized: undefined, nullified: undefined, finalized: undefined };
    const empty = { ...none, nullified: certificateOf('nullify', epoch, nullified) };
    const full = { ...none, notarized: certificateOf('notarize', epoch, notarized) };
    const is = (views: readonly (typeof none | typeof empty | typeof full)[], parent: number, block: Uint8Array) =>
      simplexRules.isJustified(new Map(views.map((one, at) => [at + 1, one])), views.length + 1, parent, block);
    expect([is([], 0, hash(2)), is([empty], 0, hash(2)), is([empty, empty], 0, hash(2))]).toEqual([true, true, true]);
    expect([is([none], 0, hash(2)), is([full], 0, hash(1)), is([empty, none], 0, hash(2))]).toEqual([
      false,
      false,
      false,
    ]);
    expect([is([full], 1, hash(1)), is([full, empty], 1, hash(1))]).toEqual([true, true]);
    expect([is([full], 1, hash(2)), is([full, none], 1, hash(1)), is([empty], 1, hash(1))]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('one step', () => {
  const times = { viewTimeoutMs: 2_000, viewTimeoutMsMax: 60_000, resendMs: 500, idleMs: 15_000 };
  const machine = createMachine({ crypto, identity: d, judge: () => true, rules: simplexRules, times });
  const receive = (state: AgreementState, from: PeerId, parts: Parameters<typeof encodeMessage>[0]): AgreementState =>
    machine.step(state, { type: 'received', from, bytes: encodeMessage(parts), timeMs: 1 }, 1_000)[0];
  const votes = (...all: readonly SignedStatement[]) => ({ votes: all.map(encodeStatement) });
  const countOf = ({ round }: AgreementState): number =>
    [...round.views.values()].reduce((sum, { statements }) => sum + statements.size, 0);

  test('changes nothing in the state it was given, and gives the same again', () => {
    const before = stateAt(place);
    const copy = structuredClone(before);
    const event = { type: 'received', from: a.peer, bytes: encodeMessage(votes(say(a))), timeMs: 1 } as const;
    expect(machine.step(before, event, 5)).toEqual(machine.step(before, event, 5));
    expect(before).toEqual(copy);
  });

  test('keeps one vote of each kind of each member, signed by it, for views that are not too far ahead', () => {
    const counts = (...all: readonly SignedStatement[]): number =>
      countOf(receive(stateAt(place), a.peer, votes(...all)));
    expect(counts(say(a), say(a), say(b))).toBe(2);
    expect(counts({ ...say(a), signer: b.peer })).toBe(0);
    expect(counts(say(identityOf(77)))).toBe(0);
    expect(counts(say(a, { epoch: 1 }), say(a, { height: 2 }), say(a, { group: hash(1) }))).toBe(0);
    expect(counts(say(a, { view: 1 + limits.viewsAheadMax }))).toBe(1);
    expect(counts(say(a, { view: 2 + limits.viewsAheadMax }))).toBe(0);
  });

  test('takes nobody’s word for its own', () => {
    const forged = { ...say(d), block: hash(2) };
    expect(countOf(receive(stateAt(place), a.peer, votes(forged)))).toBe(0);
  });

  test('keeps so many messages of each for the height to come', () => {
    let state = stateAt(place);
    for (let at = 0; at <= limits.earlyMessagesMax; at += 1)
      state = receive(state, a.peer, votes(say(a, { height: 2, view: 1 + (at % 3) })));
    expect(state.early.get(a.peer)).toHaveLength(limits.earlyMessagesMax);
    expect(receive(stateAt(place), a.peer, votes(say(a, { height: 3 }))).early.size).toBe(0);
  });

  test('keeps so many entries of each author that wait, the newest it signed for a place', () => {
    const entries = (...numbers: readonly number[]) => ({
      entries: numbers.map((number) => encodeChainEntry(signEntry(a, group, number, payload(`${number}`)))),
    });
    const last = limits.pendingPerAuthorMax;
    const state = receive(receive(stateAt(place), b.peer, entries(last, last + 1)), b.peer, entries(last));
    expect([...(state.pool.get(a.peer)?.keys() ?? [])]).toEqual([last]);
    const other = encodeChainEntry(signEntry(a, group, last, payload('other')));
    expect(
      receive(state, b.peer, { entries: [other] })
        .pool.get(a.peer)
        ?.get(last)?.body,
    ).toEqual(utf8('other'));
  });

  test('keeps single votes of so many views behind its own', () => {
    const nullify = [a, b, c].map((who) => say(who, { kind: 'nullify', view: limits.viewsBehindMax + 1 }));
    const later = receive(stateAt(place), a.peer, { certificates: [certificateOf('nullify', epoch, nullify)] });
    expect(later.round.view).toBe(limits.viewsBehindMax + 2);
    const more = (view: number): number => countOf(receive(later, a.peer, votes(say(a, { view })))) - countOf(later);
    expect([more(2), more(1)]).toEqual([1, 0]);
  });

  test('keeps so many proven lies, one of each kind for each member', () => {
    const keptWith = (count: number): number => {
      const lies = new Set(Array.from({ length: count }, (_, at) => `${at}`));
      return receive({ ...stateAt(place), lies }, a.peer, votes(say(a), say(a, { block: hash(2) }))).lies.size - count;
    };
    expect([keptWith(0), keptWith(limits.evidenceKeptMax - 1), keptWith(limits.evidenceKeptMax)]).toEqual([1, 1, 0]);
    const once = receive(stateAt(place), a.peer, votes(say(a), say(a, { block: hash(2) }), say(a, { block: hash(3) })));
    expect(once.lies.size).toBe(1);
  });

  test('goes to the view that a certificate allows, and no further than there are', () => {
    const nullify = (view: number) =>
      certificateOf(
        'nullify',
        epoch,
        [a, b, c].map((who) => say(who, { kind: 'nullify', view })),
      );
    const viewAfter = (view: number) => receive(stateAt(place), a.peer, { certificates: [nullify(view)] }).round.view;
    expect([viewAfter(1), viewAfter(limits.viewsMax - 1)]).toEqual([2, limits.viewsMax]);
    expect([viewAfter(limits.viewsMax), viewAfter(limits.viewsMax + 1)]).toEqual([1, 1]);
    const few = { ...nullify(1), signers: Uint8Array.of(0b11), signatures: nullify(1).signatures.slice(1) };
    expect(receive(stateAt(place), a.peer, { certificates: [few] }).round.view).toBe(1);
  });
});

test('a block and a message hold so much, and nothing above', () => {
  const entry = { author: a.peer, number: 1, kind: 'k', body: noBlock, signature: new Uint8Array(64) };
  const header = { group, height: 1, epoch: 0, previous: group, timeMs: 1 };
  const block = (count: number) =>
    encodeDraft(
      draftOf(
        crypto,
        header,
        Array.from({ length: count }, () => entry),
      ),
    );
  expect(decodeDraft(crypto, block(limits.blockEntriesMax)).entries).toHaveLength(limits.blockEntriesMax);
  expect(() => decodeDraft(crypto, block(limits.blockEntriesMax + 1))).toThrow(code('INVALID_FORMAT'));
  expect(() => decodeDraft(crypto, new Uint8Array(limits.blockBytesMax))).toThrow(code('INVALID_FORMAT'));
  expect(() => decodeDraft(crypto, new Uint8Array(limits.blockBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
  expect(() => decodeChainEntry(new Uint8Array(limits.entryBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
  const certificate = certificateOf('notarize', epoch, [say(a)]);
  const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
  for (const [most, parts] of [
    [limits.certificatesPerMessageMax, (count: number) => ({ certificates: many(count, certificate) })],
    [limits.blocksPerMessageMax, (count: number) => ({ blocks: many(count, noBlock) })],
    [limits.pendingPerAuthorMax, (count: number) => ({ entries: many(count, noBlock) })],
    [limits.votesPerMessageMax, (count: number) => ({ votes: many(count, noBlock) })],
  ] as const) {
    expect(() => decodeMessage(encodeMessage(parts(most)))).not.toThrow();
    expect(() => decodeMessage(encodeMessage(parts(most + 1)))).toThrow(code('INVALID_FORMAT'));
  }
});

test('so many peers may ever have been members', () => {
  const numbers = new Map(Array.from({ length: limits.everMembersMax - 1 }, (_, at) => [`${at}` as PeerId, 0]));
  const full = { ...place, numbers };
  const entryOf = (...peers: readonly PeerId[]) => signEntry(a, group, 1, membersPayload(peers));
  expect(isEntryOf(full, 1, entryOf(a.peer))).toBe(true);
  expect(isEntryOf(full, 1, entryOf(a.peer, b.peer))).toBe(false);
});

test('no decoder breaks on ten thousand damaged inputs each', { timeout: 60_000 }, () => {
  const entry = signEntry(a, group, 1, payload('x'));
  const draft = draftOf(crypto, { group, height: 1, epoch: 0, previous: group, timeMs: 1 }, [entry]);
  const votes = [a, b, c].map((who) => say(who, { kind: 'finalize', block: draft.hash }));
  const certificate = certificateOf('finalize', epoch, votes);
  const block = encodeBlock({ ...draft, certificate });
  const whole = encodeMessage({
    entries: [encodeChainEntry(entry)],
    proposal: encodeStatement(say(a, { kind: 'propose' })),
    draft: encodeDraft(draft),
    votes: votes.map(encodeStatement),
    certificates: [certificate],
    where: { height: 1, view: 1, missing: 1, wants: hash(1) },
    blocks: [block],
    reach: {
      hears: Uint8Array.of(7),
      has: Uint8Array.of(1, 2, 3, 4),
      pending: [1, 0, 4],
      ages: Uint8Array.of(0, 9, 255),
    },
  });
  const random = seededRandom(5);
  for (const [bytes, decode] of [
    [whole, decodeMessage],
    [block, (one: Uint8Array) => decodeBlock(crypto, one)],
    [encodeChainEntry(entry), decodeChainEntry],
    [encodeStatement(say(a)), decodeStatement],
    [encodeGenesis(genesis), decodeGenesis],
  ] as const) {
    const { refused } = readMutated(bytes, decode, { random });
    expect(refused).toBeGreaterThan(5_000);
  }
  expect(isSigned(crypto, decodeStatement(encodeStatement(say(a))))).toBe(true);
});
