import { PeerAiError } from '../errors.ts';
import type { Channel, Clock, Link, Network, OpenOptions, PeerId, Protocol, Random } from '../ports/index.ts';
import { closedError, MemoryChannel, Pipe } from './channel.ts';
import { LinkTable, MemoryLink } from './links.ts';

export interface MemoryNetworksOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** One way, milliseconds; a function gives each pair its own, constant one. */
  readonly latencyMs?: number | ((from: PeerId, to: PeerId) => number);
  /** Chance, 0–1, that a message kills its channel; a function says it for now. Streams are reliable: they deliver in order or die. */
  readonly lossRate?: number | (() => number);
}
export interface JoinOptions {
  /** Which peers may open `granted` protocols here; without it none may. */
  readonly isGranted?: (peer: PeerId, protocol: Protocol) => boolean;
}

/** All peers of one test and the weather between them. */
export interface MemoryNetworks {
  readonly clock: Clock;
  join(peer: PeerId, options?: JoinOptions): Network;
  /** Ends every channel between the two and lets no new one through. */
  cut(a: PeerId, b: PeerId): void;
  heal(a: PeerId, b: PeerId): void;
  /** The peer is gone with all its channels, as after kill -9; `join` brings it back. */
  kill(peer: PeerId): void;
  /** True when both live and nothing is cut between them. */
  reaches(a: PeerId, b: PeerId): boolean;
  /** Names this life of a peer: another one since it was killed and came back; nothing while it is gone. */
  life(peer: PeerId): object | undefined;
}

export function createMemoryNetworks(options: MemoryNetworksOptions): MemoryNetworks {
  const nodes = new Map<PeerId, MemoryNetwork>();
  const cuts = new Set<string>();
  const pair = (a: PeerId, b: PeerId): string => [a, b].sort().join(' ');
  const { clock, random, lossRate = 0, latencyMs = 0 } = options;
  const weather: Weather = {
    clock,
    latencyMs: typeof latencyMs === 'number' ? () => latencyMs : latencyMs,
    loses: () => {
      const rate = typeof lossRate === 'number' ? lossRate : lossRate();
      return rate > 0 && new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32 < rate;
    },
    find(from, to) {
      if (nodes.get(from.self) !== from) return 'this node was killed';
      if (from.self === to) return 'a peer does not dial itself';
      if (cuts.has(pair(from.self, to))) return 'the line is cut';
      return nodes.get(to) ?? 'no such peer in this world';
    },
  };
  return {
    clock,
    join(peer, { isGranted = () => false } = {}) {
      const node = new MemoryNetwork(peer, weather, isGranted);
      nodes.get(peer)?.stop();
      nodes.set(peer, node);
      return node;
    },
    cut(a, b) {
      cuts.add(pair(a, b));
      nodes.get(a)?.drop(b, 'the line was cut');
    },
    heal: (a, b) => void cuts.delete(pair(a, b)),
    kill(peer) {
      nodes.get(peer)?.stop();
      nodes.delete(peer);
    },
    life: (peer) => nodes.get(peer),
    reaches: (a, b) => nodes.has(a) && nodes.has(b) && !cuts.has(pair(a, b)),
  };
}

interface Weather {
  readonly clock: Clock;
  latencyMs(from: PeerId, to: PeerId): number;
  loses(): boolean;
  /** The node, or the reason why not. */
  find(from: MemoryNetwork, to: PeerId): MemoryNetwork | string;
}
interface Answer {
  readonly protocol: Protocol;
  readonly handler: (channel: Channel) => Promise<void>;
}
interface Pair {
  readonly protocolId: string;
  readonly answerer: MemoryNetwork;
  readonly reset: (reason: PeerAiError) => void;
}

class MemoryNetwork implements Network {
  readonly self: PeerId;
  readonly #weather: Weather;
  readonly #isGranted: (peer: PeerId, protocol: Protocol) => boolean;
  readonly #answers = new Map<string, Answer>();
  readonly #links = new LinkTable();
  readonly #pairs = new Map<PeerId, Set<Pair>>();
  readonly #others = new Map<PeerId, MemoryNetwork>();

  constructor(self: PeerId, weather: Weather, isGranted: (peer: PeerId, protocol: Protocol) => boolean) {
    this.self = self;
    this.#weather = weather;
    this.#isGranted = isGranted;
  }

  addresses(): readonly string[] {
    return [`/memory/0/p2p/${this.self}`];
  }

  async open(peer: PeerId, protocol: Protocol, { signal, first }: OpenOptions): Promise<Channel> {
    // Heard below, if the peer is reached at all.
    first?.catch(() => undefined);
    const roundTripMs = this.#roundTripMs(peer);
    if (signal.aborted) throw stopped(signal);
    if (roundTripMs > 0) await this.#weather.clock.sleep(roundTripMs, signal);
    const other = this.#weather.find(this, peer);
    if (typeof other === 'string') {
      const attempts = [{ address: `/memory/0/p2p/${peer}`, reason: other }];
      throw new PeerAiError('PEER_UNREACHABLE', `could not reach the peer: ${other}`, { attempts });
    }
    const answer = other.#admit(this.self, protocol);
    this.#connect(other);
    const channel = this.#pairUp(other, answer);
    try {
      if (first !== undefined) await channel.send(await first);
      return channel;
    } catch (error) {
      await channel.close('ABORTED');
      throw error;
    }
  }

