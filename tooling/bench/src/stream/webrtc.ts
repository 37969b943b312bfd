import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';
import type { Libp2p } from 'libp2p';
import { forkProgram } from '../fork.ts';
import { elapsedMs, interleave } from '../harness.ts';
import { createBareNode } from './bare-node.ts';
import { bareProtocol, channelProtocol, sendBare, sendChannel, transferBytes } from './transfer.ts';
import type { WebrtcReady } from './webrtc-receiver.ts';

/** WebRTC hangs in its native layer in about one dial of six; then it is tried again, milliseconds. */
const dialMs = 4_000;
const dialsMax = 5;

/** MiB/s of the channel and of bare libp2p over WebRTC links that a relay introduced. */
export async function webrtcRates(message: Uint8Array, signal: AbortSignal) {
  await using receiver = await forkProgram<WebrtcReady>(new URL('./webrtc-receiver.js', import.meta.url), signal);
  const { bareAddress, peer, addresses } = receiver.ready;
  const bare = await createBareNode([], true);
  const ours = await createAgentNode(testDeps(), { listen: [], relays: [], bootstrap: [], path: 'direct-only' });
  await ours.start();
  try {
    const connection = await dialDirect(bare, bareAddress);
    return await interleave(
      {
        bare: async () => {
          const stream = await connection.newStream(bareProtocol, { signal });
          return rate(() => sendBare(stream, message));
        },
        channel: async () => {
          const channel = await ours.network.open(peer, channelProtocol, { signal, addresses });
          return rate(() => sendChannel(channel, message));
        },
      },
      { signal },
    );
  } finally {
    await Promise.all([bare.stop(), ours.stop()]);
  }
}

async function dialDirect(node: Libp2p, address: string): Promise<Connection> {
  for (let dial = 1; ; dial += 1) {
    try {
      return await node.dial(multiaddr(address), { signal: AbortSignal.timeout(dialMs) });
    } catch (error) {
      if (dial === dialsMax) throw error;
    }
  }
}

const rate = async (send: () => Promise<void>): Promise<number> =>
  transferBytes / 1_048_576 / ((await elapsedMs(send)) / 1000);
