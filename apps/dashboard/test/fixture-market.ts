import type { DepositView, MarketOffersView, MarketView, MeteredLeaseView, SettlementView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';
import { answerStorage, fixtureStorage, type StorageState } from './fixture-storage.ts';

const study = { peerId: '12D3KooWStudy', peerName: 'study-pc' };
const mira = { peerId: '12D3KooWMira', peerName: 'mira-mac' };

function fixtureLease(patch: Partial<MeteredLeaseView>, nowMs: number): MeteredLeaseView {
  return {
    id: 'a1'.repeat(32),
    role: 'borrower',
    ...study,
    state: 'active',
    resource: 'model',
    model: 'mistral',
    unitPriceMicro: '500000',
    tokensMax: 100_000,
    tokensUsed: 24_500,
    answers: 31,
    priceMicro: '50000000',
    dueMicro: '12250000',
    lockedMicro: '37750000',
    sinceMs: nowMs - 600_000,
    endsMs: nowMs + 3_000_000,
    endedMs: null,
    agreed: false,
    ...patch,
  };
}

const done = (digits: string) => ({ transaction: `0x${digits.repeat(32)}`, gasUsed: '92994' });
const address = `0x${'5e'.repeat(20)}`;

function fixtureDeposit(patch: Partial<DepositView>): DepositView {
  return {
    lease: 'a1'.repeat(32),
    of: 'model',
    ...study,
    role: 'borrower',
    state: 'open',
    amountMicro: '50000000',
    paidMicro: '0',
    amountWei: '50000000000000000',
    paidWei: '0',
    endorsed: 31,
    refundMs: 0,
    reference: null,
    opened: done('a0'),
    closed: null,
    failure: null,
    ...patch,
  };
}

export interface MarketState {
  readonly offers: MarketOffersView;
  readonly storage: StorageState;
  settlement: SettlementView;
  view: MarketView;
}

/** A lease that runs, one that is settled, and one that is disputed. */
export function fixtureMarket(nowMs: number): MarketState {
  const offer = { model: 'mistral', unitPriceMicro: '500000', tokensMax: 1_000_000, minutesMax: 1_440 };
  const over = { agreed: true, lockedMicro: '0', endedMs: nowMs - 60_000 };
  return {
    storage: fixtureStorage(nowMs),
    settlement: {
      v: 1,
      kind: 'evm',
      chain: {
        node: '127.0.0.1:8545',
        chainId: 31_337,
        contract: `0x${'c0'.repeat(20)}`,
        weiPerMicro: '1000000000',
        address,
        balanceWei: '1500000000000000000',
        creditWei: '1250000000000000',
        problem: null,
      },
    },
    offers: {
      v: 1,
      models: [{ ...study, ...offer }],
      nodes: [],
      storage: [],
      unanswered: [{ ...mira, code: 'TIMEOUT', message: 'no answer in time' }],
    },
    view: {
      v: 1,
      unit: 'A credit counts what two peers did for each other.',
      mostMicro: '100000000',
      settlement: 'evm',
      offers: [{ ...offer, model: 'nano' }],
      leases: [
        fixtureLease({}, nowMs),
        fixtureLease({ id: 'b2'.repeat(32), role: 'lender', ...mira, model: 'nano', state: 'settled', ...over }, nowMs),
        fixtureLease({ id: 'c3'.repeat(32), state: 'disputed', ...over, agreed: false }, nowMs),
      ],
      balances: [
        { ...study, owesMicro: '24500000', lockedByUsMicro: '37750000', lockedByThemMicro: '0' },
        { ...mira, owesMicro: '-1250000', lockedByUsMicro: '0', lockedByThemMicro: '0' },
      ],
      deposits: [
        fixtureDeposit({
          state: 'settled',
          role: 'lender',
          ...mira,
          lease: 'b2'.repeat(32),
          paidMicro: '12250000',
          opened: null,
        }),
        fixtureDeposit({ failure: { code: 'SETTLEMENT_FAILED', message: 'the node is away', atMs: nowMs } }),
      ],
    },
  };
}

/** The market of the local API. */
export function answerMarket(
  { market }: { readonly market: MarketState },
  { method, path, query }: { readonly method: string; readonly path: string; readonly query: URLSearchParams },
  body: unknown,
  sentBytes: number,
): unknown {
  const change = (id: string, patch: Partial<MeteredLeaseView>): MeteredLeaseView | undefined => {
    market.view = {
      ...market.view,
      leases: market.view.leases.map((one) => (one.id === id ? { ...one, ...patch } : one)),
    };
    return market.view.leases.find((one) => one.id === id);
  };
  const [, , room, id = '', verb] = path.split('/');
  if (room === 'storage')
    return answerStorage(market.storage, { method, path, query, sentBytes }, body, (patch) => {
      const lease = fixtureLease(patch, Date.now());
      market.view = { ...market.view, leases: [lease, ...market.view.leases] };
      return lease;
    });
  if (room === 'rewards') {
    const what = {
      group: 'aa'.repeat(32),
      groupName: 'Lake house',
      reason: 'borrowing' as const,
      amountMicro: '1000000',
    };
    return schemas.rewardsSchema.parse({
      v: 1,
      mode: 'auto',
      sinceMs: 1_000,
      today: 1,
      todayMicro: '1000000',
      perDayMax: 32,
      dayMicroMax: '100000000',
      given: [
        {
          ...what,
          subject: 'd4'.repeat(32),
          to: { peerId: study.peerId, name: study.peerName },
          atMs: Date.now() - 60_000,
          state: 'paid',
          why: null,
        },
      ],
      waiting: [
        { ...what, subject: 'e5'.repeat(32), to: { peerId: mira.peerId, name: mira.peerName }, why: 'NO_POINTS' },
      ],
    });
  }
  if (room === 'settlement' && method === 'POST') {
    const { chain } = market.settlement;
    market.settlement = { ...market.settlement, chain: chain === null ? null : { ...chain, creditWei: '0' } };
    return schemas.payoutSchema.parse({ v: 1, address, wei: chain?.creditWei ?? '0', ...done('d0') });
  }
  if (room === 'settlement') return schemas.settlementSchema.parse(market.settlement);
  if (method === 'GET' && room === 'offers') return schemas.marketOffersSchema.parse(market.offers);
  if (method === 'DELETE' && room === 'offers') market.view = { ...market.view, offers: [] };
  if (method === 'POST' && room === 'offers') {
    const { model, tokensMax, minutesMax } = schemas.offerRequestSchema.parse(body);
    const offers = [...market.view.offers, { model, unitPriceMicro: '500000', tokensMax, minutesMax }];
    market.view = { ...market.view, offers };
  }
  if (room !== 'leases') return schemas.marketSchema.parse(market.view);
  if (verb === 'settle') {
    const lease = change(id, { state: 'settled', agreed: true, lockedMicro: '0' });
    return schemas.meteredLeaseDetailSchema.parse({ v: 1, lease });
  }
  if (verb === 'dispute') {
    const { reason } = schemas.disputeRequestSchema.parse(body);
    const lease = change(id, { state: 'disputed', lockedMicro: '0' });
    return schemas.disputeDetailSchema.parse({ v: 1, lease, evidence: JSON.stringify({ reason }) });
  }
  const { model } = schemas.leaseRequestSchema.parse(body);
  const lease = fixtureLease({ id: 'd4'.repeat(32), model, answers: 0, tokensUsed: 0 }, Date.now());
  market.view = { ...market.view, leases: [lease, ...market.view.leases] };
  return schemas.meteredLeaseDetailSchema.parse({ v: 1, lease });
}
