import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Anvil, startAnvil } from '@peerai/config/anvil';
import { createIdentity, nobleCrypto as crypto, type Store, toHex, utf8 } from '@peerai/core-protocol';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import * as viem from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectEscrow, deployEscrow, type EscrowChain } from '../../src/evm/chain.ts';
import { decodeEndorsement, encodeEndorsement } from '../../src/evm/endorsement.ts';
import { evmLimits } from '../../src/evm/limits.ts';
import { type EvmSettlement, evmSettlement } from '../../src/evm/settlement.ts';
import {
  createSettlementKey,
  type EvmAddress,
  openSettlementKey,
  stateSettlementKey,
} from '../../src/evm/settlement-key.ts';
import { loadViem } from '../../src/evm/viem.ts';
import type { EscrowTerms, FinalReceipt } from '../../src/market/settlement.ts';

const weiPerMicro = 10n ** 9n;
const signal = AbortSignal.timeout(60_000);
const random = seededRandom(11);
const side = () => {
  const identity = createIdentity(crypto, random.bytes(32));
  const key = createSettlementKey(random);
  return { identity, key, statement: stateSettlementKey({ crypto, identity }, key, 1) };
};
const [borrower, lender, third] = [side(), side(), side()];
const statements = new Map([borrower, lender, third].map(({ identity, statement }) => [identity.peer, statement]));

let node: Anvil;
let test: ReturnType<typeof watch>;
let contract: EvmAddress;
/** What went from the borrower to the lender. */
let letter: Uint8Array | undefined;
let ours: EvmSettlement;
let theirs: EvmSettlement;

const watch = (rpcUrl: string) =>
  viem.createTestClient({ mode: 'anvil', transport: viem.http(rpcUrl), pollingInterval: 5 }).extend(viem.publicActions);
const at = (who: ReturnType<typeof side>) => ({ rpcUrl: node.rpcUrl, key: who.key, pollingMs: 5 });
const settlementOf = (
  who: ReturnType<typeof side>,
  store: Store = new MemoryStore(),
  chain: (signal: AbortSignal) => Promise<EscrowChain> = (during) => connectEscrow({ ...at(who), contract }, during),
  wei = weiPerMicro,
) => {
  const deps = {
    store,
    crypto,
    self: who.identity.peer,
    chain,
    settlementKeyOf: async (peer: string) => {
      const statement = statements.get(peer as typeof who.identity.peer);
      return statement === undefined ? undefined : openSettlementKey(crypto, statement);
    },
    endorsementOf: async () => letter,
  };
  return evmSettlement(deps, { weiPerMicro: wei });
};

