import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerId } from '../ports/index.ts';
import { type AccessFacts, decide, type ShareFacts } from './decide.ts';

const guest = 'guest' as PeerId;
const share: ShareFacts = {
  ticketId: new Uint8Array(8),
  models: ['nano'],
  tokens: 1_000,
  tokensUsed: 100,
  tokensReserved: 0,
  expiresMs: 2_000,
  revoked: false,
  guests: 2,
  guestsSeen: [],
  concurrency: 1,
  active: 0,
};
const facts: AccessFacts = {
  nowMs: 1_000,
  peer: guest,
  resource: 'model:nano',
  units: 200,
  share,
  proofValid: true,
  owesReceipt: false,
};
const { share: _share, ...stranger } = facts;
const others = ['a', 'b'] as PeerId[];

describe('A ticket', () => {
  it('lets its guest ask what was shared, within its bounds', () => {
    expect(decide(facts)).toEqual({ allowed: true, via: 'share', units: 200 });
    expect(decide({ ...facts, nowMs: 1_999 })).toMatchObject({ allowed: true });
  });

  it('grants what is left when the budget is nearly spent, and nothing only when nothing is', () => {
    const left = (tokensUsed: number, tokensReserved = 0) =>
      decide({ ...facts, share: { ...share, concurrency: 9, tokensUsed, tokensReserved } });
    expect(left(800)).toMatchObject({ units: 200 });
    expect(left(801)).toMatchObject({ units: 199 });
    expect(left(999)).toMatchObject({ units: 1 });
    expect(left(500, 499)).toMatchObject({ units: 1 });
    expect(left(1_000)).toMatchObject({ code: 'BUDGET_SPENT' });
    expect(left(500, 500)).toMatchObject({ code: 'BUDGET_SPENT' });
    expect(left(1_001)).toMatchObject({ code: 'BUDGET_SPENT' });
  });

  const refusals: [string, Partial<AccessFacts>][] = [
    ['TICKET_INVALID', { proofValid: false }],
    ['TICKET_REVOKED', { share: { ...share, revoked: true } }],
    ['TICKET_EXPIRED', { nowMs: 2_000 }],
    ['BUDGET_SPENT', { share: { ...share, tokensUsed: 1_000 } }],
    ['MODEL_NOT_SHARED', { resource: 'model:other' }],
    ['MODEL_NOT_SHARED', { resource: 'nano' }],
    ['TOO_MANY_GUESTS', { share: { ...share, guestsSeen: others } }],
    ['TOO_MANY', { share: { ...share, active: 1 } }],
    ['RECEIPT_UNSIGNED', { owesReceipt: true }],
    ['PEER_BLOCKED', { pairing: { allow: [], blocked: true } }],
    ['PEER_BLOCKED', { pairing: { allow: ['chat'], blocked: true } }],
  ];
  it.each(refusals)('is refused with %s for %j', (code, change) => {
    expect(decide({ ...facts, ...change })).toMatchObject({ allowed: false, code });
  });

  it('says something different for every code', () => {
    const messages = refusals.map(([code, change]) => [code, decide({ ...facts, ...change })] as const);
    const texts = new Map(messages.map(([code, verdict]) => [code, verdict.allowed ? '' : verdict.message]));
    expect(new Set(texts.values()).size).toBe(texts.size);
  });

  it('knows a guest who has been here, also when the guests are complete', () => {
    const complete = { ...share, guestsSeen: [...others, guest], guests: 3 };
    expect(decide({ ...facts, share: complete })).toMatchObject({ allowed: true });
    expect(decide({ ...facts, share: { ...complete, guests: 1 } })).toMatchObject({ allowed: true });
    expect(decide({ ...facts, share: { ...share, guestsSeen: ['a' as PeerId] } })).toMatchObject({ allowed: true });
  });
});

it('A ticket for a run admits to that run, and to no other and no model', () => {
  const may = (resource: string) => decide({ ...facts, resource, share: { ...share, models: [], runs: ['one'] } });
  expect(may('train:one')).toMatchObject({ allowed: true, via: 'share' });
  for (const other of ['train:two', 'train:', 'model:one', 'model:nano', 'one', 'tasks:one'])
    expect([other, may(other)]).toEqual([other, expect.objectContaining({ code: 'MODEL_NOT_SHARED' })]);
  expect(decide({ ...facts, resource: 'train:one' })).toMatchObject({ code: 'MODEL_NOT_SHARED' });
});

