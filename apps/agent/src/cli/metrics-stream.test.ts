import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlClient, createControlClient, type StateMetricsView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, homes, up } from '../../test/cli.ts';

const folders = homes();
let agents: readonly Agent[] = [];
const tokenOf = ({ home }: Agent): string => readFileSync(join(home, 'token'), 'utf8').trim();
const clientOf = (agent: Agent): ControlClient =>
  createControlClient({ baseUrl: agent.info.api, token: tokenOf(agent) });
beforeAll(async () => {
  agents = await Promise.all(
    ['desk', 'laptop'].map((name) =>
      up(folders.make(), { env: { PEERAI_NETWORK__NAME: name, PEERAI_NETWORK__REGION: `${name}-west` } }),
    ),
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.end()));
  folders.remove();
});

test(
  'signed states stream each second, and their mean weighs each by its reputation',
  { timeout: 60_000 },
  async () => {
    const [first] = agents;
    const [desk, laptop] = agents.map(clientOf);
    if (desk === undefined || laptop === undefined || first === undefined) throw new Error('two agents were started');
    const { link } = await desk.invite(['chat', 'train']);
    const { id } = await laptop.join(link);
    await desk.acceptPairing(id);
    await vi.waitFor(async () => expect((await laptop.pairing(id)).state).toBe('accepted'), { timeout: 20_000 });
    for (const client of [desk, laptop]) await client.createCluster({ name: 'signs', nodes: 8, inputs: 2, outputs: 2 });
    // The one at rest has an arousal of 0, the other's is above it.
    await laptop.processCluster('signs', {
      inputs: [
        [9, 1],
        [1, 9],
        [9, 9],
      ],
    });

    const watching = new AbortController();
    const heard: StateMetricsView[] = [];
    const events = (async () => {
      for await (const event of desk.events(watching.signal)) {
        if (event.type !== 'metrics_update' || event.metrics.others.length === 0) continue;
        heard.push(event.metrics);
        if (new Set(heard.map(({ others }) => others[0]?.timeMs)).size === 3) return;
      }
    })();
    await desk.watchMetrics({ forMs: 60_000 });
    await events;
    watching.abort();

    const times = [...new Set(heard.map(({ others }) => others[0]?.timeMs ?? 0))];
    expect(times.slice(1).every((timeMs, place) => timeMs - (times[place] ?? 0) >= 900)).toBe(true);
    const { own, others, collective } = heard.at(-1) as StateMetricsView;
    const [calm, stirred] = [own?.metrics.arousal ?? Number.NaN, others[0]?.metrics.arousal ?? Number.NaN];
    expect([others[0]?.name, collective.peers, collective.weights, calm]).toEqual(['laptop', 2, 'reputation', 0]);
    const { score } = (await desk.reputation('laptop')).reputation;
    expect(stirred).toBeGreaterThan(0);
    expect(collective.metrics.arousal).toBeCloseTo((score * stirred) / (1 + score), 6);

    expect((await desk.census()).regions).toEqual([{ name: 'laptop-west', peers: 1 }]);
    const told = await fetch(`${first.info.api}/api/network/peers`, {
      headers: { authorization: `Bearer ${tokenOf(first)}` },
    });
    expect(await told.json()).toMatchObject({ peers: [{ name: 'laptop', status: 'connected', reputation: score }] });
  },
);
