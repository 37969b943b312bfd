import { quantile, type RunningAgent, until } from '@peerai/testnet';

export interface TopicFloodFigures {
  /** Messages published, and copies that should have come: each at every other agent. */
  readonly published: number;
  readonly expected: number;
  readonly delivered: number;
  /** Copies that came a second time. */
  readonly again: number;
  /** From the publisher's clock to this program, milliseconds; all run on one machine. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly seconds: number;
}

/** How long all may take to hear each other at first, and to hear the last message, milliseconds. */
const meshMsMax = 90_000;
const lastMsMax = 90_000;
const topic = 'flood';

/** Every agent publishes so many messages as fast as its local API takes them, and every agent listens. */
export async function floodTopic(
  agents: readonly RunningAgent[],
  messagesPerAgent: number,
): Promise<TopicFloodFigures> {
  const stopping = new AbortController();
  const listeners = agents.map((agent) => listen(agent, stopping.signal));
  try {
    await untilAllHear(agents, listeners);
    const startMs = performance.now();
    await Promise.all(
      agents.map(async ({ client }) => {
        for (let index = 0; index < messagesPerAgent; index += 1) await client.publish(topic, { index });
      }),
    );
    const published = agents.length * messagesPerAgent;
    const expected = published * (agents.length - 1);
    const delivered = (): number => listeners.reduce((sum, { heard }) => sum + heard.size, 0);
    await until(() => delivered() >= expected, lastMsMax);
    const took = listeners.flatMap(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
    return {
      published,
      expected,
      delivered: delivered(),
      again: listeners.reduce((sum, one) => sum + one.again, 0),
      p50Ms: quantile(took, 0.5),
      p99Ms: quantile(took, 0.99),
      seconds: (performance.now() - startMs) / 1000,
    };
  } finally {
    stopping.abort();
    await Promise.all(listeners.map(({ ended }) => ended));
  }
}

interface Listener {
  /** Authors whose first words came. */
  readonly met: Set<string>;
  /** `author/index` of each message. */
  readonly heard: Set<string>;
  readonly tookMs: number[];
  again: number;
  readonly ended: Promise<void>;
}

function listen({ client }: RunningAgent, signal: AbortSignal): Listener {
  const [met, heard, tookMs] = [new Set<string>(), new Set<string>(), [] as number[]];
  const take = ({ from, payload, sentMs }: { from: string; payload: unknown; sentMs: number }): void => {
    const { index } = payload as { readonly index?: number };
    if (index === undefined) {
      met.add(from);
      return;
    }
    const name = `${from}/${index}`;
    if (heard.has(name)) listener.again += 1;
    heard.add(name);
    tookMs.push(Date.now() - sentMs);
  };
  const read = async (): Promise<void> => {
    try {
      for await (const message of client.subscribe(topic, signal)) take(message);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const listener: Listener = { met, heard, tookMs, again: 0, ended: read() };
  return listener;
}

/** Gossip forms its mesh by a heartbeat a second: all say hello until each has heard every other one. */
async function untilAllHear(agents: readonly RunningAgent[], listeners: readonly Listener[]): Promise<void> {
  const end = performance.now() + meshMsMax;
  const all = (): boolean => listeners.every(({ met }) => met.size === agents.length - 1);
  while (!all()) {
    if (performance.now() > end) {
      const heard = listeners.map(({ met }) => met.size).join(', ');
      throw new Error(`not all hear each other; so many others are heard: ${heard}`);
    }
    await Promise.all(agents.map(({ client }) => client.publish(topic, { hello: true })));
    await until(all, 1_000);
  }
}
