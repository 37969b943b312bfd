import { callMethod, createIdentity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { firstState } from '@peerai/nn-engine/rounds';
import { describe, expect, test } from 'vitest';
import { deviceMethod } from './device-protocol.ts';
import { Learning } from './learning.ts';
import { limits } from './limits.ts';
import { Load } from './load.ts';
import { town } from './testing/town.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const never = new AbortController().signal;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, () => 1);

test('a step takes `clusterInputs` numbers, a search `contextNumbers`, and none more', async () => {
  const device = town().device('a', 1);
  device.create_cluster('c', 1);
  expect(device.process_input('c', numbers(limits.clusterInputs))).toHaveLength(1);
  expect(() => device.process_input('c', numbers(limits.clusterInputs + 1))).toThrow(code('INVALID_OPTION'));
  const search = (count: number) => device.semantic_memory_search(numbers(count), '');
  expect(JSON.parse(await search(limits.contextNumbers))).toEqual([]);
  await expect(search(limits.contextNumbers + 1)).rejects.toThrow(code('INVALID_OPTION'));
});

test('the load is of the last `loadMs`, and of none after twice that', () => {
  let nowMs = 0;
  const load = new Load({ elapsedMs: () => nowMs, nowMs: () => nowMs } as ManualClock);
  load.measure(() => (nowMs += limits.loadMs / 2));
  expect(load.now()).toBe(0.5);
  nowMs = 2 * limits.loadMs - 1;
  expect(load.now()).toBe(0.5);
  nowMs += limits.loadMs - 1;
  expect(load.now()).toBe(0.5);
  nowMs += 1;
  expect(load.now()).toBe(0);
  load.measure(() => (nowMs += 2 * limits.loadMs));
  expect(load.now()).toBe(0);
});

describe('A question to a device', () => {
  function two() {
    const clock = new ManualClock();
    const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
    const join = (name: string) => networks.join(name as PeerId, { isGranted: () => true });
    return { clock, here: join('a'), there: join('b'), to: 'b' as PeerId };
  }

  test('has `deviceMessageBytesMax` bytes, and not one more', async () => {
    const { clock, here, there, to } = two();
    const arrived: number[] = [];
    there.answer(deviceMethod.protocol, async (channel) => {
      for await (const message of channel) arrived.push(message.length);
    });
    const channel = await clock.until(here.open(to, deviceMethod.protocol, { signal: never }));
    await channel.send(new Uint8Array(limits.deviceMessageBytesMax));
    const more = channel.send(new Uint8Array(limits.deviceMessageBytesMax + 1));
    await expect(more).rejects.toThrow(code('LIMIT_EXCEEDED'));
    expect(arrived).toEqual([limits.deviceMessageBytesMax]);
  });

  test('is given up after `questionMs`, not a millisecond before', async () => {
    const { clock, here, there, to } = two();
    there.answer(deviceMethod.protocol, () => new Promise(() => undefined));
    const question = { kind: 'ping', text: undefined, run: undefined } as const;
    const asked = callMethod({ network: here, clock }, to, deviceMethod, question, { signal: never });
    const outcome = asked.catch((error: unknown) => error);
    await clock.advance(limits.questionMs - 1);
    expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await outcome).toMatchObject({ code: 'TIMEOUT' });
  });
});

test('an error goes to `neighboursMax` devices, whole from `urgencyMost` on', async () => {
  const place = town();
  const names = Array.from({ length: limits.neighboursMax + 1 }, (_, at) => `d${at}`);
  const a = place.device('a', 200);
  const others = names.map((name, at) => place.device(name, at + 1, { accepts: () => true }));
  for (const device of [a, ...others]) await device.configure_signaling_server('ws://relay.example');
  await a.start_peer_discovery();
  a.create_cluster('c', 1);
  a.update_error_signal('c', 1);
  for (const device of others) device.create_cluster('c', 1);
  for (const [at, name] of names.entries()) {
    expect(a.propagate_error_to_peers('c', 1)).toBe(at);
    await place.clock.until(a.initiate_webrtc_connection(name));
  }
  const [first] = others;
  const heard = async (urgency: number) => {
    expect(a.propagate_error_to_peers('c', urgency)).toBe(limits.neighboursMax);
    await place.clock.advance(1_000);
    return first?.get_cluster_state('c')?.last_error ?? 0;
  };
  const whole = await heard(limits.urgencyMost);
  expect(await heard(limits.urgencyMost + 1)).toBe(whole);
  expect(await heard(limits.urgencyMost - 1)).toBeCloseTo(whole * (1 - 1 / limits.urgencyMost), 9);
});

