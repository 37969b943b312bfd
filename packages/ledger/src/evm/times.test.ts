import { seededRandom } from '@peerai/core-protocol/testing';
import * as viem from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askNode, deployEscrow } from './chain.ts';
import { evmTimes as times } from './limits.ts';
import { createSettlementKey } from './settlement-key.ts';

const key = createSettlementKey(seededRandom(1));
const hash = `0x${'ab'.repeat(32)}`;
const never = new AbortController().signal;

/** A node that answers at once what stands here and that it knows nothing else; without answers it says nothing, ever. `asked` counts its questions. */
function nodeOf(answers?: Readonly<Record<string, unknown>>) {
  const asked = new Map<string, number>();
  const fetchFn: typeof fetch = async (_, init) => {
    const { id, method } = JSON.parse(init?.body as string) as { readonly id: number; readonly method: string };
    asked.set(method, (asked.get(method) ?? 0) + 1);
    init?.signal?.throwIfAborted();
    const error = { code: -32_601, message: 'no such method' };
    if (answers !== undefined)
      return Response.json({ jsonrpc: '2.0', id, ...(method in answers ? { result: answers[method] } : { error }) });
    return new Promise((_answer, fail) => {
      init?.signal?.addEventListener('abort', () => fail(init.signal?.reason as Error));
    });
  };
  const http: typeof viem.http = (url, config) => viem.http(url, { ...config, fetchFn });
  const options = { rpcUrl: 'http://node.test', key, load: async () => ({ ...viem, privateKeyToAccount, http }) };
  return { asked, options };
}
/** Whether the work is over, and how. */
function watch(work: Promise<unknown>) {
  const seen: { outcome?: unknown } = {};
  work.then(
    () => (seen.outcome = 'done'),
    (error: unknown) => (seen.outcome = (error as { readonly code?: string }).code),
  );
  return seen;
}
/** Until the node is asked this for the first time; no time goes by. */
async function asks({ asked }: ReturnType<typeof nodeOf>, method: string): Promise<void> {
  for (let turn = 0; turn < 1_000 && !asked.has(method); turn += 1) await vi.advanceTimersByTimeAsync(0);
  expect([...asked.keys()]).toContain(method);
}
/** One that takes every transaction and puts none into a block. */
const takesAll = {
  eth_chainId: '0x1',
  eth_getTransactionCount: '0x0',
  eth_getBlockByNumber: { number: '0x1', baseFeePerGas: '0x1', timestamp: '0x1', transactions: [] },
  eth_maxPriorityFeePerGas: '0x1',
  eth_estimateGas: '0x5208',
  eth_sendRawTransaction: hash,
  eth_blockNumber: '0x1',
  eth_getTransactionReceipt: null,
  eth_getTransactionByHash: null,
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a question is given up after `requestTimeoutMs`, not a millisecond before', async () => {
  const seen = watch(askNode(nodeOf().options, never));
  await vi.advanceTimersByTimeAsync(times.requestTimeoutMs - 1);
  expect(seen).toEqual({});
  await vi.advanceTimersByTimeAsync(1);
  expect(seen).toEqual({ outcome: 'SETTLEMENT_FAILED' });
});

test.each([1, 3])(
  'a transaction that stands in no block is given up after `inclusionTimeoutMs`, and `blockMs` more for each block after its own, of %i',
  async (confirmations) => {
    const node = nodeOf(takesAll);
    const seen = watch(deployEscrow({ ...node.options, confirmations }, never));
    await asks(node, 'eth_getTransactionReceipt');
    await vi.advanceTimersByTimeAsync(times.inclusionTimeoutMs + (confirmations - 1) * times.blockMs - 1);
    expect(seen).toEqual({});
    await vi.advanceTimersByTimeAsync(1);
    expect(seen).toEqual({ outcome: 'SETTLEMENT_FAILED' });
  },
);

test('a block is looked for each `pollingMs`, not a millisecond sooner', async () => {
  const node = nodeOf(takesAll);
  watch(deployEscrow(node.options, never));
  const looks = (): number => node.asked.get('eth_blockNumber') ?? 0;
  await asks(node, 'eth_blockNumber');
  const before = looks();
  await vi.advanceTimersByTimeAsync(times.pollingMs - 1);
  expect(looks()).toBe(before);
  await vi.advanceTimersByTimeAsync(1);
  expect(looks()).toBe(before + 1);
});
