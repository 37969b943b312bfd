/** The far end of the stream bench, a process of its own: raw TCP, bare libp2p and our node, each counting what arrives. */
import { createServer } from 'node:net';
import type { PeerId } from '@peerai/core-protocol';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';
import { createBareNode } from './bare-node.ts';
import { bareProtocol, channelProtocol, receiveBare, receiveChannel, transferBytes } from './transfer.ts';

/** What the parent gets, once. */
export interface ReceiverReady {
  readonly rawPort: number;
  readonly bareAddress: string;
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

const loopback = '/ip4/127.0.0.1/tcp/0';

const raw = createServer({ noDelay: true }, (socket) => {
  let missing = transferBytes;
  socket.on('error', () => undefined);
  socket.on('data', (piece) => {
    missing -= piece.length;
    if (missing === 0) socket.end(Uint8Array.of(1));
  });
});
await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));

const bare = await createBareNode([loopback]);
await bare.handle(bareProtocol, (stream) => receiveBare(stream));

const ours = await createAgentNode(testDeps(), {
  listen: [loopback],
  relays: [],
  bootstrap: [],
  transports: { tcp: true, websocket: false, webrtc: false },
});
await ours.start();
ours.network.answer(channelProtocol, receiveChannel);

const address = raw.address();
const ready: ReceiverReady = {
  rawPort: typeof address === 'object' && address !== null ? address.port : 0,
  bareAddress: bare.getMultiaddrs()[0]?.toString() ?? '',
  peer: ours.network.self,
  addresses: ours.network.addresses(),
};
process.send?.(ready);
process.once('disconnect', () => process.exit(0));