describe('Learning sessions', () => {
  function learning() {
    const clock = new ManualClock();
    const identity = createIdentity(crypto, new Uint8Array(32).fill(1));
    const network = createMemoryNetworks({ clock, random: seededRandom(1) }).join(identity.peer);
    const stopping = new AbortController();
    const spec = (name: string) => ({
      name,
      task: new Uint8Array(32),
      size: 1,
      rounds: 1,
      localSteps: 1,
      bits: 8 as const,
      rule: 'trimmed-mean' as const,
      liars: 0,
      outer: { learningRate: 1, momentum: 0 },
      membersMin: 2,
      roundMs: 20_000,
    });
    const made = new Learning({
      network,
      clock,
      random: seededRandom(2),
      crypto,
      identity,
      logger: silentLogger,
      stopping: stopping.signal,
      closed: async () => undefined,
      learning: async (name) => ({
        spec: spec(name),
        from: firstState(new Float32Array(1)),
        learner: { learn: () => new Promise<never>(() => undefined) },
      }),
    });
    return { clock, stopping, made };
  }
  const peer = 'b' as PeerId;

  test('are `sessionsMax` at once, also when they begin at the same moment', async () => {
    const { clock, stopping, made } = learning();
    const begin = (at: number) => made.lead(`task ${at}`, [peer], async () => undefined);
    const all = Array.from({ length: limits.sessionsMax + 1 }, (_, at) => begin(at).catch((error: unknown) => error));
    const outcomes = await clock.until(Promise.all(all));
    expect(outcomes.filter((one) => typeof one === 'string')).toHaveLength(limits.sessionsMax);
    expect(outcomes.at(-1)).toMatchObject({ code: 'LIMIT_REACHED' });
    expect(made.sessions()).toHaveLength(limits.sessionsMax);
    stopping.abort();
  });

  test('that are over are told of, the last `sessionsToldMax`', async () => {
    const { clock, stopping, made } = learning();
    const nobody = () => Promise.reject(new Error('away'));
    for (let at = 0; at <= limits.sessionsToldMax; at += 1) {
      await expect(made.lead(`task ${at}`, [peer], nobody)).rejects.toThrow(code('PEER_UNREACHABLE'));
      await clock.advance(0);
    }
    const told = made.sessions().map(({ task, state }) => `${task} ${state}`);
    expect(told).toEqual(Array.from({ length: limits.sessionsToldMax }, (_, at) => `task ${at + 1} failed`));
    stopping.abort();
  });
});

test('a task that is learned together is told in `textCharsMax` characters, and not in one more', async () => {
  const device = town().device('a', 1);
  await device.configure_signaling_server('ws://relay.example');
  const begin = (count: number) => device.start_collaborative_learning([], 'x'.repeat(count));
  await expect(begin(limits.textCharsMax)).rejects.toThrow(code('UNSUPPORTED'));
  await expect(begin(limits.textCharsMax + 1)).rejects.toThrow(code('LIMIT_EXCEEDED'));
});

test('peers are looked for each `discoverMs` of the simulation, not a millisecond sooner', async () => {
  const place = town();
  const device = place.device('a', 1);
  await device.configure_signaling_server('ws://relay.example');
  let looks = 0;
  // Each of these has its own time.
  const others = { mine_block: async () => false, consolidate_long_term_memory: async () => false };
  Object.assign(device, others, { start_peer_discovery: async () => void (looks += 1) });
  await device.step_simulation(0);
  const before = looks;
  await place.clock.advance(limits.discoverMs - 1);
  await device.step_simulation(0);
  expect(looks).toBe(before);
  await place.clock.advance(1);
  await device.step_simulation(0);
  expect(looks).toBe(before + 1);
});