beforeAll(async () => {
  node = await startAnvil();
  test = watch(node.rpcUrl);
  for (const { key } of [borrower, lender, third]) await test.setBalance({ address: key.address, value: 10n ** 21n });
  ({ contract } = await deployEscrow(at(third), signal));
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => {
  letter = undefined;
  [ours, theirs] = [settlementOf(borrower), settlementOf(lender)];
});

async function terms(change: Partial<EscrowTerms> = {}): Promise<EscrowTerms> {
  const { timestamp } = await test.getBlock();
  const parties = { lender: lender.identity.peer, borrower: borrower.identity.peer };
  return {
    lease: random.bytes(32),
    ...parties,
    amount: 1_000_000n,
    refundMs: Number(timestamp) * 1000 + 60_000,
    ...change,
  };
}
const last = ({ lease }: EscrowTerms, due: bigint, n = 1): FinalReceipt => ({
  lease,
  n,
  due,
  receipt: utf8(`receipt ${n}`),
});

describe('a lease on chain', () => {
  it('is deposited by the borrower, seen by the lender, settled with the borrower’s word, and the rest goes back', async () => {
    const lease = await terms();
    await expect(theirs.open(lease, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    const opened = await ours.open(lease, signal);
    expect(opened).toMatchObject({ ...lease, state: 'open', paid: 0n });
    expect(await theirs.open(lease, signal)).toEqual(opened);
    letter = await ours.endorse(last(lease, 400_000n), signal);
    const settled = await theirs.settle(last(lease, 400_000n), signal);
    expect(settled).toMatchObject({ state: 'settled', paid: 400_000n, reference: opened.reference });
    expect(await ours.get(lease.lease, signal)).toEqual(settled);
    expect([await theirs.credit(signal), await ours.credit(signal)]).toEqual([
      400_000n * weiPerMicro,
      600_000n * weiPerMicro,
    ]);
    await Promise.all([theirs.withdraw(signal), ours.withdraw(signal)]);
    expect([await theirs.credit(signal), await ours.credit(signal)]).toEqual([0n, 0n]);
  });

  it('moves nothing twice when a call is repeated, also after a restart that forgot the answer', async () => {
    const lease = await terms();
    const store = new MemoryStore();
    const first = await settlementOf(borrower, store).open(lease, signal);
    expect(await settlementOf(borrower, store).open(lease, signal)).toEqual(first);
    expect(await ours.open(lease, signal)).toEqual(first);
    expect(await test.getBalance({ address: contract })).toBe(1_000_000n * weiPerMicro);
    await expect(ours.open({ ...lease, amount: 2_000_000n }, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    await theirs.open(lease, signal);
    const paid = await ours.settle(last(lease, 250_000n), signal);
    expect(paid).toMatchObject({ state: 'open' });
    expect(await ours.settle(last(lease, 250_000n), signal)).toEqual(paid);
    const done = await theirs.settle(last(lease, 250_000n), signal);
    expect(done).toMatchObject({ state: 'settled', paid: 250_000n });
    expect(await theirs.settle(last(lease, 250_000n), signal)).toEqual(done);
    expect(await ours.settle(last(lease, 250_000n), signal)).toEqual(done);
    await Promise.all([theirs.withdraw(signal), ours.withdraw(signal)]);
    expect(await test.getBalance({ address: contract })).toBe(0n);
  });

  it('counts for a lender that waits for three confirmations in the third block, and not in the second', async () => {
    const lease = await terms();
    const careful = settlementOf(lender, new MemoryStore(), (during) =>
      connectEscrow({ ...at(lender), contract, confirmations: 3 }, during),
    );
    await ours.open(lease, signal);
    for (const blocks of [0, 1]) {
      await test.mine({ blocks });
      await expect(careful.open(lease, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    }
    await test.mine({ blocks: 1 });
    expect(await careful.open(lease, signal)).toMatchObject({ state: 'open', paid: 0n });
    const { confirmationsMax } = evmLimits;
    const asking = (confirmations: number) => connectEscrow({ ...at(lender), contract, confirmations }, signal);
    await asking(confirmationsMax);
    for (const wrong of [0, 1.5, confirmationsMax + 1])
      await expect(asking(wrong)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('waits for its own confirmations too, and is not sent twice meanwhile', async () => {
    const lease = await terms();
    const connected = await connectEscrow({ ...at(borrower), contract, confirmations: 2 }, signal);
    const patient = settlementOf(borrower, new MemoryStore(), async () => connected);
    const opening = patient.open(lease, signal);
    const place = connected.escrowOf(borrower.key.address, lender.key.address, `0x${toHex(lease.lease)}`);
    while ((await connected.escrow(place, signal, 'newest')) === undefined) await test.getBlockNumber();
    expect(await connected.escrow(place, signal)).toBeUndefined();
    await test.mine({ blocks: 1 });
    expect(await opening).toMatchObject({ state: 'open' });
    expect(await connected.escrow(place, signal)).toMatchObject({ isOpen: true });
  });

  it('goes back to the borrower when its time is over, not before, and to nobody else', async () => {
    const lease = await terms();
    await ours.open(lease, signal);
    await theirs.open(lease, signal);
    await expect(ours.refund(lease.lease, signal)).rejects.toMatchObject({
      code: 'ESCROW_STATE',
      details: { reason: 'TooEarly' },
    });
    await test.setNextBlockTimestamp({ timestamp: BigInt(lease.refundMs / 1000) + 1n });
    await test.mine({ blocks: 1 });
    await expect(theirs.refund(lease.lease, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    const back = await ours.refund(lease.lease, signal);
    expect(back).toMatchObject({ state: 'refunded', paid: 0n });
    expect(await ours.refund(lease.lease, signal)).toEqual(back);
    await expect(theirs.settle(last(lease, 1n), signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    await ours.withdraw(signal);
  });

  it('is settled by a later receipt after an earlier one, and by no earlier one after it', async () => {
    const lease = await terms();
    await ours.open(lease, signal);
    await theirs.open(lease, signal);
    await ours.settle(last(lease, 500_000n, 2), signal);
    await expect(ours.settle(last(lease, 400_000n, 1), signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    await expect(theirs.settle(last(lease, 400_000n, 3), signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    letter = await ours.endorse(last(lease, 700_000n, 3), signal);
    expect(await theirs.settle(last(lease, 700_000n, 3), signal)).toMatchObject({ paid: 700_000n });
    await expect(ours.settle(last(lease, 600_000n, 4), signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    await expect(ours.refund(lease.lease, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
  });

  it('is not settled by what the borrower did not endorse', async () => {
    const lease = await terms();
    await ours.open(lease, signal);
    await theirs.open(lease, signal);
    const receipt = last(lease, 400_000n);
    await expect(theirs.settle(receipt, signal)).rejects.toMatchObject({ code: 'SETTLEMENT_FAILED' });
    const good = decodeEndorsement(await ours.endorse(receipt, signal));
    const stranger = settlementOf(third);
    const wrong = [
      [{ chainId: 1 }, 'RECEIPT_WRONG'],
      [{ contract: third.key.address }, 'RECEIPT_WRONG'],
      [{ escrow: good.work }, 'RECEIPT_WRONG'],
      [{ amount: good.amount + 1n }, 'RECEIPT_WRONG'],
      [{ work: good.escrow }, 'RECEIPT_WRONG'],
      [{ signature: `0x${'11'.repeat(64)}1b` as const }, 'INVALID_SIGNATURE'],
      [{ signature: `0x${'00'.repeat(65)}` as const }, 'INVALID_SIGNATURE'],
    ] as const;
    for (const [change, code] of wrong) {
      letter = encodeEndorsement({ ...good, ...change });
      await expect(theirs.settle(receipt, signal)).rejects.toMatchObject({ code });
    }
    await expect(ours.endorse(last(lease, 1_000_001n), signal)).rejects.toMatchObject({ code: 'RECEIPT_WRONG' });
    await expect(ours.settle(last(lease, 1_000_001n), signal)).rejects.toMatchObject({ code: 'RECEIPT_WRONG' });
    await expect(theirs.endorse(receipt, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    await expect(stranger.settle(receipt, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(stranger.open(lease, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
    expect(await stranger.get(lease.lease, signal)).toBeUndefined();
  });

  it('is refused by a lender whose borrower put down less, or for a shorter time', async () => {
    const lease = await terms();
    await ours.open(lease, signal);
    for (const change of [{ amount: 1_000_001n }, { refundMs: lease.refundMs + 1000 }])
      await expect(settlementOf(lender).open({ ...lease, ...change }, signal)).rejects.toMatchObject({
        code: 'ESCROW_STATE',
      });
    const unknown = createIdentity(crypto, random.bytes(32)).peer;
    await expect(ours.open(await terms({ lender: unknown }), signal)).rejects.toMatchObject({
      code: 'SETTLEMENT_FAILED',
    });
    const most = evmLimits.microMax;
    await expect(ours.open(await terms({ amount: most + 1n }), signal)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await expect(ours.open(await terms({ amount: most }), signal)).rejects.toMatchObject({ code: 'CREDIT_EXCEEDED' });
    const rate = (wei: bigint) => settlementOf(borrower, new MemoryStore(), undefined, wei);
    for (const wei of [0n, evmLimits.weiPerMicroMax + 1n])
      expect(() => rate(wei)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    await expect(rate(evmLimits.weiPerMicroMax).open(await terms({ amount: most }), signal)).rejects.toMatchObject({
      code: 'CREDIT_EXCEEDED',
    });
  });
});

it('anchors a log’s head once a size, repeats itself harmlessly, and goes back never', async () => {
  const head = { origin: lender.identity.peer, size: 256n, root: random.bytes(32) };
  const first = await theirs.anchor(head, signal);
  expect(await theirs.anchor(head, signal)).toEqual(first);
  for (const bad of [{ size: 255n }, { root: random.bytes(32) }])
    await expect(theirs.anchor({ ...head, ...bad }, signal)).rejects.toMatchObject({ code: 'ESCROW_STATE' });
  await theirs.anchor({ ...head, size: 257n, root: random.bytes(32) }, signal);
  const chain = await connectEscrow({ ...at(third), contract }, signal);
  const log = `0x${toHex(crypto.sha256(utf8(head.origin)))}` as const;
  expect((await chain.head(lender.key.address, log, signal)).size).toBe(257n);
});

describe('a chain that is not there', () => {
  it('is named, and so is another chain, another contract, and a missing viem', async () => {
    const gone = { ...at(borrower), rpcUrl: 'http://127.0.0.1:1', contract };
    await expect(connectEscrow(gone, signal)).rejects.toMatchObject({
      code: 'SETTLEMENT_FAILED',
      message: expect.stringContaining('127.0.0.1:1'),
    });
    const wrong = connectEscrow({ ...at(borrower), contract, chainId: 1 }, signal);
    await expect(wrong).rejects.toMatchObject({
      code: 'SETTLEMENT_FAILED',
      message: expect.stringContaining('31337, not 1'),
    });
    const empty = connectEscrow({ ...at(borrower), contract: borrower.key.address }, signal);
    await expect(empty).rejects.toMatchObject({
      code: 'SETTLEMENT_FAILED',
      message: expect.stringContaining('not this program’s'),
    });
    const missing = loadViem(() => Promise.reject(new Error('Cannot find package')));
    await expect(missing).rejects.toMatchObject({ code: 'SETTLEMENT_FAILED', details: { package: 'viem' } });
  });

  it('that keeps silent is left when the caller’s signal fires, and is asked again the next time', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => void silent.once('listening', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    let rpcUrl = url;
    const store = new MemoryStore();
    const settlement = settlementOf(borrower, store, (during) =>
      connectEscrow({ ...at(borrower), rpcUrl, contract }, during),
    );
    const caller = new AbortController();
    const asked = new Promise((resolve) => void silent.once('request', resolve));
    const waiting = settlement.open(await terms(), caller.signal);
    await asked;
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    silent.closeAllConnections();
    silent.close();
    rpcUrl = node.rpcUrl;
    expect(await settlement.open(await terms(), signal)).toMatchObject({ state: 'open' });
  });
});
