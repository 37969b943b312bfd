import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '@peerai/testnet';

export interface ChurnOptions {
  readonly seconds: number;
  /** Agents that are killed and started again, one after the other, each as often as the time allows. */
  readonly churning: number;
  /** How long a killed one stays away, milliseconds, and how long it then lives at least. */
  readonly awayMs: number;
  readonly aliveMs: number;
  /** Pause of each sender between two messages, milliseconds. */
  readonly everyMs: number;
  /** Decides who is killed and who is written to. */
  readonly seed: number;
}
export interface ChurnFigures {
  readonly kills: number;
  /** Messages whose sender was told that they are kept or delivered; of these, so many had to wait. */
  readonly acknowledged: number;
  readonly queued: number;
  /** Sends that failed, because the sender itself was away. Nothing was promised for them. */
  readonly failed: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  /** From the last start until all were there, seconds. */
  readonly settledSeconds: number;
}

/** How long what waits may take to arrive once everybody is back, milliseconds: the longest pause between two tries is 60 s. */
const settleMsMax = 150_000;

/** All write to all while some are killed (-9) at random and started again; at the end each acknowledged message must have come, once. */
export async function churn(agents: readonly RunningAgent[], options: ChurnOptions): Promise<ChurnFigures> {
  const random = generator(options.seed);
  const life = new Map(agents.map((agent) => [agent.info.peerId, agent]));
  const ids = [...life.keys()];
  const said = { acknowledged: new Map<string, string>(), queued: 0, failed: 0 };
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), options.seconds * 1000);
  const killing = killInTurns(life, shuffled(ids, random).slice(0, options.churning), options, random, over.signal);
  const sending = ids.map(async (id, at) => {
    for (let count = 0; !over.signal.aborted; count += 1) {
      await sleep(options.everyMs * (0.5 + random()));
      const to = ids[(at + 1 + Math.floor(random() * (ids.length - 1))) % ids.length] ?? id;
      await send(life.get(id), to, `churn ${at}-${count}`, said);
    }
  });
  try {
    await Promise.all([...sending, killing]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
  const startMs = performance.now();
  const missing = await untilAllCame(life, said.acknowledged);
  const settledSeconds = (performance.now() - startMs) / 1000;
  const twice: string[] = [];
  for (const [id, { client }] of life) {
    const texts = (await client.messages()).map(({ payload }) => payload as string);
    for (const text of new Set(texts)) if (texts.filter((one) => one === text).length > 1) twice.push(`${id}: ${text}`);
  }
  const { acknowledged, queued, failed } = said;
  return {
    kills: await killing,
    acknowledged: acknowledged.size,
    queued,
    failed,
    lost: missing,
    twice,
    settledSeconds,
  };
}

interface Said {
  /** The text and to whom. */
  readonly acknowledged: Map<string, string>;
  queued: number;
  failed: number;
}

async function send(agent: RunningAgent | undefined, to: string, text: string, said: Said): Promise<void> {
  try {
    const answer = await agent?.client.send(to, 'text', text);
    if (answer === undefined || (answer.state !== 'queued' && answer.state !== 'delivered'))
      throw new Error(`the message is ${answer?.state}`);
    said.acknowledged.set(text, to);
    if (answer.state === 'queued') said.queued += 1;
  } catch {
    said.failed += 1;
  }
}

/** One at a time, so that most are there; returns how often. All are up when it resolves. */
async function killInTurns(
  life: Map<string, RunningAgent>,
  who: readonly string[],
  { awayMs, aliveMs }: ChurnOptions,
  random: () => number,
  signal: AbortSignal,
): Promise<number> {
  let kills = 0;
  while (!signal.aborted) {
    const id = who[Math.floor(random() * who.length)] ?? '';
    const agent = life.get(id);
    if (agent === undefined) throw new Error('nobody is to be killed');
    await agent.child.kill();
    kills += 1;
    await sleep(awayMs * (0.5 + random()));
    life.set(id, await agent.restart());
    await sleep(aliveMs * (0.5 + random()));
  }
  return kills;
}

/** What has not come when the time is over. */
async function untilAllCame(
  life: ReadonlyMap<string, RunningAgent>,
  acknowledged: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const end = performance.now() + settleMsMax;
  for (;;) {
    const here = new Set<string>();
    for (const [id, { client }] of life)
      for (const { payload } of await client.messages()) here.add(`${id}: ${payload as string}`);
    const missing = [...acknowledged].map(([text, to]) => `${to}: ${text}`).filter((one) => !here.has(one));
    if (missing.length === 0 || performance.now() > end) return missing;
    await sleep(500);
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
