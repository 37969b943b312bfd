import type { Connection, ConnectionProtector, MultiaddrConnection, Stream } from '@libp2p/interface';
import type { AbstractMultiaddrConnection } from '@libp2p/utils';
import { type Logger, toHex, utf8 } from '@peerai/core-protocol';
import { preSharedKey } from '@libp2p/pnet';
import { refuseMessages } from '../channel/message-channel.ts';
import { reasonOf, transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { endLink } from '../network/link-table.ts';
import { type MembershipDeps, membershipProtocol, proveAsAnswerer, proveAsDialler } from './membership.ts';
import { swarmKeyHead } from './network-key.ts';

export interface Cover {
  readonly connectionProtector: () => ConnectionProtector;
  /** Somebody answered at this address whose first bytes were not under our key. */
  readonly isForeign: (address: string) => boolean;
}

/**
 * libp2p's own cover for TCP and WebSocket: without the key not even the handshake can be read. Under different keys its two sides see noise or
 * wait for bytes that never come; so it is noted where a dialled connection has begun and not yet made sense.
 */
export function createCover(networkKey: Uint8Array): Cover {
  const make = preSharedKey({ psk: utf8([...swarmKeyHead, toHex(networkKey)].join('\n')) });
  const unproven = new Set<string>();
  return {
    isForeign: (address) => unproven.has(placeOf(address)),
    connectionProtector: () => {
      const inner = make();
      return {
        async protect(connection, options) {
          const place = placeOf((connection as unknown as MultiaddrConnection).remoteAddr.toString());
          if (connection.direction === 'outbound') unproven.add(place);
          if (unproven.size > limits.foreignPlacesMax) unproven.delete(unproven.values().next().value ?? place);
          const covered = (await inner.protect(connection, options)) as AbstractMultiaddrConnection;
          checkStart(covered, () => unproven.delete(place));
          return covered;
        },
      };
    },
  };
}

const placeOf = (address: string): string => address.split('/p2p/')[0] ?? '';

/** The first bytes are always multistream-select's. */
function checkStart(covered: AbstractMultiaddrConnection, isOurs: () => void): void {
  const expected = utf8('\x13/multistream/1.0.0\n');
  const take = covered.onData.bind(covered);
  let seen = 0;
  if (covered.readBufferLength > 0) return isOurs();
  covered.onData = (data) => {
    for (const byte of data.subarray(0, expected.length - seen)) {
      if (byte !== expected[seen]) return covered.abort(anotherNetwork());
      seen += 1;
      if (seen === expected.length) isOurs();
    }
    take(data);
  };
}

interface State {
  /** The other side has begun its proof, or we ours. */
  isUnderWay: boolean;
  isMember: boolean;
  /** Rejects with PRIVATE_NETWORK. */
  readonly proven: PromiseWithResolvers<void>;
}

/**
 * Lets nothing through on any link, whatever carries it, until both sides have proven that they know the key: streams of others wait while the
 * proof is under way and are refused before, streams of ours wait. What did not prove itself in time is closed. As the first of libp2p's
 * services, so that no other sees a connection sooner.
 */
export function requireMembership(components: Components, deps: MembershipDeps & { readonly logger: Logger }): void {
  const { events, registrar } = components;
  const states = new WeakMap<Connection, State>();

  function stateOf(connection: Connection): State {
    const known = states.get(connection);
    if (known !== undefined) return known;
    const state: State = { isUnderWay: false, isMember: false, proven: Promise.withResolvers<void>() };
    state.proven.promise.catch(() => undefined);
    states.set(connection, state);
    return state;
  }

  async function settle(connection: Connection, work: () => Promise<void>): Promise<void> {
    const state = stateOf(connection);
    state.isUnderWay = true;
    try {
      await work();
      state.isMember = true;
      state.proven.resolve();
    } catch (error) {
      state.proven.reject(error);
      deps.logger.info('private-network-refused', { peer: connection.remotePeer.toString(), reason: reasonOf(error) });
      endLink(connection, error as Error);
    }
  }

  events.addEventListener('connection:open', ({ detail: connection }) => {
    const state = stateOf(connection);
    const plain = connection.newStream.bind(connection);
    const late = deps.clock.deadline(limits.membershipMs);
    connection.newStream = async (protocols, options) => {
      if (!state.isMember) await state.proven.promise;
      return plain(protocols, options);
    };
    if (connection.direction === 'outbound') {
      void settle(connection, async () => proveAsDialler(deps, connection, await openProof(plain, late)));
    } else {
      const giveUp = (): void => {
        if (!state.isUnderWay) void settle(connection, () => Promise.reject(notAMember()));
      };
      late.addEventListener('abort', giveUp, { once: true });
    }
  });

  const handlerOf = registrar.getHandler.bind(registrar);
  registrar.getHandler = (protocol) => {
    const found = handlerOf(protocol);
    if (protocol === membershipProtocol) return found;
    return { ...found, handler: (stream, connection) => guard(protocol, stream, connection, found.handler) };
  };

  async function guard(
    protocol: string,
    stream: Stream,
    connection: Connection,
    handler: (stream: Stream, connection: Connection) => void | Promise<void>,
  ): Promise<void> {
    const state = stateOf(connection);
    try {
      // The dialler opens its proof before anything else, so a stream that comes first is a stranger's.
      if (!state.isUnderWay) throw notAMember();
      if (!state.isMember) await state.proven.promise;
    } catch (error) {
      if (protocol.startsWith('/peerai/')) await refuseMessages(stream, 'PRIVATE_NETWORK');
      else stream.abort(error as Error);
      return;
    }
    await handler(stream, connection);
  }

  const answer = (stream: Stream, connection: Connection): void => {
    if (stateOf(connection).isUnderWay) stream.abort(transportError('REFUSED', 'one proof for each link'));
    else void settle(connection, () => proveAsAnswerer(deps, connection, stream));
  };
  void registrar.handle(membershipProtocol, answer, { runOnLimitedConnection: true, maxInboundStreams: 1 });
}

const notAMember = (): Error =>
  transportError('PRIVATE_NETWORK', 'this is a private network and the other side did not begin to prove its key');

async function openProof(newStream: Connection['newStream'], signal: AbortSignal): Promise<Stream> {
  try {
    return await newStream(membershipProtocol, { signal, runOnLimitedConnection: true });
  } catch (cause) {
    throw anotherNetwork(cause);
  }
}

const anotherNetwork = (cause?: unknown): Error =>
  transportError('PRIVATE_NETWORK', 'the other side is in no private network, or in another', {}, cause);
