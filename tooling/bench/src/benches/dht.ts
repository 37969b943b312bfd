import { type KadDHT, kadDHT, type KadDHTComponents } from '@libp2p/kad-dht';
import { multiaddr } from '@multiformats/multiaddr';
import { createIdentity, openRecord, signRecord, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { systemRandom } from '@peerai/platform';
import { limits } from '@peerai/transport';
import { createDhtNode, type DhtNode, testDeps } from '@peerai/transport/testing';
import { type Bench, elapsedMs, interleave, processorSeconds, resultOf } from '../harness.ts';
import { createBareNode } from '../stream/bare-node.ts';

const nodes = 16;
const rounds = 9;
/** Looked up one after the other in a reading. */
const lookups = 5;
const loopback = '/ip4/127.0.0.1/tcp/0';
const findMsMax = 20_000;

/** How soon is a peer’s signed record found through our DHT, against kad-dht of libp2p alone? */
export const dht: Bench = {
  name: 'dht',
  async run({ signal, log }) {
    log(`${nodes} nodes of each kind in one process`);
    const ours = await ourRing(signal);
    const bare = await bareRing(signal).catch(async (error: unknown) => {
      await ours.stop();
      throw error;
    });
    const work: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
    const rate = (name: 'ours' | 'bare', find: () => Promise<void>) => async (round: number) => {
      let ms = 0;
      const seconds = await processorSeconds(async () => {
        ms = await elapsedMs(async () => {
          for (let count = 0; count < lookups; count += 1) await find();
        });
      });
      if (round >= 0) work[name].push(lookups / seconds);
      return (lookups * 1000) / ms;
    };
    try {
      const readings = await interleave(
        { ours: rate('ours', () => ours.find()), bare: rate('bare', () => bare.find()) },
        { rounds, signal },
      );
      return {
        results: [
          resultOf({
            case: 'records found, by the clock',
            unit: '/s',
            candidate: readings.ours,
            baseline: readings.bare,
            goal: 0.8,
          }),
          resultOf({ case: 'records found, by processor time', unit: '/s', candidate: work.ours, baseline: work.bare }),
        ],
        notes: [
          `${nodes} nodes on loopback in one process, each with one contact at first; k = ${limits.dhtCopies}, alpha = ${limits.dhtQuestionsAtOnce} on both sides. One node asks, until the first answer is there.`,
          'Ours checks the signature of the record at each place it passes; the other one checks nothing.',
        ],
      };
    } finally {
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

interface Ring {
  find(): Promise<void>;
  stop(): Promise<void>;
}

async function ourRing(signal: AbortSignal): Promise<Ring> {
  const made: DhtNode[] = [];
  const seed = systemRandom.bytes(32);
  for (let index = 0; index < nodes; index += 1) {
    const contact = made.at(-1)?.node.network.addresses().slice(0, 1) ?? [];
    made.push(await createDhtNode(testDeps({ crypto: nodeCrypto, ...(index === 0 ? { seed } : {}) }), contact));
  }
  const identity = createIdentity(nodeCrypto, seed);
  const body = {
    addresses: [],
    name: 'attic',
    sequence: 1,
    expiresMs: Date.now() + 3_600_000,
    models: [],
    agent: 'bench',
  };
  const bytes = signRecord(identity, body);
  made[0]?.records.announce(bytes, openRecord(nodeCrypto, bytes, Date.now()));
  const last = made.at(-1);
  const find = async (): Promise<void> => {
    const done = new AbortController();
    let count = 0;
    const found = (): void => {
      count += 1;
      done.abort();
    };
    const bounded = AbortSignal.any([signal, done.signal, AbortSignal.timeout(findMsMax)]);
    await last?.records.find(identity.peer, found, bounded);
    if (count === 0) throw new Error('nothing was found');
  };
  const ring = { find, stop: async () => void (await Promise.all(made.map(({ node }) => node.stop()))) };
  return settled(ring);
}

async function bareRing(signal: AbortSignal): Promise<Ring> {
  const made: Awaited<ReturnType<typeof createBareNode>>[] = [];
  const [key, value] = [utf8('/bench/one'), systemRandom.bytes(200)];
  for (let index = 0; index < nodes; index += 1) {
    const node = await createBareNode([loopback], false, {
      dht: (components) =>
        kadDHT({
          protocol: '/bench/kad/1.0.0',
          kBucketSize: limits.dhtCopies,
          alpha: limits.dhtQuestionsAtOnce,
          clientMode: false,
          allowQueryWithZeroPeers: true,
          peerInfoMapper: (peer) => peer,
          validators: { bench: async () => undefined },
          selectors: { bench: () => 0 },
        })(components as unknown as KadDHTComponents),
    });
    const contact = made.at(-1)?.getMultiaddrs()[0]?.toString();
    if (contact !== undefined) await node.dial(multiaddr(contact));
    made.push(node);
  }
  const dhtOf = (node: (typeof made)[number] | undefined): KadDHT => node?.services['dht'] as KadDHT;
  const put = async (): Promise<void> => {
    for await (const event of dhtOf(made[0]).put(key, value, { signal })) void event;
  };
  const find = async (): Promise<void> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(findMsMax)]);
    for await (const event of dhtOf(made.at(-1)).get(key, { signal: bounded }))
      if (event.name === 'PEER_RESPONSE' && event.record !== undefined) return;
    await put();
    throw new Error('nothing was found');
  };
  await put().catch(() => undefined);
  return settled({ find, stop: async () => void (await Promise.all(made.map(async (node) => node.stop()))) });
}

/** Once the first search succeeds, tables are filled and the record lies where it should. */
async function settled(ring: Ring): Promise<Ring> {
  const endMs = performance.now() + 3 * findMsMax;
  for (;;) {
    try {
      await ring.find();
      return ring;
    } catch (error) {
      if (performance.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        continue;
      }
      await ring.stop();
      throw error;
    }
  }
}
