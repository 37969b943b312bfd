import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnvil } from '@peerai/config/anvil';
import type { ManualClock } from '@peerai/core-protocol/testing';

/** A real Ethereum node behind a door that a test can close, so that a peer's clock is only moved while nothing is asked of it. */
export interface Chain extends AsyncDisposable {
  readonly rpcUrl: string;
  /** Closed: every question breaks off. */
  isOpen: boolean;
  /** Set: no question is answered, and none breaks off until this is unset. */
  isSilent: boolean;
  /** Questions that wait for an answer which does not come. */
  unanswered(): number;
  /** Asks the node itself. */
  ask(method: string, ...params: readonly unknown[]): Promise<string>;
  receipt(transaction: string): Promise<{ readonly gasUsed: string; readonly effectiveGasPrice: string }>;
  /** Time of the newest block, Unix seconds. */
  nowS(): Promise<number>;
  give(address: string, wei: bigint): Promise<void>;
  balance(address: string): Promise<bigint>;
  /** The next block is so much later. */
  passSeconds(seconds: number): Promise<void>;
  /** Lets things happen until the condition holds, moving the clock by a second whenever the node has been idle for a while. */
  until(clock: ManualClock, look: () => boolean | Promise<boolean>): Promise<void>;
}

/** How many looks in a row without a question to the node make it idle, and how often it is looked at most: a minute at least. */
const [idleLooks, looksMax] = [12, 20_000];

export async function startChain(startMs: number): Promise<Chain> {
  const node = await startAnvil(Math.floor(startMs / 1000));
  let asked = 0;
  let open = 0;
  let silent = false;
  const waiting = new Set<ServerResponse>();
  const forward = async (body: string, answer: ServerResponse): Promise<void> => {
    open += 1;
    try {
      const headers = { 'content-type': 'application/json' };
      const from = await fetch(node.rpcUrl, { method: 'POST', body, headers });
      answer.writeHead(from.status, headers).end(await from.text());
    } finally {
      open -= 1;
    }
  };
  const door = createServer((question, answer) => {
    asked += 1;
    if (!chain.isOpen) return void question.socket.destroy();
    if (silent) {
      waiting.add(answer);
      answer.once('close', () => waiting.delete(answer));
      return undefined;
    }
    let body = '';
    question.setEncoding('utf8').on('data', (text: string) => (body += text));
    question.once('end', () => void forward(body, answer));
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  const answerOf = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await fetch(node.rpcUrl, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    return ((await answer.json()) as { readonly result: T }).result;
  };
  const ask: Chain['ask'] = (method, ...params) => answerOf(method, ...params);
  const chain: Chain = {
    rpcUrl: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    isOpen: true,
    get isSilent() {
      return silent;
    },
    set isSilent(wanted) {
      silent = wanted;
      if (!silent) for (const one of waiting) one.destroy();
    },
    unanswered: () => waiting.size,
    ask,
    receipt: (transaction) => answerOf('eth_getTransactionReceipt', transaction),
    nowS: async () =>
      Number((await answerOf<{ readonly timestamp: string }>('eth_getBlockByNumber', 'latest', false)).timestamp),
    give: async (address, wei) => void (await ask('anvil_setBalance', address, `0x${wei.toString(16)}`)),
    balance: async (address) => BigInt(await ask('eth_getBalance', address, 'latest')),
    async passSeconds(seconds) {
      await ask('evm_increaseTime', seconds);
      await ask('evm_mine');
    },
    async until(clock, look) {
      for (let [looks, idle, before] = [0, 0, asked]; looks < looksMax; looks += 1) {
        if (await look()) return;
        await sleep(2);
        idle = asked === before && open === 0 ? idle + 1 : 0;
        before = asked;
        if (idle < idleLooks) continue;
        await clock.advance(1_000);
        idle = 0;
      }
      throw new Error('the condition did not come true');
    },
    async [Symbol.asyncDispose]() {
      door.closeAllConnections();
      door.close();
      await node[Symbol.asyncDispose]();
    },
  };
  return chain;
}
