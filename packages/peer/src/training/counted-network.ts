import { type Channel, type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';

/** A network that counts what goes through it, and can end what one peer has open. */
export interface CountedNetwork extends Network {
  readonly sent: number;
  readonly received: number;
  /** Ends the channels that this peer opened here. */
  cutOff(peer: PeerId): void;
  /** Bytes that went another way. */
  countSent(bytes: number): void;
}

/** For training alone. A peer that does not answer a protocol, or not for us, counts as not there: the next one is asked. */
export function countedNetwork(network: Network): CountedNetwork {
  const open = new Set<Channel>();
  let [sent, received] = [0, 0];
  const counted = (channel: Channel): Channel => ({
    link: channel.link,
    signal: channel.signal,
    async send(message) {
      await channel.send(message);
      sent += message.length;
    },
    close: (code) => channel.close(code),
    [Symbol.asyncIterator]() {
      const messages = channel[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await messages.next();
          if (result.done !== true) received += result.value.length;
          return result;
        },
        return: async () => (await messages.return?.()) ?? { done: true, value: undefined },
      };
    },
  });
  return {
    self: network.self,
    addresses: () => network.addresses(),
    async open(peer, protocol, options) {
      try {
        const channel = counted(await network.open(peer, protocol, options));
        // The first message went with the opening.
        sent += (await options.first)?.length ?? 0;
        return channel;
      } catch (error) {
        if (!PeerAiError.is(error, 'REFUSED')) throw error;
        throw new PeerAiError('PEER_UNREACHABLE', 'the peer does not train with this one now', {}, { cause: error });
      }
    },
    answer: (protocol, handler) =>
      network.answer(protocol, async (channel) => {
        open.add(channel);
        try {
          await handler(counted(channel));
        } finally {
          open.delete(channel);
        }
      }),
    links: (signal) => network.links(signal),
    disconnect: (peer) => network.disconnect(peer),
    get sent() {
      return sent;
    },
    get received() {
      return received;
    },
    countSent(bytes) {
      sent += bytes;
    },
    cutOff(peer) {
      for (const channel of open) if (channel.link.peer === peer) void channel.close('REFUSED').catch(() => undefined);
    },
  };
}
