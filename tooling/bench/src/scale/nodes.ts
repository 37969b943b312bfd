/** One network of the scale bench in a process of its own: so many nodes as an agent has them, each told of the first one alone. Says what it measured. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createIdentity, type Identity, openRecord, signRecord } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { systemRandom } from '@peerai/platform';
import type { TransportNode } from '@peerai/transport';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';
import type { Measured } from './point.ts';
import { countSocketBytes } from './socket-bytes.ts';

interface Member {
  readonly node: TransportNode;
  readonly identity: Identity;
}

/**
 * Between two starts, so that one process is not busy with all of them at once; how long the network may come together; how long it is watched in silence; how long one round of announcements may take: milliseconds.
 */
const [spaceMs, settleMs, quietMs, announceMs] = [1_000, 30_000, 30_000, 15_000];
const recordLifeMs = 7_200_000;
const recordsKept = 1_000;
const count = Number(process.argv[2]);
// As the agent does.
Buffer.poolSize = 8_192;

async function start(contact: string | undefined): Promise<Member> {
  const seed = systemRandom.bytes(32);
  const node = await createAgentNode(testDeps({ seed, crypto: nodeCrypto }), {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    relays: [],
    bootstrap: contact === undefined ? [] : [contact],
    dht: true,
    peerExchange: true,
    transports: { tcp: true, websocket: false, webrtc: false, quic: false },
  });
  await node.start();
  return { node, identity: createIdentity(nodeCrypto, seed) };
}

const recordOf = (identity: Identity, name: string, addresses: readonly string[], sequence: number): Uint8Array =>
  signRecord(identity, {
    name,
    agent: 'bench',
    models: ['nano', 'mistral'],
    addresses: addresses.slice(0, 4),
    sequence,
    expiresMs: Date.now() + recordLifeMs,
  });

async function announce({ node, identity }: Member, index: number, sequence: number): Promise<void> {
  await node.directory.announce(recordOf(identity, `node-${index}`, node.network.addresses(), sequence));
}

/** After a collection, bytes: the heap's, and what it holds outside. */
function liveBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What one record takes that is kept: its bytes, and what was read from them. */
function keptRecordBytes(): number {
  const identity = createIdentity(nodeCrypto, systemRandom.bytes(32));
  const before = liveBytes();
  const kept = Array.from({ length: recordsKept }, (_, sequence) => {
    const bytes = recordOf(
      identity,
      `node-${sequence}`,
      [`/ip4/10.0.0.1/tcp/${sequence}/p2p/${identity.peer}`],
      sequence,
    );
    return { bytes, record: openRecord(nodeCrypto, bytes, Date.now()) };
  });
  const taken = liveBytes() - before;
  return taken / kept.length;
}

async function measure(): Promise<Measured> {
  const bytes = countSocketBytes();
  const alone = await start(undefined);
  await alone.node.stop();
  const recordBytes = keptRecordBytes();
  const before = liveBytes();
  const members: Member[] = [];
  for (let index = 0; index < count; index += 1) {
    members.push(await start(members[0]?.node.network.addresses()[0]));
    const last = members.at(-1);
    if (last !== undefined) await announce(last, index, 1);
    await sleep(spaceMs);
  }
  await sleep(settleMs);
  const [startBytes, startCpu] = [bytes(), process.cpuUsage()];
  await sleep(quietMs);
  const quietBytes = ((bytes() - startBytes) * 1_000) / quietMs;
  const { user, system } = process.cpuUsage(startCpu);
  const links = members.reduce((sum, { node }) => sum + node.stats().connections, 0);
  const live = liveBytes() - before;
  const announced = bytes();
  await Promise.all(members.map((member, index) => announce(member, index, 2)));
  await sleep(announceMs);
  const announceBytes = bytes() - announced - (quietBytes * announceMs) / 1_000;
  return {
    nodes: count,
    links: links / count,
    liveBytes: live / count,
    quietBytes: quietBytes / count,
    quietProcessor: (user + system) / 1_000 / quietMs / count,
    announceBytes: announceBytes / count,
    recordBytes,
  };
}

process.once('disconnect', () => process.exit(0));
process.send?.(await measure());
