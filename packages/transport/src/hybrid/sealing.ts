import type { Connection } from '@libp2p/interface';
import {
  type Channel,
  createIdentity,
  equalBytes,
  orAborted,
  PeerAiError,
  type PeerId,
  type Protocol,
} from '@peerai/core-protocol';
import { reasonOf, transportError } from '../errors.ts';
import { endLink } from '../network/link-table.ts';
import type { LinkParts, LinkSealing, MakeSealing } from '../network/sealing.ts';
import { answerExchange, beginExchange, type ExchangeDeps, exchangeProtocol } from './exchange.ts';
import { limits } from './limits.ts';
import { type LinkSecret, readHead } from './link-secret.ts';
import { sealedChannel } from './sealed-channel.ts';

/** `required`: no channel without; `preferred`: with every peer that can, and never again without one that did. */
export type PostQuantum = 'required' | 'preferred';

export interface SealingDeps extends Omit<ExchangeDeps, 'identity'> {
  /** 32 bytes: the Ed25519 seed of this peer. */
  readonly seed: Uint8Array;
  /** Peers that were seen to do it: they are refused without. */
  readonly isHybrid?: (peer: PeerId) => boolean;
}

/** What one link knows. */
interface State {
  readonly secrets: LinkSecret[];
  /** Our own exchange: undefined where the other side does not know the protocol. */
  begun: Promise<LinkSecret | undefined> | undefined;
  /** The one the other side began. */
  answering: Promise<unknown> | undefined;
  answered: number;
}

/** One exchange a link, begun by whoever dialled; under it every channel of ours has keys of its own. */
export const createSealing =
  ({ isHybrid = () => false, ...given }: SealingDeps, policy: PostQuantum): MakeSealing =>
  (parts) => {
    const deps = { ...given, isHybrid, identity: createIdentity(given.crypto, given.seed) };
    const states = new Map<Connection, State>();
    const stateOf = (connection: Connection): State => {
      const state = states.get(connection) ?? { secrets: [], begun: undefined, answering: undefined, answered: 0 };
      if (connection.status === 'open') states.set(connection, state);
      return state;
    };
    const room = { deps, parts, policy, stateOf };
    return {
      linked(connection) {
        if (connection.direction === 'outbound') void exchanged(room, connection).catch(() => undefined);
      },
      dropped(connection) {
        for (const secret of states.get(connection)?.secrets ?? []) secret.erase();
        states.delete(connection);
      },
      exchange: { protocol: exchangeProtocol, handler: (channel, connection) => answer(room, channel, connection) },
      sealedProtocol,
      opening: (connection, protocol, signal) => opening(room, connection, protocol, signal),
      answering: (connection, protocol, channel) => answering(room, connection, protocol, channel),
      refuses(connection, { id, framing }) {
        if (id === exchangeProtocol.id) return false;
        if (policy === 'required') return true;
        if (framing === 'raw') return false;
        return stateOf(connection).secrets.length > 0 || deps.isHybrid(peerOf(connection));
      },
    } satisfies LinkSealing;
  };

interface Room {
  readonly deps: ExchangeDeps & Required<Pick<SealingDeps, 'isHybrid'>>;
  readonly parts: LinkParts;
  readonly policy: PostQuantum;
  readonly stateOf: (connection: Connection) => State;
}

const peerOf = (connection: Connection): PeerId => connection.remotePeer.toString() as PeerId;

/** The same protocol with its messages sealed: a head and a tag longer. */
function sealedProtocol(protocol: Protocol): Protocol {
  const messageBytesMax = Math.max(protocol.messageBytesMax + limits.tagBytes, limits.headBytes);
  return { ...protocol, id: `${protocol.id}/sealed`, messageBytesMax };
}

/** Throws POST_QUANTUM_REQUIRED, and what ended the exchange. */
async function opening(
  room: Room,
  connection: Connection,
  protocol: Protocol,
  signal: AbortSignal,
): ReturnType<LinkSealing['opening']> {
  const { deps, policy } = room;
  const isRaw = protocol.framing === 'raw';
  const secret = isRaw ? undefined : await secretOf(room, connection, signal);
  if (secret === undefined) {
    if (policy === 'required' || (!isRaw && deps.isHybrid(peerOf(connection)))) throw required(protocol);
    return undefined;
  }
  return {
    protocol: sealedProtocol(protocol),
    over(inner) {
      const { head, keys } = secret.open(protocol.id);
      // A failure of this is the channel's own.
      inner.send(head).catch(() => undefined);
      const { messageBytesMax } = protocol;
      return sealedChannel(inner, {
        ready: Promise.resolve(keys),
        incoming: inner[Symbol.asyncIterator](),
        messageBytesMax,
      });
    },
  };
}

