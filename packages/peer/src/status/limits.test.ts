import { type LanguageModel, type Opened, type PeerId } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import type { PeerMessenger } from '@peerai/messaging';
import { describe, expect, test } from 'vitest';
import type { KnownPeer, KnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import { type CapabilitiesDeps, createCapabilities } from './capabilities.ts';
import { createCapabilityLetters } from './capability-letters.ts';
import { createHeartbeat } from './heartbeat.ts';
import { capabilitiesMethod, statusMethod } from './status-protocol.ts';
import { createWake } from './wake.ts';

const [self, peer] = ['self', 'peer-a'] as PeerId[] as [PeerId, PeerId];
const code = (expected: string) => expect.objectContaining({ code: expected });
const never = new AbortController().signal;
const x = (count: number): string => 'x'.repeat(count);

/** A messenger that takes everything and hands in what the test says, and one peer that is known. */
function mail() {
  const handlers = new Map<string, (message: Opened, signal: AbortSignal) => Promise<unknown>>();
  const sent: { readonly kind: string; readonly payload: Record<string, unknown>; readonly expiresMs?: number }[] = [];
  const messenger = {
    deliveries: () => ({ [Symbol.dispose]: () => undefined }),
    handle: (kind: string, handler: (message: Opened, signal: AbortSignal) => Promise<unknown>) => {
      handlers.set(kind, handler);
      return { [Symbol.dispose]: () => handlers.delete(kind) };
    },
    send: async (letter: (typeof sent)[number]) => `${sent.push(letter)}`,
  } as unknown as PeerMessenger;
  const one = { peer, name: 'a', blocked: false, isReachable: true, allow: ['chat'] } as unknown as KnownPeer;
  const known = { get: () => one, find: () => one } as unknown as KnownPeers;
  const receive = (kind: string, payload: unknown) =>
    handlers.get(kind)?.({ sender: peer, payload } as Opened, never) ?? expect.fail(`nobody hears ${kind}`);
  return { messenger, known, sent, receive };
}

describe('A wake-up', () => {
  function waking(model: (name: string | undefined, signal: AbortSignal) => Promise<LanguageModel | undefined>) {
    const clock = new ManualClock();
    const at = mail();
    const deps = { clock, random: seededRandom(1), logger: silentLogger, woken: () => undefined, model };
    const wake = createWake({ ...deps, ...at });
    wake.start();
    return { ...at, clock, wake };
  }
  const ofNone = async () => undefined;

  test('waits for a model that loads for `wakeLoadMsMax`, then says that it did not come', async () => {
    const asked: AbortSignal[] = [];
    const slow = (_: unknown, signal: AbortSignal) =>
      new Promise<undefined>((_resolve, reject) => {
        asked.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    const { clock, sent, receive } = waking(slow);
    const answered = receive('wake_up', { wake_up_id: 'one' });
    await clock.advance(limits.wakeLoadMsMax - 1);
    expect([asked[0]?.aborted, sent]).toEqual([false, []]);
    await clock.advance(1);
    await answered;
    expect(sent[0]?.payload).toMatchObject({ wake_up_id: 'one', status: 'failed', reason: 'TIMEOUT' });
  });

  test('is one of `wakesWaitingMax` whose answers are waited for', async () => {
    const { clock, wake } = waking(ofNone);
    const call = (signal: AbortSignal) => wake.wake('a', {}, signal);
    const all = Array.from({ length: limits.wakesWaitingMax }, () => call(clock.deadline(1_000)));
    await expect(call(never)).rejects.toThrow(code('LIMIT_REACHED'));
    await clock.advance(1_000);
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set(['queued']));
    const [again] = [call(clock.deadline(1_000))];
    await clock.advance(1_000);
    expect(await again).toMatchObject({ status: 'queued' });
  });

  test('has an id, a model’s name and a reason of so many letters; what is behind them is cut', async () => {
    const names: (string | undefined)[] = [];
    const { clock, sent, receive, wake } = waking(async (name) => void names.push(name));
    for (const more of [0, 1]) {
      const [id, model] = [x(limits.wakeIdCharsMax + more), x(limits.capabilityCharsMax + more)];
      await receive('wake_up', { wake_up_id: id, model });
    }
    expect(sent.map(({ payload }) => payload['wake_up_id'])).toEqual([1, 2].map(() => x(limits.wakeIdCharsMax)));
    expect(names).toEqual([1, 2].map(() => x(limits.capabilityCharsMax)));
    for (const more of [0, 1]) {
      const waiting = wake.wake('a', {}, never);
      await clock.advance(0);
      const id = sent.at(-1)?.payload['wake_up_id'];
      await receive('wake_up_ack', { wake_up_id: id, status: 'success', reason: x(limits.wakeReasonCharsMax + more) });
      expect((await waiting).reason).toBe(x(limits.wakeReasonCharsMax));
    }
  });
});

test('A question about capabilities is of use for `capabilityLetterMs`, as is its answer', async () => {
  const clock = new ManualClock();
  const { sent, receive, ...at } = mail();
  const said = { protocol_version: '1' } as never;
  const deps = { clock, random: seededRandom(1), say: async () => said, told: () => undefined };
  const letters = createCapabilityLetters({ ...deps, ...at });
  letters.start();
  const asking = letters.ask(peer, never).catch((error: unknown) => error);
  await receive('capability_query', {});
  const untilMs = clock.nowMs() + limits.capabilityLetterMs;
  expect(sent.map(({ kind, expiresMs }) => [kind, expiresMs])).toEqual([
    ['capability_query', untilMs],
    ['capability_response', untilMs],
  ]);
  await clock.advance(limits.capabilityLetterMs - 1);
  expect(await Promise.race([asking, Promise.resolve('waits')])).toBe('waits');
  await clock.advance(1);
  expect(await asking).toMatchObject({ code: 'TIMEOUT' });
});

describe('Between two peers', () => {
  function two() {
    const clock = new ManualClock();
    const networks = createMemoryNetworks({ clock, random: seededRandom(3) });
    const join = (name: PeerId) => networks.join(name, { isGranted: () => true });
    return { clock, here: join(self), there: join(peer) };
  }

  test('an answer about capabilities has `capabilitiesBytesMax` bytes, and not one more', async () => {
    const { clock, here, there } = two();
    there.answer(capabilitiesMethod.protocol, async (channel) => {
      for await (const message of channel) expect(message).toHaveLength(limits.capabilitiesBytesMax);
    });
    const channel = await clock.until(here.open(peer, capabilitiesMethod.protocol, { signal: never }));
    await channel.send(new Uint8Array(limits.capabilitiesBytesMax));
    await expect(channel.send(new Uint8Array(limits.capabilitiesBytesMax + 1))).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  describe('what a peer says of itself', () => {
    const said = async (models: readonly string[], others: readonly string[] = []) => {
      const deps = {
        clock: new ManualClock(),
        network: two().here,
        random: seededRandom(1),
        crypto,
        self,
        ...mail(),
        agent: 'peerai',
        versions: ['1'],
        addresses: () => others,
        messageTypes: () => others,
        modelsFor: () => models,
        taskTypes: () => others,
        operators: async () => others,
      } as unknown as CapabilitiesDeps;
      return await createCapabilities(deps).answer(peer, undefined);
    };
    const many = (count: number, letters: number, letter = 'x') =>
      Array.from({ length: count }, (_, place) => `${place}`.padEnd(letters, letter));

    test('has lists of `capabilityEntriesMax` entries, without those that are longer than a reader takes', async () => {
      const { capabilityEntriesMax: most, capabilityCharsMax: letters } = limits;
      expect((await said(many(most + 1, 9))).models).toEqual(many(most, 9));
      expect((await said([x(letters + 1), x(letters)])).models).toEqual([x(letters)]);
    });

    test('has lists of `capabilityListBytesMax`, which all together fit an answer', async () => {
      const { capabilityListBytesMax: most, capabilityCharsMax: letters } = limits;
      // Each takes its letters, two quotation marks and a comma.
      const full = many(most / (letters / 2), letters / 2 - 3);
      expect((await said(full)).models).toEqual(full);
      expect((await said([...full, ''])).models).toEqual(full);
      const longest = many(2 * limits.capabilityEntriesMax, letters, '漢');
      const capabilities = await said(longest, longest);
      expect(capabilities.endpoints).toHaveLength(limits.addressesMax);
      const bytes = capabilitiesMethod.response.encode({ capabilities });
      expect(bytes.length).toBeLessThanOrEqual(limits.capabilitiesBytesMax);
      expect(capabilitiesMethod.response.decode(bytes)).toEqual({ capabilities });
    });
  });

  test('a device that does not say how it is within `heartbeatAnswerMs` missed a beat', async () => {
    const { clock, here, there } = two();
    there.answer(statusMethod.protocol, () => new Promise(() => undefined));
    const missed: number[] = [];
    const device = { peer, blocked: false };
    const deps = {
      clock,
      network: here,
      links: { get: () => ({}) },
      devices: { get: () => device, list: () => [device] },
      logger: { ...silentLogger, debug: () => void missed.push(clock.elapsedMs()) },
      own: () => ({ models: [], tasks: 0, load: 0 }),
      startedMs: 0,
      changed: () => undefined,
    } as unknown as Parameters<typeof createHeartbeat>[0];
    const stop = new AbortController();
    const beating = createHeartbeat(deps).run(stop.signal);
    await clock.advance(limits.heartbeatEveryMs);
    await clock.advance(limits.heartbeatAnswerMs - 1);
    expect(missed).toEqual([]);
    await clock.advance(1);
    expect(missed).toEqual([limits.heartbeatEveryMs + limits.heartbeatAnswerMs]);
    stop.abort();
    await beating;
  });
});
