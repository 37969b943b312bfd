import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIdentity, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealSix } from '@peerai/core-protocol/pcp';
import { ManualClock } from '@peerai/core-protocol/testing';
import { quantile, until } from './figures.ts';
import type { RunningAgent } from './testnet.ts';

/** A key of seed 3's protocol, known to every agent of a testnet through its environment. */
export function loudNeighbour() {
  const identity = createIdentity(nodeCrypto, new Uint8Array(randomBytes(32)));
  const peers = [{ name: 'loud', profile: 'pcp/1.0-six', public_key: toHex(identity.publicKey) }];
  return { identity, env: { PEERAI_HTTP__PEERS: JSON.stringify(peers) } };
}

export interface LoudOptions {
  readonly identity: ReturnType<typeof loudNeighbour>['identity'];
  readonly target: RunningAgent;
  readonly honest: RunningAgent;
  /** Quiet and loud windows, by turns, and messages of the honest peer in each. */
  readonly windows: number;
  readonly messagesPerWindow: number;
}
export interface LoudFigures {
  /** How often the loud one was let in, told to wait (429), and answered otherwise or not at all, in the loud windows. */
  readonly taken: number;
  readonly refused: number;
  readonly other: number;
  /** How often it was let in from its first message on, and how often its bucket allows that in the time this took. */
  readonly takenInAll: number;
  readonly allowedInAll: number;
  /** What the loud one sent in a second of a loud window. */
  readonly loudPerSecond: number;
  readonly honestArrived: number;
  readonly honestSent: number;
  /** From the honest peer's local API to "delivered", milliseconds. */
  readonly quietP50Ms: number;
  readonly loudP50Ms: number;
  readonly quietP99Ms: number;
  readonly loudP99Ms: number;
}

/** Ten times what one identity may send: 600 messages a minute of kinds that have no bucket of their own. */
const wantedPerSecond = 100;
const allowedPerSecond = 10;
/** What its bucket holds. */
const allowedAtOnce = 600;
/** So many first, so that the windows see it at its limit. */
const burst = 650;
/** Questions of the loud one that are not answered yet, at most: the listener turns away what is beyond 256 connections, and that is not the question. */
const unansweredMax = 64;
/** How long the honest peer's last messages may take, milliseconds. */
const arriveMsMax = 60_000;

/** An honest device writes to another one, in quiet windows and in windows where a neighbour sends ten times what it may. */
export async function measureLoudNeighbour(options: LoudOptions): Promise<LoudFigures> {
  const { target, honest, windows, messagesPerWindow } = options;
  const counts = { taken: 0, refused: 0, other: 0 };
  const shout = (): Promise<void> => post(options, counts);
  const firstMs = performance.now();
  for (let sent = 0; sent < burst; sent += 10) await Promise.all(Array.from({ length: 10 }, shout));
  const takenAtOnce = counts.taken;
  Object.assign(counts, { taken: 0, refused: 0, other: 0 });
  const stopping = new AbortController();
  const arrived = new Set<unknown>();
  const reading = readArrivals(target, honest.info.peerId, arrived, stopping.signal);
  const tookMs = { quiet: [] as number[], loud: [] as number[] };
  let loudMs = 0;
  let allMs = 0;
  try {
    for (let window = 0; window < 2 * windows; window += 1) {
      const kind = window % 2 === 0 ? 'quiet' : 'loud';
      const over = new AbortController();
      const startMs = performance.now();
      const shouting = kind === 'loud' ? shoutUntil(over.signal, shout) : Promise.resolve();
      for (let count = 0; count < messagesPerWindow; count += 1) {
        const sentMs = performance.now();
        await honest.client.send(target.info.peerId, 'text', `beside the loud one ${window}-${count}`);
        tookMs[kind].push(performance.now() - sentMs);
        await sleep(20);
      }
      over.abort();
      await shouting;
      if (kind === 'loud') loudMs += performance.now() - startMs;
    }
    allMs = performance.now() - firstMs;
    await until(() => arrived.size >= tookMs.quiet.length + tookMs.loud.length, arriveMsMax);
  } finally {
    stopping.abort();
    await reading;
  }
  const [quiet, loud] = [tookMs.quiet, tookMs.loud].map((list) => list.toSorted((a, b) => a - b)) as [
    number[],
    number[],
  ];
  return {
    ...counts,
    takenInAll: takenAtOnce + counts.taken,
    allowedInAll: allowedAtOnce + (allMs * allowedPerSecond) / 1000,
    loudPerSecond: ((counts.taken + counts.refused + counts.other) * 1000) / loudMs,
    honestArrived: arrived.size,
    honestSent: quiet.length + loud.length,
    quietP50Ms: quantile(quiet, 0.5),
    loudP50Ms: quantile(loud, 0.5),
    quietP99Ms: quantile(quiet, 0.99),
    loudP99Ms: quantile(loud, 0.99),
  };
}

/** What comes to the target from one peer, as it is told to the target's own pages. */
async function readArrivals(
  { client }: RunningAgent,
  from: string,
  arrived: Set<unknown>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of client.events(signal))
      if (event.type === 'message-received' && event.message.from === from) arrived.add(event.message.payload);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** At a fixed rate, whatever the answers are. */
async function shoutUntil(signal: AbortSignal, shout: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const under = new Set<Promise<void>>();
  for (let sent = 0; !signal.aborted;) {
    const due = ((performance.now() - startMs) * wantedPerSecond) / 1000;
    for (; sent < due; sent += 1) {
      if (under.size >= unansweredMax) continue;
      const one = shout().finally(() => under.delete(one));
      under.add(one);
    }
    await sleep(10);
  }
  await Promise.all(under);
}

async function post(
  { identity, target }: LoudOptions,
  counts: { taken: number; refused: number; other: number },
): Promise<void> {
  const random = { bytes: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };
  const sealing = { identity, random, clock: new ManualClock(Date.now()), crypto: nodeCrypto };
  const body = sealSix(sealing, { version: '0.3', kind: 'text', senderId: 'loud', payload: { text: 'LOUD' } });
  const status = await fetch(`${target.info.http}/message`, { method: 'POST', body: Buffer.from(body) }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => undefined,
  );
  if (status === 200) counts.taken += 1;
  else if (status === 429) counts.refused += 1;
  else counts.other += 1;
}
