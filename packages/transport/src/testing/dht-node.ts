import { tcp } from '@libp2p/tcp';
import { type DhtPart, dhtPart } from '../discovery/kad.ts';
import { assembleNode } from '../libp2p/assemble.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';

/** A node and its records in the DHT alone: a whole node would rather answer from gossip, or by asking its neighbours. */
export interface DhtNode {
  readonly node: TransportNode;
  readonly records: Pick<ReturnType<DhtPart['directory']>, 'announce' | 'find'>;
}

/** A started server of the DHT on a free port of 127.0.0.1, over TCP. */
export async function createDhtNode(deps: TransportDeps, bootstrap: readonly string[]): Promise<DhtNode> {
  const { service, directory } = dhtPart('server');
  const made: DhtNode['records'][] = [];
  const node = await assembleNode(deps, {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    transports: [tcp()],
    dht: {
      service,
      directory(inner) {
        const records = directory(inner);
        made.push(records);
        return records;
      },
    },
    relays: [],
    bootstrap,
    maxConnections: limits.connectionsMax,
    connectionTimeoutMs: limits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
  });
  await node.start();
  const [records] = made;
  if (records === undefined) throw new Error('the node has no DHT');
  return { node, records };
}
