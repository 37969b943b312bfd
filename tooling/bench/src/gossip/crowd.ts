import { setTimeout as sleep } from 'node:timers/promises';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { createAgentNode } from '@peerai/transport/node';
import { createTcpProxy, type TcpProxy, testDeps } from '@peerai/transport/testing';
import { createBareNode } from '../stream/bare-node.ts';

const topic = 'crowd';
/** Earlier nodes that each node connects to: with those that come later about ten links, more than gossip's mesh of six to twelve needs. */
const contacts = 5;
const loopback = '/ip4/127.0.0.1/tcp/0';
/** How long the links, the mesh, the last message of a flood, and that of a try before the mesh is there may take, and the pause before a try, milliseconds. */
const linksMsMax = 60_000;
const meshMsMax = 120_000;
const waitMsMax = 30_000;
const tryMsMax = 10_000;
const beforeTryMs = 3_000;
const lookMs = 20;
const dialsMax = 5;

/** Nodes of one process on loopback that all listen to one topic. */
export interface Crowd {
  /** Publishes so many from honest nodes in turn, `spaceMs` apart, and waits until all have come, or no longer. */
  flood(messages: number, spaceMs: number): Promise<Flood>;
  stop(): Promise<void>;
}
export interface Flood {
  readonly expected: number;
  readonly delivered: number;
  /** Of each copy, milliseconds. */
  readonly tookMs: readonly number[];
}

interface Member {
  /** Connections, counted at both ends. */
  readonly links: () => number;
  readonly publish: (message: Uint8Array) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

export interface CrowdOptions {
  /** So many of the last ones listen, judge every message as not worth handing on, and so swallow it. */
  readonly silent?: number;
  /** How long every byte is on its way over each link, each way, milliseconds; 0 is loopback as it is. */
  readonly delayMs?: number;
}

/** Our nodes. */
export async function ourCrowd(size: number, { silent = 0, delayMs = 0 }: CrowdOptions = {}): Promise<Crowd> {
  const board = createBoard();
  const members: Member[] = [];
  const addresses: string[] = [];
  const lines: TcpProxy[] = [];
  const stopping = new AbortController();
  for (let index = 0; index < size; index += 1) {
    const node = await createAgentNode(testDeps(), {
      listen: [loopback],
      relays: [],
      bootstrap: contactsOf(addresses),
      transports: { tcp: true, websocket: false, webrtc: false, quic: false },
    });
    await node.start();
    const own = node.network.addresses()[0] ?? '';
    const line = delayMs > 0 ? await createTcpProxy(own, 0, delayMs) : undefined;
    if (line !== undefined) lines.push(line);
    addresses.push(line === undefined ? own : `${line.address}/p2p/${node.network.self}`);
    const isSilent = index >= size - silent;
    const take = (message: Uint8Array): 'accept' | 'ignore' => {
      if (isSilent) return 'ignore';
      board.take(message);
      return 'accept';
    };
    void drain(node.topics.subscribe(topic, take, stopping.signal));
    members.push({
      links: () => node.stats().connections,
      publish: (message) => node.topics.publish(topic, message),
      stop: () => node.stop(),
    });
  }
  return crowdOf(members, size - silent, board, () => {
    stopping.abort();
    for (const line of lines) line.close();
  });
}

/** gossipsub of libp2p alone, with the settings of ours. */
export async function bareCrowd(size: number): Promise<Crowd> {
  const board = createBoard();
  const members: Member[] = [];
  const addresses: string[] = [];
  for (let index = 0; index < size; index += 1) {
    const node = await createBareNode([loopback], false, {
      pubsub: gossipsub({
        emitSelf: false,
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
    });
    const pubsub = node.services['pubsub'] as GossipSub;
    pubsub.addEventListener('message', ({ detail }) => board.take(detail.data));
    pubsub.subscribe(topic);
    for (const address of contactsOf(addresses)) await dialled(node, address);
    addresses.push(node.getMultiaddrs()[0]?.toString() ?? '');
    members.push({
      links: () => node.getConnections().length,
      publish: (message) => pubsub.publish(topic, message),
      stop: async () => node.stop(),
    });
  }
  return crowdOf(members, size, board, () => undefined);
}

/** One process has both ends, and a machine with other work may be late: again until it is there. */
async function dialled(node: Libp2p, address: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await node.dial(multiaddr(address));
      return;
    } catch (error) {
      if (attempt >= dialsMax) throw error;
    }
  }
}

/** Spread over all earlier ones, the first among them. */
function contactsOf(addresses: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.floor(addresses.length / contacts));
  return addresses.filter((_, index) => index % step === 0).slice(0, contacts);
}

async function crowdOf(
  members: readonly Member[],
  honest: number,
  board: ReturnType<typeof createBoard>,
  end: () => void,
): Promise<Crowd> {
  const flood = async (messages: number, spaceMs: number, msMax: number): Promise<Flood> => {
    board.clear();
    const expected = messages * (honest - 1);
    for (let index = 0; index < messages; index += 1) {
      const message = new Uint8Array(256);
      new DataView(message.buffer).setFloat64(0, performance.now());
      crypto.getRandomValues(message.subarray(8));
      await members[index % honest]?.publish(message);
      if (spaceMs > 0) await sleep(spaceMs);
    }
    const endMs = performance.now() + msMax;
    while (board.tookMs.length < expected && performance.now() < endMs) await sleep(lookMs);
    return { expected, delivered: board.tookMs.length, tookMs: [...board.tookMs] };
  };
  const crowd: Crowd = {
    flood: (messages, spaceMs) => flood(messages, spaceMs, waitMsMax),
    async stop() {
      await Promise.all(members.map((member) => member.stop()));
      end();
    },
  };
  const linksEndMs = performance.now() + linksMsMax;
  while (members.some((member, index) => member.links() < Math.min(index, contacts)) && performance.now() < linksEndMs)
    await sleep(lookMs);
  // The mesh is there once a message of each comes to all.
  const endMs = performance.now() + meshMsMax;
  for (;;) {
    await sleep(beforeTryMs);
    const { expected, delivered } = await flood(honest, lookMs, tryMsMax);
    if (delivered === expected) return crowd;
    if (performance.now() > endMs) {
      await crowd.stop();
      throw new Error(`${delivered} of ${expected} copies came: no mesh was formed`);
    }
  }
}

function createBoard() {
  const tookMs: number[] = [];
  return {
    tookMs,
    take(message: Uint8Array): void {
      tookMs.push(performance.now() - new DataView(message.buffer, message.byteOffset).getFloat64(0));
    },
    clear: () => void (tookMs.length = 0),
  };
}

async function drain(messages: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const message of messages) void message;
}
