import type { Connection, Stream } from '@libp2p/interface';
import { type Channel, type Logger, PeerAiError, type PeerId, type Protocol } from '@peerai/core-protocol';
import { createMessageChannel, type OpenedChannel, refuseMessages } from '../channel/message-channel.ts';
import { createNegotiation } from '../channel/negotiation.ts';
import { createRawChannel, refuseRaw } from '../channel/raw-channel.ts';
import type { Heart } from '../channel/heartbeat.ts';
import { channelClosed, transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { isEager } from '../libp2p/eager-yamux.ts';
import { limits } from '../limits.ts';
import type { LinkTable } from './link-table.ts';
import type { LinkSealing } from './sealing.ts';

export interface ChannelMaker {
  /** Puts a channel of ours on a fresh stream. */
  make(protocol: Protocol, stream: Stream, connection: Connection, over?: () => void): OpenedChannel;
}

export function createChannelMaker(table: LinkTable, heart: Heart): ChannelMaker {
  return {
    make(protocol, stream, connection, over) {
      const deps = {
        stream,
        meter: table.entry(connection),
        heart,
        messageBytesMax: protocol.messageBytesMax,
        priority: protocol.priority ?? 'normal',
        ...(over === undefined ? {} : { over }),
      };
      if (protocol.framing === 'messages') {
        return createMessageChannel(isEager(stream) ? { ...deps, negotiation: createNegotiation(protocol.id) } : deps);
      }
      return createRawChannel({ ...deps, canPause: connection.multiplexer?.includes('yamux') === true });
    },
  };
}

export interface AcceptDeps {
  readonly components: Components;
  readonly maker: ChannelMaker;
  readonly logger: Logger;
  readonly isGranted: (peer: PeerId, protocolId: string) => boolean;
  readonly isBlocked: (peer: PeerId) => boolean;
  readonly sealing?: LinkSealing | undefined;
  readonly directOnly: boolean;
}

/** Answers protocols: who may, how many, and what happens to a handler's end. */
export interface Acceptor {
  answer(protocol: Protocol, handler: Handler): Disposable;
  /** Channels answered here and still open. */
  readonly channels: number;
}

export function createAcceptor(deps: AcceptDeps): Acceptor {
  const answered = new Set<string>();
  const open = new Set<Channel>();
  const { sealing } = deps;

  /** The reason not to talk, or undefined. */
  function refusal(
    protocol: Protocol,
    peer: PeerId,
    connection: Connection,
    channels: number,
    isPlain: boolean,
  ): Refusal | undefined {
    if (deps.isBlocked(peer)) return 'REFUSED';
    if (deps.directOnly && !connection.direct) return 'REFUSED';
    if (protocol.access === 'granted' && !deps.isGranted(peer, protocol.id)) return 'REFUSED';
    if (isPlain && sealing?.refuses(connection, protocol) === true) return 'POST_QUANTUM_REQUIRED';
    return channels >= protocol.channelsPerPeerMax ? 'LIMIT_REACHED' : undefined;
  }

  async function serve(protocol: Protocol, opened: OpenedChannel, handler: (channel: Channel) => Promise<void>) {
    try {
      await handler(opened.channel);
      await opened.channel.close();
      opened.leave();
    } catch (error) {
      const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
      if (!opened.channel.signal.aborted) deps.logger.debug('handler-failed', { protocol: protocol.id, code });
      await opened.channel.close(code);
    }
  }

  function answer(protocol: Protocol, handler: Handler): Disposable {
    if (answered.has(protocol.id)) throw transportError('ALREADY_ANSWERED', `${protocol.id} is answered already`);
    answered.add(protocol.id);
    const mine = new Set<Channel>();
    const perPeer = new Map<PeerId, number>();
    const isSealed = sealing !== undefined && protocol.framing === 'messages' && protocol !== sealing.exchange.protocol;

    const onStream = (wire: Protocol, stream: Stream, connection: Connection): void => {
      const peer = connection.remotePeer.toString() as PeerId;
      const count = perPeer.get(peer) ?? 0;
      const refused = refusal(protocol, peer, connection, count, wire === protocol);
      if (refused !== undefined) {
        deps.logger.debug('channel-refused', { protocol: protocol.id, peer, code: refused });
        if (protocol.framing === 'raw') void refuseRaw(stream);
        else void refuseMessages(stream, refused);
        return;
      }
      perPeer.set(peer, count + 1);
      const opened = deps.maker.make(wire, stream, connection, () => {
        const left = (perPeer.get(peer) ?? 1) - 1;
        if (left > 0) perPeer.set(peer, left);
        else perPeer.delete(peer);
        mine.delete(opened.channel);
        open.delete(opened.channel);
      });
      if (opened.channel.signal.aborted) return;
      mine.add(opened.channel);
      open.add(opened.channel);
      const channel =
        wire === protocol
          ? opened.channel
          : (sealing?.answering(connection, protocol, opened.channel) ?? opened.channel);
      void serve(protocol, { ...opened, channel }, (one) => handler(one, connection));
    };

    const wires = [protocol, ...(isSealed ? [sealing.sealedProtocol(protocol)] : [])];
    const registered = wires.map(async (wire) => {
      try {
        await deps.components.registrar.handle(wire.id, (stream, connection) => onStream(wire, stream, connection), {
          maxInboundStreams: protocol.channelsPerPeerMax + limits.refusedStreamsMax,
          maxOutboundStreams: limits.streamsPerConnectionMax,
          runOnLimitedConnection: true,
        });
      } catch (error) {
        deps.logger.error('answer-failed', { protocol: wire.id, error });
      }
      return wire;
    });
    return {
      [Symbol.dispose]() {
        if (!answered.delete(protocol.id)) return;
        for (const one of registered) {
          void one.then(({ id }) => deps.components.registrar.unhandle(id)).catch(() => undefined);
        }
        for (const channel of mine) void channel.close('CHANNEL_CLOSED');
      },
    };
  }

  if (sealing !== undefined) answer(sealing.exchange.protocol, sealing.exchange.handler);
  return {
    get channels() {
      return open.size;
    },
    answer,
  };
}

type Handler = (channel: Channel, connection: Connection) => Promise<void>;
type Refusal = 'REFUSED' | 'LIMIT_REACHED' | 'POST_QUANTUM_REQUIRED';

/** What the opener throws when its stream could not be negotiated. */
export function openingError(error: unknown): PeerAiError {
  if (PeerAiError.is(error)) return error;
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
    return transportError('REFUSED', 'the other side does not answer this protocol', { reason: 'unsupported' }, error);
  }
  if (error instanceof Error && error.name.startsWith('TooMany')) {
    return transportError('LIMIT_REACHED', 'too many streams on this connection', {}, error);
  }
  return channelClosed('the link broke while the channel was opened', undefined, error);
}
