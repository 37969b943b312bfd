import { loudNeighbour, measureLoudNeighbour, startTestnet, type RunningAgent, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { churn } from './crowd/churn.ts';
import { floodTopic } from './crowd/topic-flood.ts';

/** Small by itself. As a measurement, with so many agents; the README has the command and what it showed. */
const asked = Number(process.env['PEERAI_CROWD_AGENTS'] ?? '0');
const isMeasured = asked > 0;
const size = isMeasured
  ? { agents: asked, messages: 50, churning: 5, churnSeconds: 120, windows: 12, perWindow: 50 }
  : { agents: 4, messages: 10, churning: 2, churnSeconds: 8, windows: 2, perWindow: 10 };
const msMax = isMeasured ? 600_000 : 240_000;

const neighbour = loudNeighbour();
let testnet: Testnet;
beforeAll(async () => {
  const onProgress = (text: string): void => void (isMeasured && console.info(text));
  const startMs = performance.now();
  testnet = await startTestnet({ agents: size.agents, relays: 1, engine: 'scripted', env: neighbour.env, onProgress });
  report('up', { seconds: Math.round((performance.now() - startMs) / 1000) });
}, msMax);
afterAll(() => testnet?.stop(), 60_000);

/** What was measured; the small run says nothing worth reading. */
const report = (name: string, figures: object): void => {
  if (isMeasured) console.info(name, JSON.stringify(figures));
};

test(
  'when all publish on a topic at once, everybody hears every message once',
  async () => {
    const figures = await floodTopic(testnet.agents, size.messages);
    report('topic flood', figures);
    expect(figures.published).toBe(size.agents * size.messages);
    expect([figures.delivered, figures.again]).toEqual([figures.expected, 0]);
  },
  msMax,
);

test(
  'a neighbour that sends ten times what it may is told to wait, and an honest peer’s messages all arrive',
  async () => {
    const [target, honest] = testnet.agents as [RunningAgent, RunningAgent];
    const figures = await measureLoudNeighbour({
      identity: neighbour.identity,
      target,
      honest,
      windows: size.windows,
      messagesPerWindow: size.perWindow,
    });
    report('loud neighbour', figures);
    expect(figures.honestArrived).toBe(figures.honestSent);
    expect(figures.refused).toBeGreaterThan(0);
    expect(figures.takenInAll).toBeLessThanOrEqual(figures.allowedInAll);
  },
  msMax,
);

test(
  'while agents are killed and started again at random, no message that was acknowledged is lost or comes twice',
  async () => {
    const figures = await churn(testnet.agents, {
      seconds: size.churnSeconds,
      churning: size.churning,
      awayMs: 2_000,
      aliveMs: 1_000,
      everyMs: isMeasured ? 1_000 : 200,
      seed: 7,
    });
    report('churn', figures);
    expect(figures.kills).toBeGreaterThan(0);
    expect(figures.acknowledged).toBeGreaterThan(size.agents);
    expect([figures.lost, figures.twice]).toEqual([[], []]);
  },
  msMax,
);
