import { MemoryShelf, seededRandom } from '@peerai/core-protocol/testing';
import type { ChainWorld } from '../src/settlement/chain-world.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../src/testing/peers.ts';
import { live, until } from '../src/testing/steps.ts';
import { type Chain, startChain } from './chain.ts';

export const ether = 10n ** 18n;
export const weiPerMicro = 1_000_000_000n;

/** A chain with its contract, and pairs of peers that settle there. */
export interface ChainTown extends AsyncDisposable {
  readonly chain: Chain;
  readonly contract: string;
  /** Whoever runs now. */
  readonly started: TestPeer[];
  chainOf(seed: number, change?: Partial<ChainWorld>): ChainWorld;
  /** A lender and a borrower that may lease, each with an ether. */
  pair(change?: {
    readonly borrower?: Partial<ChainWorld> | 'local';
    readonly engine?: boolean;
    /** One-way latency of their line, milliseconds. */
    readonly latencyMs?: number;
  }): Promise<ChainPair>;
  /** After a test: whoever runs is ended, the door is open. */
  rest(): Promise<void>;
}
export interface ChainPair {
  readonly world: TestWorld;
  readonly lender: TestPeer;
  readonly borrower: TestPeer;
  /** Ended, and begun again with what its disk had then. */
  readonly restart: (who: TestPeer) => Promise<TestPeer>;
  readonly pass: (ms: number) => Promise<void>;
}

export const sight = async ({ peer }: TestPeer) => peer.market.settlement.view(live());
export const addressOf = async (who: TestPeer) => (await sight(who)).chain?.address ?? '';
export const deposit = async (who: TestPeer) => {
  const [newest] = (await who.peer.market.view()).deposits;
  if (newest === undefined) throw new Error('there is no deposit');
  return newest;
};
export const only = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.market.view()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  return lease;
};
export const owed = async ({ peer }: TestPeer) => (await peer.market.view()).balances.map(({ owesMicro }) => owesMicro);

export async function chainTown(): Promise<ChainTown> {
  const first = testWorld();
  const chain = await startChain(first.clock.nowMs());
  const started: TestPeer[] = [];
  const chainOf = (seed: number, change: Partial<ChainWorld> = {}): ChainWorld => ({
    load: () => import('@peerai/ledger/evm'),
    secret: async () => seededRandom(seed + 7_000).bytes(32),
    rpcUrl: chain.rpcUrl,
    chainId: 31_337,
    contract,
    weiPerMicro,
    settles: true,
    pollingMs: 5,
    ...change,
  });
  let contract = '';
  const { contract: _none, ...noContract } = chainOf(99);
  const deployer = await first.peer('deployer', { chain: { ...noContract, settles: false } });
  await chain.give(await addressOf(deployer), ether);
  ({ contract } = await deployer.peer.market.settlement.deploy(live()));
  await deployer.peer.stop();
  let round = 0;
  return {
    chain,
    contract,
    started,
    chainOf,
    async pair(change = {}) {
      round += 1;
      const [one, two] = [100 * round, 100 * round + 1];
      const { latencyMs = 0 } = change;
      const world = testWorld({ latencyMs });
      world.clock.jump((await chain.nowS()) * 1000 - world.clock.nowMs());
      const theirs = change.borrower === 'local' ? { settles: false } : change.borrower;
      const options: Readonly<Record<string, PeerOptions>> = {
        lender: { seed: one, chain: chainOf(one), shelf: new MemoryShelf(), engine: change.engine ?? true },
        borrower: { seed: two, chain: chainOf(two, theirs), shelf: new MemoryShelf(), engine: false },
      };
      const begin = async (name: string, more: PeerOptions = {}): Promise<TestPeer> => {
        const who = await world.peer(name, { ...options[name], ...more });
        started.push(who);
        return who;
      };
      const [lender, borrower] = [await begin('lender'), await begin('borrower')];
      const { link } = await lender.peer.pairing.invite(['borrow']);
      const pending = await world.clock.until(borrower.peer.pairing.join(link, live()));
      await world.clock.until(lender.peer.pairing.accept(pending.id));
      await until(world.clock, () =>
        borrower.peer.peers.list().some(({ name, state }) => name === 'lender' && state === 'online'),
      );
      for (const who of [lender, borrower]) await chain.give(await addressOf(who), ether);
      return {
        world,
        lender,
        borrower,
        async restart(who) {
          // Ended first: what was killed would go on in this process, and ask the same node.
          await who.peer.stop();
          const store = world.kill(who);
          started.splice(started.indexOf(who), 1);
          return begin(who.identity.peer === lender.identity.peer ? 'lender' : 'borrower', { store });
        },
        async pass(ms) {
          await chain.passSeconds(ms / 1000);
          world.clock.jump(ms);
        },
      };
    },
    async rest() {
      [chain.isOpen, chain.isSilent] = [true, false];
      for (const { peer } of started.splice(0)) await peer.stop();
    },
    [Symbol.asyncDispose]: () => chain[Symbol.asyncDispose](),
  };
}