const required = ({ id }: Protocol): PeerAiError =>
  transportError('POST_QUANTUM_REQUIRED', 'this link is not proof against who records it, and has to be', {
    protocol: id,
  });

/** Of this link, from whoever began; undefined where the other side knows no exchange. */
async function secretOf(room: Room, connection: Connection, signal: AbortSignal): Promise<LinkSecret | undefined> {
  const state = room.stateOf(connection);
  if (state.secrets[0] !== undefined) return state.secrets[0];
  await orAborted(state.answering?.catch(() => undefined) ?? Promise.resolve(), signal);
  return state.secrets[0] ?? orAborted(exchanged(room, connection), signal);
}

/** Our own exchange on this link, once. A link on which it failed is ended: nobody takes it for one without. */
function exchanged(room: Room, connection: Connection): Promise<LinkSecret | undefined> {
  const state = room.stateOf(connection);
  state.begun ??= begin(room, connection, state);
  return state.begun;
}

async function begin(room: Room, connection: Connection, state: State): Promise<LinkSecret | undefined> {
  const { deps, parts } = room;
  const peer = peerOf(connection);
  const signal = deps.clock.deadline(limits.exchangeMs);
  try {
    const secret = await beginExchange(deps, peer, (offer) => parts.open(connection, exchangeProtocol, signal, offer));
    keep(room, connection, state, secret);
    return secret;
  } catch (error) {
    if (PeerAiError.is(error, 'REFUSED') && error.details['reason'] === 'unsupported') {
      parts.hybrid(connection, false);
      return undefined;
    }
    // The other side's own no, such as to a relayed link: it says the same to every channel, and may think otherwise later.
    if (PeerAiError.is(error, 'REFUSED', 'LIMIT_REACHED', 'PRIVATE_NETWORK')) state.begun = undefined;
    else ended(room, connection, error);
    throw error;
  }
}

/** A link on which an exchange failed is not used: neither side can tell any more what the other has. */
function ended({ parts }: Room, connection: Connection, error: unknown): void {
  parts.logger.debug('link-exchange-failed', { peer: peerOf(connection), reason: reasonOf(error) });
  if (connection.status === 'open') endLink(connection, error as Error);
}

async function answer(room: Room, channel: Channel, connection: Connection): Promise<void> {
  const state = room.stateOf(connection);
  if (state.answered >= limits.exchangesPerLinkMax) {
    throw transportError('LIMIT_REACHED', 'this link has had its exchanges');
  }
  state.answered += 1;
  const late = room.deps.clock.deadline(limits.exchangeMs, channel.signal);
  late.addEventListener('abort', () => void channel.close('TIMEOUT'), { once: true });
  const work = answerExchange(room.deps, channel).then((secret) => keep(room, connection, state, secret));
  state.answering = work;
  try {
    await work;
  } catch (error) {
    ended(room, connection, error);
    throw error;
  }
}

function keep({ parts }: Room, connection: Connection, state: State, secret: LinkSecret): void {
  // A link that has gone meanwhile is dropped by nobody any more.
  if (connection.status !== 'open') return secret.erase();
  state.secrets.push(secret);
  parts.hybrid(connection, true);
}

/** The channel as its handler sees it; its keys are there when the opener's first message is. */
function answering(room: Room, connection: Connection, protocol: Protocol, inner: Channel): Channel {
  const incoming = inner[Symbol.asyncIterator]();
  const state = room.stateOf(connection);
  const find = (exchange: Uint8Array): LinkSecret | undefined =>
    state.secrets.find((one) => equalBytes(one.exchange, exchange));
  const keys = async () => {
    const { done, value } = await incoming.next();
    if (done === true) throw new PeerAiError('INVALID_FORMAT', 'a sealed channel without a beginning');
    const { exchange, number } = readHead(value);
    // The last message of an exchange and the first channel under it may overtake each other.
    if (find(exchange) === undefined) await orAborted(state.answering ?? Promise.resolve(), inner.signal);
    const secret = find(exchange);
    if (secret === undefined)
      throw new PeerAiError('WRONG_SESSION', 'a channel of an exchange that this link never had');
    return secret.answer(protocol.id, number);
  };
  return sealedChannel(inner, { ready: keys(), incoming, messageBytesMax: protocol.messageBytesMax });
}
