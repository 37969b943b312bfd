import { type AgentOptions, createAgentNode, createRelayNode, type RelayOptions } from '../node/index.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { testDeps } from './deps.ts';

/** Nodes of one test, stopped together. */
export interface TestNodes {
  agent(options?: Partial<AgentOptions>, deps?: Partial<TransportDeps>): Promise<TransportNode>;
  relay(options?: Partial<RelayOptions>, deps?: Partial<TransportDeps>): Promise<TransportNode>;
  stopAll(): Promise<void>;
}

const tcpLoopback = '/ip4/127.0.0.1/tcp/0';

/** Started nodes on free ports of 127.0.0.1. */
export function createTestNodes(): TestNodes {
  const nodes: TransportNode[] = [];
  async function started(node: TransportNode): Promise<TransportNode> {
    nodes.push(node);
    await node.start();
    return node;
  }
  return {
    agent: async (options, deps) =>
      started(await createAgentNode(testDeps(deps), { listen: [tcpLoopback], relays: [], bootstrap: [], ...options })),
    relay: async (options, deps) =>
      started(await createRelayNode(testDeps(deps), { listen: [tcpLoopback, `${tcpLoopback}/ws`], ...options })),
    async stopAll() {
      await Promise.all(nodes.splice(0).map((node) => node.stop()));
    },
  };
}

/** Looks every 20 ms until the answer is neither undefined nor false. Throws when it never is. */
export async function until<T>(look: () => T | undefined | false, msMax = 8_000): Promise<T> {
  const endMs = performance.now() + msMax;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`not so within ${msMax} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The address of a relay that a node should be told, TCP or WebSocket. */
export function relayAddress(relay: TransportNode, kind: 'tcp' | 'ws' = 'tcp'): string {
  const address = relay.network.addresses().find((one) => one.includes('/ws') === (kind === 'ws'));
  if (address === undefined) throw new Error(`the relay does not listen on ${kind}`);
  return address;
}
