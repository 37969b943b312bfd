/** The far end of the WebRTC row: a relay that introduces, and behind it bare libp2p and our node. */
import type { PeerId } from '@peerai/core-protocol';
import { createAgentNode, createRelayNode } from '@peerai/transport/node';
import { testDeps, until } from '@peerai/transport/testing';
import { createBareNode } from './bare-node.ts';
import { bareProtocol, channelProtocol, receiveBare, receiveChannel } from './transfer.ts';

/** What the parent gets, once. */
export interface WebrtcReady {
  readonly bareAddress: string;
  readonly peer: PeerId;
  readonly addresses: readonly string[];
}

const relay = await createRelayNode(testDeps(), { listen: ['/ip4/127.0.0.1/tcp/0'] });
await relay.start();
const relays = [...relay.network.addresses()];

const bare = await createBareNode([`${relays[0]}/p2p-circuit`, '/webrtc'], true);
await bare.handle(bareProtocol, (stream) => receiveBare(stream));

const ours = await createAgentNode(testDeps(), { listen: [], relays, bootstrap: [] });
await ours.start();
ours.network.answer(channelProtocol, receiveChannel);

const webrtcAddress = (): string | undefined =>
  bare
    .getMultiaddrs()
    .map((address) => address.toString())
    .find((address) => address.includes('/webrtc'));
const ready: WebrtcReady = {
  bareAddress: (await until(webrtcAddress)) ?? '',
  peer: ours.network.self,
  addresses: await until(() => (ours.network.addresses().length > 0 ? ours.network.addresses() : undefined)),
};
process.send?.(ready);
process.once('disconnect', () => process.exit(0));