  answer(protocol: Protocol, handler: (channel: Channel) => Promise<void>): Disposable {
    if (this.#answers.has(protocol.id)) throw new PeerAiError('REFUSED', `${protocol.id} is answered already`);
    this.#answers.set(protocol.id, { protocol, handler });
    return {
      [Symbol.dispose]: () => {
        this.#answers.delete(protocol.id);
        for (const pairs of this.#pairs.values()) {
          for (const pair of pairs) {
            if (pair.answerer === this && pair.protocolId === protocol.id) {
              pair.reset(closedError('this protocol is no longer answered'));
            }
          }
        }
      },
    };
  }

  links(signal: AbortSignal): AsyncIterable<Link> {
    return this.#links.watch(signal);
  }

  async disconnect(peer: PeerId): Promise<void> {
    this.drop(peer, 'the link was closed');
  }

  /** Ends the link to this peer on both sides. */
  drop(peer: PeerId, why: string): void {
    const other = this.#others.get(peer);
    for (const pair of this.#pairs.get(peer) ?? []) pair.reset(closedError(why));
    this.#others.delete(peer);
    this.#links.down(peer);
    if (other === undefined || other.#others.get(this.self) !== this) return;
    other.#others.delete(this.self);
    other.#links.down(this.self);
  }

  stop(): void {
    for (const peer of this.#others.keys()) this.drop(peer, 'the peer is gone');
    this.#answers.clear();
  }

  #roundTripMs(peer: PeerId): number {
    return this.#weather.latencyMs(this.self, peer) + this.#weather.latencyMs(peer, this.self);
  }

  #admit(from: PeerId, { id }: Protocol): Answer {
    const answer = this.#answers.get(id);
    if (answer === undefined) throw new PeerAiError('REFUSED', `the peer does not answer ${id}`);
    if (answer.protocol.access === 'granted' && !this.#isGranted(from, answer.protocol)) {
      throw new PeerAiError('REFUSED', `the peer does not let us use ${id}`);
    }
    const open = [...(this.#pairs.get(from) ?? [])].filter((pair) => pair.answerer === this && pair.protocolId === id);
    if (open.length >= answer.protocol.channelsPerPeerMax) {
      throw new PeerAiError('LIMIT_REACHED', `${open.length} channels of ${id} are open already`);
    }
    return answer;
  }

  #connect(other: MemoryNetwork): void {
    if (this.#others.get(other.self) === other) return;
    const roundTripMs = this.#roundTripMs(other.self);
    this.#others.set(other.self, other);
    other.#others.set(this.self, this);
    this.#links.up(new MemoryLink(other.self, roundTripMs));
    other.#links.up(new MemoryLink(this.self, roundTripMs));
  }

  #pairUp(other: MemoryNetwork, { protocol, handler }: Answer): Channel {
    const { clock } = this.#weather;
    const there = new Pipe(clock, this.#weather.latencyMs(this.self, other.self));
    const back = new Pipe(clock, this.#weather.latencyMs(other.self, this.self));
    let halvesOpen = 2;
    const reset = (reason: PeerAiError): void => {
      there.fail(reason);
      back.fail(reason);
      finish(reason);
    };
    const finish = (reason: PeerAiError): void => {
      this.#pairs.get(other.self)?.delete(pair);
      other.#pairs.get(this.self)?.delete(pair);
      for (const end of [near, far]) end.end(reason);
    };
    const closed = (): void => {
      halvesOpen -= 1;
      if (halvesOpen === 0) finish(closedError('both sides have closed the channel'));
    };
    const pair: Pair = { protocolId: protocol.id, answerer: other, reset };
    const end = (owner: MemoryNetwork, peer: PeerId, outgoing: Pipe, incoming: Pipe): MemoryChannel => {
      const link = owner.#links.get(peer) as MemoryLink;
      const count = {
        sent: (bytes: number) => void (link.bytesSent += bytes),
        received: (bytes: number) => void (link.bytesReceived += bytes),
      };
      return new MemoryChannel({
        link,
        protocol,
        incoming,
        outgoing,
        loses: () => this.#weather.loses(),
        count,
        reset,
        closed,
      });
    };
    const near = end(this, other.self, there, back);
    const far = end(other, this.self, back, there);
    for (const [node, peer] of [[this, other.self] as const, [other, this.self] as const]) {
      const pairs = node.#pairs.get(peer) ?? new Set();
      node.#pairs.set(peer, pairs.add(pair));
    }
    void serve(handler, far);
    return near;
  }
}

/** Runs an answerer; when it returns its half closes, when it throws both are reset. */
async function serve(handler: Answer['handler'], channel: MemoryChannel): Promise<void> {
  try {
    await handler(channel);
    await channel.close();
    channel.leave();
  } catch (error) {
    await channel.close(PeerAiError.is(error) ? error.code : 'INTERNAL');
  }
}

function stopped(signal: AbortSignal): PeerAiError {
  return PeerAiError.is(signal.reason)
    ? signal.reason
    : new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal.reason });
}
