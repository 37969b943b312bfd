import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted } from './progress.ts';
import { roundRobin, someAtOnce } from './some-at-once.ts';
import type { RunningAgent } from './testnet.ts';

const permissions = ['chat', 'tasks', 'train', 'memory', 'borrow'] as const;
/** Pairings under way at the same time: they wait for the disk more than they work. */
const pairingsAtOnce = 2 * availableParallelism();
/** How long agents may take to see each other online after their pairing, for each of them, milliseconds: twenty on two cores take their turns. */
const meetMsMax = 10_000;
/** Pauses between two looks, milliseconds: a look at twenty agents keeps them from the work that is waited for. */
const lookMs = 50;
const lookAtManyMs = 500;

interface Named {
  readonly info: Pick<RunningAgent['info'], 'name' | 'peerId'>;
  readonly client: RunningAgent['client'];
}

/** Invites, joins, accepts: what two people do, without the people; then waits until each sees the other and its models. */
export async function pair(inviter: Named, joiner: Named): Promise<void> {
  await introduce(inviter, joiner);
  const end = Date.now() + meetMsMax;
  for (const [one, other] of [
    [inviter, joiner],
    [joiner, inviter],
  ] as const)
    await sees(one, [other], { end, everyMs: lookMs });
}

interface IntroduceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Every agent with every other one. Throws the signal's reason. */
export async function introduceAll(agents: readonly Named[], { signal, onProgress }: IntroduceOptions): Promise<void> {
  const pairs = roundRobin(agents);
  const paired = counted(pairs.length, 'pairs are paired', onProgress);
  await someAtOnce(pairs, pairingsAtOnce, async ([inviter, joiner]) => {
    signal?.throwIfAborted();
    await introduce(inviter, joiner);
    paired();
  });
  const met = counted(agents.length, 'agents have all others online', onProgress);
  const end = Date.now() + meetMsMax * Math.max(1, agents.length - 1);
  const everyMs = agents.length > 4 ? lookAtManyMs : lookMs;
  for (const one of agents) {
    const others = agents.filter((other) => other !== one);
    await sees(one, others, { end, everyMs, signal });
    met();
  }
}

async function introduce(inviter: Named, joiner: Named): Promise<void> {
  const { link } = await inviter.client.invite(permissions);
  const { id } = await joiner.client.join(link);
  await inviter.client.acceptPairing(id);
}

interface Patience {
  /** Wall clock, milliseconds. */
  readonly end: number;
  readonly everyMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Until an agent has all of these online with their models. Throws with the names of those that it has not. */
async function sees(agent: Named, others: readonly Named[], { end, everyMs, signal }: Patience): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const peers = await agent.client.peers(signal);
    const there = new Set(
      peers.filter(({ state, models }) => state === 'online' && models.length > 0).map(({ peerId }) => peerId),
    );
    const missing = others.filter(({ info }) => !there.has(info.peerId)).map(({ info }) => info.name);
    if (missing.length === 0) return;
    if (Date.now() > end) throw new Error(`${agent.info.name} did not meet ${missing.join(', ')} in time`);
    await sleep(everyMs);
  }
}
