import { createSocket } from 'node:dgram';
import { type Channel, limits as coreLimits, PeerAiError, type Protocol } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes } from '../testing/index.ts';

const group = '224.0.0.251';
/** How long a datagram to ourselves may take, milliseconds. */
const ownPacketMs = 500;
/** Both ask at their start and every ten seconds, and answer at once. */
const foundMs = 12_000;
/** Long enough for two that announce themselves to have met: that takes 0.1 s. */
const strangersMs = 1_500;

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: coreLimits.messageBytesMax,
  channelsPerPeerMax: 4,
};

/** Some containers have no route for multicast: there nobody finds anybody. */
function canMulticast(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const end = (heard: boolean): void => {
      clearTimeout(timer);
      socket.close(() => resolve(heard));
    };
    const timer = setTimeout(() => end(false), ownPacketMs);
    socket.once('error', () => end(false));
    socket.once('message', () => end(true));
    socket.bind(0, () => {
      try {
        socket.addMembership(group);
        socket.setMulticastLoopback(true);
        socket.send('anybody?', socket.address().port, group);
      } catch {
        end(false);
      }
    });
  });
}

const multicast = await canMulticast();
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

/** Opens a channel to a peer of whom nothing but the id was ever said. */
async function openByIdAlone(from: TransportNode, to: TransportNode, waitMs: number): Promise<Channel | undefined> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    try {
      return await from.network.open(to.network.self, echo, { signal: AbortSignal.timeout(5_000) });
    } catch (error) {
      if (!PeerAiError.is(error, 'PEER_UNREACHABLE')) throw error;
      if (performance.now() > endMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function twoAgents(mdns: readonly [boolean, boolean]): Promise<readonly [TransportNode, TransportNode]> {
  const a = await nodes.agent({ mdns: mdns[0] });
  const b = await nodes.agent({ mdns: mdns[1] });
  for (const node of [a, b]) {
    node.network.answer(echo, async (channel) => {
      for await (const message of channel) await channel.send(message);
    });
  }
  return [a, b];
}

describe.skipIf(!multicast)(
  `two agents on one network${multicast ? '' : ' (skipped: this machine has no multicast)'}`,
  () => {
    test.each([
      ['the one that came first is found', 'later', 'earlier'],
      ['the one that came later is found', 'earlier', 'later'],
    ] as const)('%s with no address given', async (_, who, whom) => {
      const [earlier, later] = await twoAgents([true, true]);
      const agents = { earlier, later };
      const channel = await openByIdAlone(agents[who], agents[whom], foundMs);
      expect(channel?.link).toMatchObject({ path: 'direct', peer: agents[whom].network.self });
      await channel?.send(Uint8Array.of(1, 2, 3));
      await channel?.close();
      const heard: Uint8Array[] = [];
      for await (const message of channel ?? []) heard.push(message);
      expect(heard).toEqual([Uint8Array.of(1, 2, 3)]);
    });

    test('stay strangers when one of them does not announce itself', async () => {
      const [a, b] = await twoAgents([true, false]);
      expect(await openByIdAlone(a, b, strangersMs)).toBeUndefined();
      expect(await openByIdAlone(b, a, 0)).toBeUndefined();
    });
  },
);
