import { pair } from '@peerai/testnet';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createNatBed, type HiddenAgent, type NatBed, type OuterRelay, type RouterKind, whyNoNat } from './nat-bed.ts';
import { natPlaces, natPort, turnUser } from './nat-places.ts';

const reason = await whyNoNat();
if (reason !== undefined) console.warn(`skipped: two agents behind routers; ${reason}`);
const patient = { timeout: 90_000, interval: 250 };
const stun = { stun_servers: natPlaces.stun.map((host) => `stun:${host}:${natPort}`) };
const turn = { turn_servers: [{ url: `turn:${natPlaces.turn}:${natPort}`, ...turnUser }] };

describe.skipIf(reason !== undefined)('two agents, each behind a router of its own, and two relays', () => {
  let bed: NatBed;
  let relays: OuterRelay[];
  let agents: HiddenAgent[] = [];
  beforeAll(async () => {
    bed = await createNatBed(() => undefined);
    [relays] = await Promise.all([Promise.all(natPlaces.relays.map((host) => bed.relay(host))), bed.servers()]);
  }, 90_000);
  afterAll(() => bed?.stop(), 30_000);

  /** Both agents, anew, behind routers of this kind. */
  async function start(kind: RouterKind, ofA: object = stun): Promise<readonly [HiddenAgent, HiddenAgent]> {
    await Promise.all(agents.map(({ child }) => child.stop()));
    await Promise.all([bed.router('a', kind), bed.router('b', kind)]);
    const settings = (name: string, nat: object) => ({
      network: { name, relays: relays.map(({ address }) => address), discovery: { mdns: false }, nat },
      llm: { engines: ['scripted'] },
      logging: { level: 'warn' },
    });
    const [a, b] = await Promise.all([
      bed.agent('a', settings('study', ofA)),
      bed.agent('b', settings('laptop', stun)),
    ]);
    agents = [a, b];
    return [a, b];
  }
  async function ask({ api }: HiddenAgent, model: string): Promise<readonly [string, string | null]> {
    const response = await fetch(`${api}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    const body = (await response.json()) as { choices?: { message: { content: string } }[] };
    return [body.choices?.[0]?.message.content ?? JSON.stringify(body), response.headers.get('x-peerai-path')];
  }
  /** Each question tries for a direct link again where the last try is long enough ago; until there is one that answered a ping, the relay's is taken. */
  const asksDirectly = (from: HiddenAgent, model: string): Promise<void> =>
    vi.waitFor(async () => expect(await ask(from, model)).toEqual(['echo: hello', 'direct']), patient);
  const online = (a: HiddenAgent, b: HiddenAgent): Promise<void> =>
    vi.waitFor(async () => {
      const seen = (await Promise.all([a.client.peers(), b.client.peers()])).flat();
      const others = seen.filter(({ kind }) => kind === 'device');
      const link = { state: 'online', models: expect.arrayContaining([expect.anything()]) as unknown };
      expect(others).toMatchObject([link, link]);
    }, patient);
  const natCheck = async ({ client }: HiddenAgent) => (await client.doctor()).checks.find(({ id }) => id === 'nat');

  test('behind symmetric routers they talk through a relay, and the doctor says why', async () => {
    const [a, b] = await start('symmetric');
    await pair(a, b);
    expect(await ask(a, 'echo@laptop')).toEqual(['echo: hello', 'relayed']);
    const cause = expect.stringMatching(/symmetric NAT.*the link to laptop stays with the relay/) as string;
    await vi.waitFor(async () => expect(await natCheck(a)).toMatchObject({ state: 'look', cause }), patient);
    // The relays tried its doors at the router, which lets nobody in.
    await vi.waitFor(async () => {
      const { behindRouter, reachability } = await a.client.net();
      expect([behindRouter, reachability.scope]).toEqual([true, 'relayed']);
      expect(reachability.addresses.filter(({ state }) => state !== 'unknown')).toMatchObject(
        [4001, '4002/ws'].map((door) => ({
          address: `/ip4/${natPlaces.routers.a}/tcp/${door}`,
          state: 'unreachable',
          checkedBy: [expect.any(String), expect.any(String)] as string[],
        })),
      );
    }, patient);
  }, 180_000);

  test('a TURN server that one of them names carries what symmetric routers do not let through', async () => {
    const [a, b] = await start('symmetric', { ...stun, ...turn });
    await online(a, b);
    await asksDirectly(a, 'echo@laptop');
  }, 240_000);

  test('behind routers that keep a port a direct link is found, and it outlives both relays', async () => {
    const [a, b] = await start('cone');
    await online(a, b);
    await Promise.all([asksDirectly(a, 'echo@laptop'), asksDirectly(b, 'echo@study')]);
    const cause = expect.stringContaining('2 of 2 STUN servers answer') as string;
    await vi.waitFor(async () => expect(await natCheck(a)).toMatchObject({ state: 'ok', cause }), patient);
    await Promise.all(relays.map(({ child }) => child.kill()));
    expect(await ask(a, 'echo@laptop')).toEqual(['echo: hello', 'direct']);
    expect(await ask(b, 'echo@study')).toEqual(['echo: hello', 'direct']);
  }, 180_000);
});
