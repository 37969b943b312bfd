import { type Identity, PeerAiError } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { createGroup } from '../../test/members.ts';
import { crypto } from '../../test/world.ts';
import { evidenceOf } from './evidence.ts';
import { encodeEvidenceFile, verifyEvidenceFile } from './evidence-file.ts';
import { agreementLimits as limits } from './limits.ts';
import { firstPlace } from './place.ts';
import { signStatement } from './statement.ts';

const { genesis, identities } = createGroup(4);
const [a, b] = identities as [Identity, Identity];
const { group } = firstPlace(crypto, genesis);
const code = (expected: string) => expect.objectContaining({ code: expected });
const lieOf = (who: Identity): Uint8Array => {
  const say = (mark: number) =>
    signStatement(who, {
      kind: 'finalize',
      group,
      epoch: 0,
      height: 7,
      view: 2,
      parent: 0,
      block: new Uint8Array(32).fill(mark),
    });
  return evidenceOf(say(1), say(2))?.bytes ?? new Uint8Array();
};

test('proven lies of a group go in one file that proves them to who has nothing else', () => {
  const file = encodeEvidenceFile([lieOf(a), lieOf(b)]);
  const facts = { kind: 'conflicting-finalize', group, epoch: 0, height: 7, view: 2 };
  expect(verifyEvidenceFile(crypto, file)).toMatchObject([
    { ...facts, member: a.peer },
    { ...facts, member: b.peer },
  ]);
  for (let at = 0; at < file.length; at += at < 8 ? 1 : 17) {
    const damaged = file.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x40;
    expect(() => verifyEvidenceFile(crypto, damaged), `${at}`).toThrow(PeerAiError);
  }
  const forged = file.slice();
  forged[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
  expect(() => verifyEvidenceFile(crypto, forged)).toThrow(code('INVALID_SIGNATURE'));
  for (const part of [file.slice(0, -1), file.slice(0, 2), new Uint8Array()])
    expect(() => verifyEvidenceFile(crypto, part)).toThrow(code('INVALID_FORMAT'));
  expect(() => verifyEvidenceFile(crypto, Uint8Array.of(8, 2))).toThrow(code('INVALID_VERSION'));
});

test('a file has as many lies as a member keeps, and as many bytes as those at their longest', () => {
  const longest = new Uint8Array(limits.evidenceBytesMax);
  const file = encodeEvidenceFile(Array.from({ length: limits.evidenceKeptMax }, () => longest));
  expect(file).toHaveLength(limits.evidenceFileBytesMax);
  expect(() => verifyEvidenceFile(crypto, file)).toThrow(code('INVALID_FORMAT'));
  expect(() => verifyEvidenceFile(crypto, new Uint8Array(limits.evidenceFileBytesMax + 1))).toThrow(
    code('LIMIT_EXCEEDED'),
  );
  const many = Array.from({ length: limits.evidenceKeptMax + 1 }, () => longest);
  expect(() => encodeEvidenceFile(many)).toThrow(code('LIMIT_EXCEEDED'));
  expect(() => encodeEvidenceFile([])).toThrow(code('INVALID_FORMAT'));
});
