import {
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type ListenerEvents,
  type Logger as Libp2pLogger,
  serviceCapabilities,
  type Transport,
  transportSymbol,
  TypedEventEmitter,
  type Upgrader,
} from '@libp2p/interface';
import { type Multiaddr, multiaddr, registry } from '@multiformats/multiaddr';
import { bounded, type Clock, type Logger, orAborted } from '@peerai/core-protocol';
import { reasonOf, transportError } from '../../errors.ts';
import type { Components } from '../../libp2p/components.ts';
import { isMeetingAddress, meetingTarget } from '../meeting-address.ts';
import { limits } from './limits.ts';
import type { Meeting, Meetings } from './meeting.ts';
import type { SignalDescription } from './message.ts';
import type { SignalWire } from './signalling.ts';

/** In an address: `/peerai-signal/p2p/<peer>`, whichever relay it is. The code is of the range for private use. */
const protocol = 'peerai-signal';
registry.addProtocol({ code: 0x30_0f02, name: protocol, size: 0 });

export const signalAddress = `/${protocol}`;

export interface SignalTransportDeps {
  readonly signalling: SignalWire;
  readonly meetings: Meetings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Devices that met at a relay's signalling talk over a WebRTC data channel, under Noise and yamux: the relay is not believed, and not needed any more. */
export const signalTransport =
  (deps: SignalTransportDeps) =>
  (components: Components): Transport =>
    new SignalTransport(deps, components);

class SignalTransport implements Transport {
  readonly [transportSymbol] = true;
  readonly [Symbol.toStringTag] = 'peerai-signal';
  readonly [serviceCapabilities] = ['@libp2p/transport'];
  readonly #deps: SignalTransportDeps;
  readonly #log: Libp2pLogger;
  /** Devices we asked to meet, and who waits for what they say. */
  readonly #asked = new Map<string, PromiseWithResolvers<string>>();

  constructor(deps: SignalTransportDeps, components: Components) {
    this.#deps = deps;
    this.#log = components.logger.forComponent('peerai:signal');
    deps.signalling.heard.add((from, description) => {
      if (description.type === 'answer') this.#asked.get(from)?.resolve(description.sdp);
    });
    deps.signalling.missed.add((device) => {
      this.#asked.get(device)?.reject(transportError('PEER_UNREACHABLE', 'that device is not at the relay'));
    });
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => isMeetingAddress(address, protocol));
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.listenFilter(addresses).filter((address) => meetingTarget(address, protocol) !== undefined);
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    return new SignalListener(this.#deps, upgrader, this.#log);
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const peer = meetingTarget(address, protocol);
    if (peer === undefined) throw transportError('INVALID_FORMAT', 'an address at a relay ends in /p2p/<peer>');
    const device = this.#deps.signalling.deviceOf(peer);
    if (device === undefined) throw transportError('PEER_UNREACHABLE', 'no device with this key was heard of');
    const meeting = await this.#deps.meetings.offer(options.signal);
    try {
      await this.#agree(device.deviceId, meeting, options.signal);
      const init = { remoteAddr: address, direction: 'outbound', log: this.#log } as const;
      const bytes = await bounded(this.#deps.clock, limits.connectMs, options.signal, (until) =>
        meeting.opened(init, until),
      );
      return await options.upgrader.upgradeOutbound(bytes, options);
    } catch (error) {
      meeting.close();
      throw error;
    }
  }

  /** One offer, one answer. */
  async #agree(device: string, meeting: Meeting, signal: AbortSignal): Promise<void> {
    const { signalling, clock } = this.#deps;
    const asked = Promise.withResolvers<string>();
    asked.promise.catch(() => undefined);
    this.#asked.get(device)?.reject(transportError('ABORTED', 'this device was asked anew'));
    this.#asked.set(device, asked);
    try {
      signalling.describe(device, { type: 'offer', sdp: meeting.sdp });
      const answer = await bounded(clock, limits.offerMs, signal, (until) => orAborted(asked.promise, until));
      await meeting.taken(answer);
    } finally {
      if (this.#asked.get(device) === asked) this.#asked.delete(device);
    }
    for (const candidate of meeting.candidates.slice(0, limits.candidatesMax))
      signalling.describe(device, { type: 'candidate', candidate });
  }
}

interface Answering {
  /** Ends it, for an offer of the same device that takes its place. */
  readonly ending: AbortController;
  readonly candidates: string[];
  meeting: Meeting | undefined;
}

/** Answers offers. */
class SignalListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #deps: SignalTransportDeps;
  readonly #upgrader: Upgrader;
  readonly #log: Libp2pLogger;
  readonly #closing = new AbortController();
  readonly #answering = new Map<string, Answering>();
  readonly #hear = (from: string, description: SignalDescription): void => this.#take(from, description);

  constructor(deps: SignalTransportDeps, upgrader: Upgrader, log: Libp2pLogger) {
    super();
    this.#deps = deps;
    this.#upgrader = upgrader;
    this.#log = log;
  }

  async listen(): Promise<void> {
    this.#deps.signalling.heard.add(this.#hear);
    this.safeDispatchEvent('listening');
  }

  /** None: who is at the same relay finds us there. */
  getAddrs(): Multiaddr[] {
    return [];
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#deps.signalling.heard.delete(this.#hear);
    this.#closing.abort(transportError('ABORTED', 'this node is stopping'));
    this.safeDispatchEvent('close');
  }

  #take(from: string, description: SignalDescription): void {
    if (description.type === 'offer') {
      const before = this.#answering.get(from);
      if (before === undefined && this.#answering.size >= limits.answersMax) return;
      // A device that offers again and again has one answer under way, as any other.
      before?.ending.abort(transportError('ABORTED', 'this device offered anew'));
      const answering: Answering = { ending: new AbortController(), candidates: [], meeting: undefined };
      this.#answering.set(from, answering);
      void this.#answer(from, description.sdp, answering).finally(() => {
        if (this.#answering.get(from) === answering) this.#answering.delete(from);
      });
    }
    const answering = this.#answering.get(from);
    if (description.type !== 'candidate' || answering === undefined) return;
    if (answering.candidates.length >= limits.candidatesMax) return;
    answering.candidates.push(description.candidate);
    answering.meeting?.add(description.candidate);
  }

  async #answer(from: string, sdp: string, answering: Answering): Promise<void> {
    const { signalling, meetings, clock, logger } = this.#deps;
    let meeting: Meeting | undefined;
    try {
      const ending = AbortSignal.any([this.#closing.signal, answering.ending.signal]);
      await bounded(clock, limits.connectMs, ending, async (signal) => {
        meeting = await meetings.answer(sdp, signal);
        answering.meeting = meeting;
        signalling.describe(from, { type: 'answer', sdp: meeting.sdp });
        for (const candidate of answering.candidates) meeting.add(candidate);
        const init = { remoteAddr: multiaddr(signalAddress), direction: 'inbound', log: this.#log } as const;
        const bytes = await meeting.opened(init, signal);
        await this.#upgrader.upgradeInbound(bytes, { signal });
      });
    } catch (error) {
      meeting?.close();
      if (!this.#closing.signal.aborted) logger.debug('offer-failed', { from, reason: reasonOf(error) });
    }
  }
}
