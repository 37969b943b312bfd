import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../crypto/noble.ts';
import { limits } from '../limits.ts';
import { seededRandom } from '../testing/random.ts';
import { createIdentity } from './identity.ts';
import { openKeyStatement, signRevocation, signSuccession } from './key-statement.ts';
import { sealSigned } from './signed.ts';

const random = seededRandom(5);
const [old, next, thief] = [0, 1, 2].map(() => createIdentity(nobleCrypto, random.bytes(32))) as [
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
];
const nowMs = 1_750_000_000_000;
const times = { statedMs: nowMs, graceUntilMs: nowMs + 1_000 };
const open = (sealed: Uint8Array, atMs = nowMs) => openKeyStatement(nobleCrypto, sealed, atMs);
const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
};

describe('A key statement', () => {
  it('says who goes on under which key, or which key is ended', () => {
    expect(open(signSuccession(old, next, times))).toEqual({
      kind: 'succession',
      from: old.peer,
      to: next.peer,
      ...times,
    });
    expect(open(signRevocation(old, nowMs))).toEqual({ kind: 'revocation', peer: old.peer, statedMs: nowMs });
  });

  it('is refused with one byte changed, anywhere', () => {
    for (const sealed of [signSuccession(old, next, times), signRevocation(old, nowMs)]) {
      for (let place = 0; place < sealed.length; place += 1) {
        const changed = sealed.slice();
        changed[place] = (changed[place] ?? 0) ^ 1;
        expect(codeOf(() => open(changed))).toMatch(/^(INVALID_|LIMIT_EXCEEDED|CLOCK_SKEW)/);
      }
    }
  });

  it('makes nobody a successor who did not agree, and nobody of a key that did not sign', () => {
    // The thief signs over what the old key said of another.
    const agreed = signSuccession(old, next, times);
    const forged = signSuccession(old, { ...thief, publicKey: next.publicKey }, times);
    expect(forged).not.toEqual(agreed);
    expect(codeOf(() => open(forged))).toBe('INVALID_SIGNATURE');
    expect(codeOf(() => open(signSuccession({ ...old, sign: (bytes) => thief.sign(bytes) }, next, times)))).toBe(
      'INVALID_SIGNATURE',
    );
    expect(codeOf(() => open(signSuccession(old, old, times)))).toBe('INVALID_FORMAT');
    expect(codeOf(() => open(sealSigned(old, 'peerai/revocation/1', new Uint8Array())))).toMatch(/^INVALID_/);
  });

  it('is not from the future, and leaves the old key no longer than its limit', () => {
    const at = (statedMs: number) => codeOf(() => open(signRevocation(old, statedMs)));
    expect(at(nowMs + limits.clockSkewMsMax)).toMatchObject({ kind: 'revocation' });
    expect(at(nowMs + limits.clockSkewMsMax + 1)).toBe('CLOCK_SKEW');
    const grace = (ms: number) =>
      codeOf(() => signSuccession(old, next, { statedMs: nowMs, graceUntilMs: nowMs + ms }));
    expect(grace(limits.keyGraceMsMax)).toBeInstanceOf(Uint8Array);
    expect([grace(limits.keyGraceMsMax + 1), grace(-1)]).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED']);
  });

  it('is read up to its limit and not one byte more', () => {
    expect(codeOf(() => open(new Uint8Array(limits.keyStatementBytesMax)))).toBe('INVALID_FORMAT');
    expect(codeOf(() => open(new Uint8Array(limits.keyStatementBytesMax + 1)))).toBe('LIMIT_EXCEEDED');
  });
});
