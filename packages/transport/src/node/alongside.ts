import type { TransportNode } from '../libp2p/options.ts';

/** A node with work of its own, from its start to its stop. */
export function alongside(node: TransportNode, run: (signal: AbortSignal) => void): TransportNode {
  const stopping = new AbortController();
  let running = false;
  return {
    ...node,
    async start(signal) {
      await node.start(signal);
      if (running || stopping.signal.aborted) return;
      running = true;
      run(stopping.signal);
    },
    stop() {
      stopping.abort();
      return node.stop();
    },
  };
}