describe('Without a ticket', () => {
  it('a stranger gets nothing, a bad ticket is named as such', () => {
    expect(decide({ ...stranger, proofValid: false })).toMatchObject({ code: 'NOT_GRANTED' });
    expect(decide({ ...stranger, proofValid: true })).toMatchObject({ code: 'NOT_GRANTED' });
    expect(decide({ ...stranger, ticketPresented: true })).toMatchObject({ code: 'TICKET_INVALID' });
  });

  it('a paired device gets what pairing allowed, whatever its ticket says', () => {
    const paired = { ...facts, pairing: { allow: ['chat'], blocked: false }, proofValid: false, owesReceipt: true };
    expect(decide(paired)).toEqual({ allowed: true, via: 'pairing', units: 200 });
    const tasksOnly = { allow: ['tasks'], blocked: false };
    expect(decide({ ...stranger, pairing: tasksOnly })).toMatchObject({ code: 'NOT_GRANTED' });
    expect(decide({ ...facts, pairing: tasksOnly })).toMatchObject({ via: 'share' });
    expect(decide({ ...stranger, resource: 'tasks:any', pairing: tasksOnly })).toMatchObject({ via: 'pairing' });
  });
});

describe('Whatever the facts', () => {
  const peers = fc.constantFrom(...(['guest', 'a', 'b', 'c'] as PeerId[]));
  const small = fc.integer({ min: 0, max: 20 });
  const anyShare: fc.Arbitrary<ShareFacts> = fc.record({
    ticketId: fc.constant(new Uint8Array(8)),
    models: fc.subarray(['nano', 'other']),
    tokens: small,
    tokensUsed: small,
    tokensReserved: small,
    expiresMs: small,
    revoked: fc.boolean(),
    guests: fc.integer({ min: 0, max: 3 }),
    guestsSeen: fc.uniqueArray(peers),
    concurrency: fc.integer({ min: 0, max: 3 }),
    active: fc.integer({ min: 0, max: 3 }),
  });
  const anyFacts = fc.record(
    {
      nowMs: small,
      peer: peers,
      resource: fc.constantFrom('model:nano', 'model:other'),
      units: fc.integer({ min: 1, max: 20 }),
      pairing: fc.record({ allow: fc.subarray(['chat', 'tasks']), blocked: fc.boolean() }),
      share: anyShare,
      proofValid: fc.boolean(),
      owesReceipt: fc.boolean(),
    },
    { requiredKeys: ['nowMs', 'peer', 'resource', 'units', 'proofValid', 'owesReceipt'] },
  ) as fc.Arbitrary<AccessFacts>;

  it('never promises more than the budget, never to a blocked, unproven or late guest', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const verdict = decide(given);
        if (!verdict.allowed) return;
        expect(verdict.units).toBeGreaterThan(0);
        expect(verdict.units).toBeLessThanOrEqual(given.units);
        expect(given.pairing?.blocked ?? false).toBe(false);
        if (verdict.via === 'pairing') {
          expect(given.pairing?.allow).toContain('chat');
          return;
        }
        const used = given.share;
        if (used === undefined) throw new Error('a share is needed');
        expect(used.tokensUsed + used.tokensReserved + verdict.units).toBeLessThanOrEqual(used.tokens);
        expect([given.proofValid, used.revoked, given.owesReceipt]).toEqual([true, false, false]);
        expect(given.nowMs).toBeLessThan(used.expiresMs);
        expect(used.active).toBeLessThan(used.concurrency);
        expect(used.models.map((model) => `model:${model}`)).toContain(given.resource);
        expect(new Set([...used.guestsSeen, given.peer]).size).toBeLessThanOrEqual(
          Math.max(used.guests, [...used.guestsSeen].length),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('is monotonic: revoking, expiring, spending or blocking never opens anything', () => {
    fc.assert(
      fc.property(anyFacts, anyShare, (given, base) => {
        if (decide({ ...given, share: base }).allowed) return;
        const worse: Partial<AccessFacts>[] = [
          { share: { ...base, revoked: true } },
          { share: { ...base, tokensUsed: base.tokensUsed + 1 } },
          { share: { ...base, active: base.active + 1 } },
          { share: base, nowMs: given.nowMs + 1 },
          { share: base, proofValid: false },
          { share: base, owesReceipt: true },
        ];
        for (const change of worse) expect(decide({ ...given, ...change }).allowed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
