import { webRTC } from '@libp2p/webrtc';
import { cleanup } from 'node-datachannel';
import type { Libp2pInit } from 'libp2p';
import { webrtcInit } from '../libp2p/assemble.ts';
import type { TransportNode } from '../libp2p/options.ts';

/** Nodes of this process that may hold native connections. */
let holders = 0;

/**
 * WebRTC on Node: connections that broke while they came up stay alive in the native layer and keep the process from
 * ending. When the last node of the process has stopped, everything native is freed.
 */
export function nativeWebrtc(): {
  readonly transport: NonNullable<Libp2pInit['transports']>[number];
  readonly releasedWith: (node: TransportNode) => TransportNode;
} {
  return {
    transport: webRTC(webrtcInit),
    releasedWith(node) {
      let holding = false;
      return {
        ...node,
        start(signal) {
          if (!holding) holders += 1;
          holding = true;
          return node.start(signal);
        },
        async stop() {
          await node.stop();
          if (!holding) return;
          holding = false;
          holders -= 1;
          if (holders === 0) cleanup();
        },
      };
    },
  };
}
