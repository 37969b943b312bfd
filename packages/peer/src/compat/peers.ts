import { callMethod, type Clock, type Link, parsePeerId, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { DeviceNews, FoundDevice, MeetingPoint } from './deps.ts';
import { deviceMethod, type DeviceQuestion, type DeviceReply } from './device-protocol.ts';

/** One entry of `get_discovered_peers`, in the seed's words. */
export interface PeerView {
  readonly device_id: string;
  /** Absent for a program that says no key: nothing here can reach it. */
  readonly peer_id?: PeerId;
  readonly is_here: boolean;
  readonly capabilities: readonly string[];
  readonly cluster_specializations: readonly string[];
  readonly node_status: Readonly<Record<string, unknown>>;
  readonly available_nodes: number;
  readonly last_seen: number;
}

/** One entry of `get_webrtc_stats`. */
export interface LinkView {
  readonly device_id: string;
  readonly peer_id: PeerId;
  readonly state: 'connected';
  readonly latency_ms: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
}

/** The other devices: who was heard of, and who is linked. */
export class Peers {
  readonly #point: MeetingPoint;
  readonly #clock: Clock;
  readonly #links = new Map<string, Link>();
  /** Whom this device connected to: they may answer. */
  readonly granted = new Set<PeerId>();

  constructor(point: MeetingPoint, clock: Clock, signal: AbortSignal) {
    this.#point = point;
    this.#clock = clock;
    void this.#watch(signal);
  }

  get joined(): boolean {
    return this.#point.signalling.joined;
  }

  async join(url: string, news: () => DeviceNews, signal: AbortSignal): Promise<void> {
    const { signalling } = this.#point;
    signalling.tell(news);
    await signalling.join(withPath(url), signal);
    await signalling.heartbeat(signal);
    // Who was there before: those that come later are told by the relay.
    await signalling.discover({}, signal);
  }

  heartbeat(signal: AbortSignal): Promise<number> {
    return this.#point.signalling.heartbeat(signal);
  }

  async discover(signal: AbortSignal): Promise<number> {
    const found = await this.#point.signalling.discover({ capabilities: ['memory_sharing'] }, signal);
    return found.length;
  }

  learn(devices: unknown): number {
    return this.#point.signalling.learn(devices);
  }

  discovered(): readonly PeerView[] {
    const { signalling } = this.#point;
    return signalling.devices().map((device) => viewOf(device, signalling.isHere(device.deviceId)));
  }

  /** At the relay now, idle, with nodes: all by what it measured and said last. */
  free(): readonly PeerView[] {
    return this.discovered().filter(({ is_here, peer_id, available_nodes, node_status: status }) => {
      const { is_available, is_processing, active_queries, processing_load } = status;
      const isIdle = is_available === true && is_processing === false && active_queries === 0;
      const isLow = typeof processing_load === 'number' && processing_load < 0.3;
      return is_here && peer_id !== undefined && available_nodes > 0 && isIdle && isLow;
    });
  }

  /** A device's key, by its name or by the key itself. Throws DEVICE_UNKNOWN. */
  peerOf(id: string): PeerId {
    const device = this.#point.signalling.devices().findLast(({ deviceId }) => deviceId === id);
    if (device?.peer !== undefined) return device.peer;
    const linked = this.linked().find((peer) => peer === id);
    if (linked !== undefined) return linked;
    throw new PeerAiError('DEVICE_UNKNOWN', `no device "${id.slice(0, 128)}" was discovered`);
  }

  nameOf(peer: PeerId): string {
    return this.#point.signalling.devices().findLast((device) => device.peer === peer)?.deviceId ?? peer;
  }

  linked(): readonly PeerId[] {
    return [...new Set([...this.#links.values()].map(({ peer }) => peer))];
  }

  isLinked(id: string): boolean {
    try {
      return this.linked().includes(this.peerOf(id));
    } catch {
      return false;
    }
  }

  links(): readonly LinkView[] {
    return [...this.#links.values()].map(({ peer, roundTripMs, bytesSent, bytesReceived }) => ({
      device_id: this.nameOf(peer),
      peer_id: peer,
      state: 'connected',
      latency_ms: roundTripMs / 2,
      bytes_sent: bytesSent,
      bytes_received: bytesReceived,
    }));
  }

  /** A link, and an answer over it. Throws DEVICE_UNKNOWN, PEER_UNREACHABLE, REFUSED, TIMEOUT, ABORTED. */
  async connect(id: string, signal: AbortSignal): Promise<PeerId> {
    const peer = this.peerOf(id);
    this.granted.add(peer);
    await this.ask(peer, { kind: 'ping', text: undefined, run: undefined }, signal);
    return peer;
  }

  /** Whether it answers over the link there is. */
  async answers(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    try {
      await this.ask(peer, { kind: 'ping', text: undefined, run: undefined }, signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async disconnect(id: string): Promise<void> {
    const peer = this.peerOf(id);
    this.granted.delete(peer);
    await this.#point.network.disconnect(peer);
  }

  /** Throws what the other side says. */
  ask(peer: PeerId, question: DeviceQuestion, signal: AbortSignal): Promise<DeviceReply> {
    return callMethod({ network: this.#point.network, clock: this.#clock }, peer, deviceMethod, question, { signal });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    try {
      for await (const link of this.#point.network.links(signal)) {
        const key = `${link.peer} ${link.address}`;
        if (link.state === 'up') this.#links.set(key, link);
        else this.#links.delete(key);
      }
    } catch {
      // The device is stopping.
    }
    this.#links.clear();
  }
}

/** Our relays have their signalling at `/signal`; the seed's server had no path. */
function withPath(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.pathname !== '/') return text;
  url.pathname = '/signal';
  return url.href;
}

function viewOf(device: FoundDevice, isHere: boolean): PeerView {
  const { deviceId, peer, capabilities, specializations, resources, status, lastSeenMs } = device;
  const nodes = resources['available_nodes'];
  return {
    device_id: deviceId,
    ...(peer === undefined ? {} : { peer_id: parsePeerId(peer) }),
    is_here: isHere,
    capabilities,
    cluster_specializations: specializations,
    node_status: typeof status === 'object' ? status : {},
    available_nodes: typeof nodes === 'number' && nodes > 0 ? nodes : 0,
    last_seen: lastSeenMs,
  };
}
