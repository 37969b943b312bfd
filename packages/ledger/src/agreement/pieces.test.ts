import { utf8 } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { createGroup, payload } from '../../test/members.ts';
import { crypto } from '../../test/world.ts';
import { draftOf, encodeBlock, encodeDraft } from './block.ts';
import { encodeChainEntry, signEntry } from './entry.ts';
import { groupIdOf } from './epoch.ts';
import { agreementLimits as limits, isAgreementMessage, messagePieces, saysWhere } from './index.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { encodeStatement, signStatement } from './statement.ts';
import type { Certificate } from './types.ts';

const { identities, genesis } = createGroup(4);
const [author] = identities as [(typeof identities)[0]];
const group = groupIdOf(crypto, genesis);
const certificate: Certificate = {
  kind: 'finalize',
  epoch: 0,
  height: 1,
  view: 1,
  block: new Uint8Array(32).fill(1),
  signers: Uint8Array.of(7),
  signatures: [1, 2, 3].map((byte) => new Uint8Array(64).fill(byte)),
};
const entryOf = (number: number, bytes: number) =>
  signEntry(author, group, number, { kind: 'note', body: new Uint8Array(bytes).fill(number) });
const draft = (of: Uint8Array, height: number, bytes: number) =>
  draftOf(crypto, { group: of, height, epoch: 0, previous: of, timeMs: 0 }, [entryOf(height, bytes)]);
const blockOf = (height: number, bytes: number, of = group) =>
  encodeBlock({ ...draft(of, height, bytes), certificate });
const vote = (of = group) =>
  encodeStatement(
    signStatement(author, {
      kind: 'notarize',
      group: of,
      epoch: 0,
      height: 1,
      view: 1,
      parent: 0,
      block: new Uint8Array(32),
    }),
  );
const where = { height: 1, view: 1, missing: 1, wants: new Uint8Array() };

describe('a message for a way that takes less', () => {
  const blocks = [1, 2, 3, 4].map((height) => blockOf(height, 1_000));
  const entries = [5, 6].map((number) => encodeChainEntry(entryOf(number, 500)));
  const whole = encodeMessage({ where, votes: [vote()], certificates: [certificate], entries, blocks });

  test('goes as it is while it fits, and one byte less makes it two that say the same together', () => {
    expect(messagePieces(whole, whole.length)).toEqual([whole]);
    const pieces = messagePieces(whole, whole.length - 1);
    expect(pieces).toHaveLength(2);
    const said = pieces.map(decodeMessage);
    expect(said.flatMap((one) => one.blocks)).toEqual(blocks);
    expect(said.flatMap((one) => one.entries)).toEqual(entries);
    expect(said.flatMap((one) => one.votes)).toEqual([vote()]);
    expect(said.flatMap((one) => one.certificates)).toEqual([certificate]);
    expect(said.map((one) => one.where)).toEqual([where, undefined]);
  });

  test('is cut so that no piece is longer than it may be, and as few as fit', () => {
    const one = encodeMessage({ blocks: blocks.slice(0, 2) }).length;
    const pieces = messagePieces(encodeMessage({ blocks }), one);
    expect(pieces.map((bytes) => bytes.length)).toEqual([one, one]);
    expect(messagePieces(encodeMessage({ blocks }), one - 1)).toHaveLength(4);
  });

  test('loses a block that is too long by itself with all blocks after it, and nothing else', () => {
    const large = encodeMessage({ votes: [vote()], blocks: [blockOf(1, 100), blockOf(2, 2_000), blockOf(3, 100)] });
    const limit = encodeMessage({ blocks: [blockOf(2, 2_000)] }).length;
    const blocksIn = (bytesMax: number) =>
      messagePieces(large, bytesMax).flatMap((bytes) => decodeMessage(bytes).blocks).length;
    expect([blocksIn(limit), blocksIn(limit - 1)]).toEqual([3, 1]);
    expect(messagePieces(large, limit - 1).flatMap((bytes) => decodeMessage(bytes).votes)).toEqual([vote()]);
    const proposed = encodeMessage({ proposal: vote(), draft: encodeDraft(draft(group, 1, 9_000)) });
    expect(messagePieces(proposed, 1_000)).toEqual([encodeMessage({ proposal: vote() })]);
  });
});

describe('a message of a group', () => {
  test('is told from what is none, down to each part', () => {
    const other = crypto.sha256(utf8('another group'));
    const isMessage = (bytes: Uint8Array): boolean => isAgreementMessage(crypto, group, bytes);
    const good = encodeMessage({
      where,
      votes: [vote()],
      certificates: [certificate],
      entries: [encodeChainEntry(signEntry(author, group, 1, payload('x')))],
      draft: encodeDraft(draft(group, 1, 10)),
      blocks: [blockOf(1, 10)],
    });
    const wrong = {
      nothing: new Uint8Array(),
      noise: crypto.sha256(utf8('noise')),
      'an entry': encodeMessage({ entries: [Uint8Array.of(1)] }),
      'a vote': encodeMessage({ votes: [vote().slice(0, -1)] }),
      'a draft': encodeMessage({ draft: blockOf(1, 10) }),
      'a block': encodeMessage({ blocks: [encodeDraft(draft(group, 1, 10))] }),
      'another group’s vote': encodeMessage({ votes: [vote(other)] }),
      'another group’s proposal': encodeMessage({ proposal: vote(other) }),
      'another group’s draft': encodeMessage({ draft: encodeDraft(draft(other, 1, 10)) }),
      'another group’s block': encodeMessage({ blocks: [blockOf(1, 10, other)] }),
      'too long': new Uint8Array(limits.messageBytesMax + 1),
    };
    expect(isMessage(good)).toBe(true);
    const taken = Object.entries(wrong).flatMap(([what, bytes]) => (isMessage(bytes) ? [what] : []));
    expect(taken).toEqual([]);
  });

  test('says where its sender stands, or not', () => {
    expect(saysWhere(encodeMessage({ where, votes: [vote()] }))).toBe(true);
    expect(saysWhere(encodeMessage({ votes: [vote()] }))).toBe(false);
  });
});
