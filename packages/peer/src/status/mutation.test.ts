import { fromUtf8, type Opened, PeerAiError, type PeerId, type Topics, utf8 } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, mutated, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import type { PeerMessenger } from '@peerai/messaging';
import { threadMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { createKnownPeers } from '../http/known-peers.ts';
import { type Device, openDevices } from '../pairing/devices.ts';
import { createPeerTopics } from '../topics/topics.ts';
import { capabilitiesMethod, pingMethod, statusMethod } from './status-protocol.ts';
import { createWake } from './wake.ts';

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;
const random = seededRandom(71);
const clock = new ManualClock();
const sender = '12D3KooWSnm2Vc29SUv8gwmQG1urrwWJbcnjdQWx4ahRtoho1nrQ' as PeerId;

type Decode = (bytes: Uint8Array) => unknown;
const devices = await openDevices(new MemoryStore());
await devices.update(sender, () => ({ peer: sender, name: 'a', allow: ['chat'], blocked: false }) as unknown as Device);

/** What a device's wake-up or its answer says, as the messenger hands it on: JSON that was read. */
async function wakeOf(kind: 'wake_up' | 'wake_up_ack'): Promise<Decode> {
  const handlers = new Map<string, (message: Opened, signal: AbortSignal) => Promise<unknown>>();
  const messenger = {
    handle: (name: string, handler: (message: Opened, signal: AbortSignal) => Promise<unknown>) => {
      handlers.set(name, handler);
      return { [Symbol.dispose]: () => undefined };
    },
    send: async () => 'id',
  } as unknown as PeerMessenger;
  const known = createKnownPeers(devices, { byName: () => undefined, byPeer: () => undefined });
  const deps = { clock, random, logger: silentLogger, messenger, known };
  createWake({ ...deps, model: async () => undefined, woken: () => undefined }).start();
  return async (bytes) => {
    const payload = parsed(bytes);
    if (payload === undefined) return;
    await handlers.get(kind)?.({ sender, kind, payload, id: 'x', sentMs: 1 } as unknown as Opened, live);
  };
}
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
const live = new AbortController().signal;
let judge: Parameters<Topics['subscribe']>[1] = () => 'ignore';
const topics: Topics = {
  publish: async () => undefined,
  subscribe: (_, judged) => {
    judge = judged;
    return (async function* () {})();
  },
};
createPeerTopics({ clock, devices, isRefused: () => false, topics }).subscribe(
  'news',
  live,
  'room=kitchen and reading.celsius>=20',
);

const capabilities = {
  protocol_version: '1.0',
  protocol_versions: ['1.0', '0.1'],
  supported_msg_types: ['ping', 'text'],
  crypto_features: { sessions: true },
  endpoints: ['/message'],
  entity_id: 'a',
  agent: 'test/1',
  models: ['nano'],
  task_types: ['prompt'],
  nn_operators: ['Add'],
};
const report = {
  state: 'ready',
  startedMs: 5,
  sequence: 9,
  answering: 1,
  waiting: 2,
  tasksRunning: 3,
  tasksWaiting: 4,
};
const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: Decode }> = {
  ping: {
    valid: pingMethod.request.encode({ nonce: random.bytes(16) }),
    decode: (bytes) => pingMethod.request.decode(bytes),
  },
  'status report': {
    valid: statusMethod.request.encode({ ...report, state: 'ready' }),
    decode: (bytes) => statusMethod.request.decode(bytes),
  },
  'question for capabilities': {
    valid: capabilitiesMethod.request.encode({}),
    decode: (bytes) => capabilitiesMethod.request.decode(bytes),
  },
  'answer with capabilities': {
    valid: capabilitiesMethod.response.encode({ capabilities }),
    decode: (bytes) => capabilitiesMethod.response.decode(bytes),
  },
  'wake-up': {
    valid: utf8('{"wake_up_id":"x","reason":"work","model":"nano"}'),
    decode: await wakeOf('wake_up'),
  },
  'answer to a wake-up': {
    valid: utf8('{"wake_up_id":"x","status":"success","acknowledged":true,"reason":"nano"}'),
    decode: await wakeOf('wake_up_ack'),
  },
  'message of a topic': {
    valid: utf8('{"payload":{"room":"kitchen","reading":{"celsius":21}},"sentMs":5}'),
    decode: (bytes) => judge(bytes, sender, sender),
  },
};

test('what is valid is read', async () => {
  for (const { valid, decode } of Object.values(decoders)) await decode(valid);
  const topic = decoders['message of a topic'];
  expect(topic?.decode(topic.valid)).toBe('accept');
  const status = decoders['status report'];
  expect(status?.decode(status.valid)).toMatchObject(report);
  const said = decoders['answer with capabilities'];
  expect(said?.decode(said.valid)).toMatchObject({ capabilities });
});

test.each(Object.entries(decoders))(
  '%s: 10,000 mutations, nothing but our errors, nothing slow',
  async (_, { valid, decode }) => {
    let slowestMs = 0;
    for (let turn = 0; turn < mutationsEach; turn += 1) {
      const input = mutated(valid, random);
      const startMs = threadMs();
      try {
        await decode(input);
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
      }
      const tookMs = threadMs() - startMs;
      // A machine that was busy for a moment is asked again.
      if (tookMs > slowestMsMax) slowestMs = Math.max(slowestMs, await again(decode, input));
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
  },
  60_000,
);

async function again(decode: Decode, input: Uint8Array): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 5; turn += 1) {
    const startMs = threadMs();
    try {
      await decode(input);
    } catch {
      // How long it takes is all that is asked here.
    }
    bestMs = Math.min(bestMs, threadMs() - startMs);
  }
  return bestMs;
}
