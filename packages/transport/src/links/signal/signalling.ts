import {
  bounded,
  type Clock,
  type Identity,
  type Logger,
  orAborted,
  PeerAiError,
  type PeerId,
  signedBytes,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { reasonOf, transportError } from '../../errors.ts';
import { limits } from './limits.ts';
import {
  isDeviceId,
  readDevices,
  readRelayMessage,
  type RelayMessage,
  type SignalDescription,
  type SignalDevice,
} from './message.ts';

/** What a device says of itself at each sign of life; each part is left as it was where it is absent. */
export interface SignalNews {
  readonly status?: Readonly<Record<string, unknown>>;
  readonly resources?: Readonly<Record<string, unknown>>;
  readonly capabilities?: readonly string[];
  readonly specializations?: readonly string[];
}

export interface DeviceFilters {
  /** All of them. */
  readonly capabilities?: readonly string[];
  /** Any of them. */
  readonly specializations?: readonly string[];
}

/** One device at a relay's signalling: who else is there. Links made by it do not need it any more. */
export interface Signalling {
  readonly deviceId: string;
  readonly joined: boolean;
  /**
   * Registers at `ws://…/signal` or `wss://…/signal`, in place of the relay before. Throws INVALID_FORMAT (address), PEER_UNREACHABLE, TIMEOUT,
   * ABORTED, and what the relay says: NAME_TAKEN, LIMIT_REACHED.
   */
  join(url: string, signal: AbortSignal): Promise<void>;
  /** Links stay. Safe to call twice. */
  leave(): void;
  /** Asks who is there. @returns those that fit. Throws INVALID_STATE when not joined, TIMEOUT, ABORTED, and what the relay says. */
  discover(filters: DeviceFilters, signal: AbortSignal): Promise<readonly SignalDevice[]>;
  /** From now on each sign of life says this. */
  tell(news: () => SignalNews): void;
  /** A sign of life now; one goes every 20 s by itself. @returns devices at the relay. Throws as `discover`. */
  heartbeat(signal: AbortSignal): Promise<number>;
  /** Everybody who was heard of, the relay's newest word; also those that left. */
  devices(): readonly SignalDevice[];
  isHere(deviceId: string): boolean;
  /** Devices somebody else heard of, in the form of `discovery_result`. @returns how many. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  learn(devices: unknown): number;
}

/** What the transport needs besides. */
export interface SignalWire extends Signalling {
  describe(deviceId: string, description: SignalDescription): void;
  /** The newest device that says it has this key. */
  deviceOf(peer: PeerId): SignalDevice | undefined;
  readonly heard: Set<(from: string, description: SignalDescription) => void>;
  /** The relay does not know whom we signalled to. */
  readonly missed: Set<(deviceId: string) => void>;
}

export interface SignallingDeps {
  readonly clock: Clock;
  readonly identity: Identity;
  readonly logger: Logger;
}

type Answer = Extract<RelayMessage, { type: 'challenge' | 'registered' | 'found' | 'alive' }>;

/** @param deviceId - belongs to the first key that registers it at a relay. Throws INVALID_FORMAT. */
export function createSignalling(deps: SignallingDeps, deviceId: string): SignalWire {
  if (!isDeviceId(deviceId))
    throw transportError('INVALID_FORMAT', 'a device id has 1 to 128 characters of A-Z a-z 0-9 _ . : -');
  return new RelaySignalling(deps, deviceId);
}

class RelaySignalling implements SignalWire {
  readonly deviceId: string;
  readonly heard = new Set<(from: string, description: SignalDescription) => void>();
  readonly missed = new Set<(deviceId: string) => void>();
  readonly #deps: SignallingDeps;
  readonly #devices = new Map<string, SignalDevice>();
  readonly #here = new Set<string>();
  readonly #waiting = new Map<Answer['type'], PromiseWithResolvers<Answer>>();
  #socket: WebSocket | undefined;
  #joined = false;
  #news: () => SignalNews = () => ({});
  #over = new AbortController();

  constructor(deps: SignallingDeps, deviceId: string) {
    this.#deps = deps;
    this.deviceId = deviceId;
  }

  get joined(): boolean {
    return this.#joined;
  }

  async join(url: string, signal: AbortSignal): Promise<void> {
    const address = wsAddress(url);
    this.leave();
    const socket = new WebSocket(address);
    this.#socket = socket;
    const over = new AbortController();
    this.#over = over;
    try {
      await bounded(this.#deps.clock, limits.joinMs, signal, async (until) => {
        const challenge = this.#answer('challenge', until);
        this.#listen(socket, over);
        const { nonce } = await challenge;
        const { identity } = this.#deps;
        const signature = identity.sign(signedBytes('peerai/signal-register/1', utf8(`${nonce}\n${this.deviceId}`)));
        const registered = this.#answer('registered', until);
        this.#say('register', {
          device_id: this.deviceId,
          peer_info: { peer_id: identity.peer },
          public_key: toHex(identity.publicKey),
          signature: toHex(signature),
        });
        await registered;
      });
    } catch (error) {
      this.leave();
      throw error;
    }
    this.#joined = true;
    void this.#stayAlive(over.signal);
  }

  leave(): void {
    this.#over.abort();
    this.#socket?.close();
    this.#end('this device left');
  }

  async discover({ capabilities = [], specializations = [] }: DeviceFilters, signal: AbortSignal) {
    const filters = { required_capabilities: capabilities, specializations };
    const { devices } = await this.#ask('found', 'discover', { filters }, signal);
    return devices;
  }

  tell(news: () => SignalNews): void {
    this.#news = news;
  }

  async heartbeat(signal: AbortSignal): Promise<number> {
    const { status, resources, capabilities, specializations } = this.#news();
    const said = {
      node_status: status,
      available_resources: resources,
      capabilities,
      cluster_specializations: specializations,
    };
    const { peers } = await this.#ask('alive', 'heartbeat', said, signal);
    return peers;
  }

  devices(): readonly SignalDevice[] {
    return [...this.#devices.values()];
  }

  isHere(deviceId: string): boolean {
    return this.#joined && this.#here.has(deviceId);
  }

  learn(value: unknown): number {
    const devices = readDevices(value).filter((device) => device.deviceId !== this.deviceId);
    for (const device of devices) this.#note(device);
    return devices.length;
  }

  deviceOf(peer: PeerId): SignalDevice | undefined {
    return this.devices().findLast((device) => device.peer === peer);
  }

  describe(deviceId: string, description: SignalDescription): void {
    const told =
      description.type === 'candidate'
        ? { type: 'ice-candidate', candidate: { candidate: description.candidate, sdpMid: '0', sdpMLineIndex: 0 } }
        : description;
    this.#say('signal', { target_device_id: deviceId, signaling_data: told });
  }

  #say(type: string, data: object): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw notJoined();
    this.#socket.send(JSON.stringify({ type, data }));
  }

  /** One question of a kind at a time: the protocol's answers name no question, so a second asker hears the same answer. */
  #answer<Type extends Answer['type']>(type: Type, signal: AbortSignal): Promise<Extract<Answer, { type: Type }>> {
    const waiting = this.#waiting.get(type) ?? Promise.withResolvers<Answer>();
    this.#waiting.set(type, waiting);
    waiting.promise.catch(() => undefined);
    return orAborted(waiting.promise, signal) as Promise<Extract<Answer, { type: Type }>>;
  }

  #ask<Type extends Answer['type']>(type: Type, kind: string, data: object, signal: AbortSignal) {
    return bounded(this.#deps.clock, limits.answerMs, signal, async (until) => {
      if (!this.#joined) throw notJoined();
      const answer = this.#answer(type, until);
      this.#say(kind, data);
      return answer;
    });
  }

  #listen(socket: WebSocket, over: AbortController): void {
    const isCurrent = (): boolean => this.#socket === socket && !over.signal.aborted;
    socket.addEventListener('message', ({ data }: { data: unknown }) => {
      if (isCurrent()) this.#take(String(data), socket);
    });
    const end = (): void => {
      if (!isCurrent()) return;
      over.abort();
      this.#end('the relay closed the connection, or there is none at this address');
    };
    socket.addEventListener('close', end);
    socket.addEventListener('error', end);
  }

  #end(reason: string): void {
    this.#joined = false;
    this.#here.clear();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(transportError('PEER_UNREACHABLE', reason));
  }

  #take(text: string, socket: WebSocket): void {
    try {
      const message = readRelayMessage(text);
      if (message !== undefined) this.#hear(message);
    } catch (error) {
      this.#deps.logger.warn('signalling-broke', { reason: reasonOf(error) });
      socket.close();
    }
  }

  #hear(message: RelayMessage): void {
    switch (message.type) {
      case 'signal':
        for (const hear of this.heard) hear(message.from, message.description);
        return;
      case 'left':
        this.#here.delete(message.deviceId);
        return;
      case 'device':
        this.#noteHere(message.device);
        return;
      case 'error':
        this.#refused(message);
        return;
      case 'found':
        for (const device of message.devices) this.#noteHere(device);
        break;
      default:
    }
    this.#waiting.get(message.type)?.resolve(message);
    this.#waiting.delete(message.type);
  }

  #refused({ code, message, target }: Extract<RelayMessage, { type: 'error' }>): void {
    if (target !== undefined) {
      for (const tell of this.missed) tell(target);
      return;
    }
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new PeerAiError(code, message));
  }

  #noteHere(device: SignalDevice): void {
    if (device.deviceId === this.deviceId) return;
    this.#here.add(device.deviceId);
    this.#note(device);
  }

  #note(device: SignalDevice): void {
    this.#devices.delete(device.deviceId);
    this.#devices.set(device.deviceId, device);
    const oldest = this.#devices.size > limits.devicesMax ? this.#devices.keys().next().value : undefined;
    if (oldest === undefined) return;
    this.#devices.delete(oldest);
    this.#here.delete(oldest);
  }

  async #stayAlive(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      try {
        await clock.sleep(limits.heartbeatMs, signal);
        await this.heartbeat(signal);
      } catch (error) {
        if (!signal.aborted) logger.debug('heartbeat-failed', { reason: reasonOf(error) });
      }
    }
  }
}

function wsAddress(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^wss?:$/u.test(url.protocol) || url.username !== '' || url.hash !== '')
    throw transportError('INVALID_FORMAT', 'signalling has an address such as wss://relay.example/signal');
  return url.href;
}

const notJoined = () =>
  new PeerAiError('INVALID_STATE', 'this device is not at a relay; configure a signalling server first');
