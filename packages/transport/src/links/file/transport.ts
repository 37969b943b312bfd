import { randomUUID } from 'node:crypto';
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
import { type Clock, type Logger, PeerAiError } from '@peerai/core-protocol';
import { reasonOf, transportError } from '../../errors.ts';
import type { Components } from '../../libp2p/components.ts';
import { isMeetingAddress, meetingTarget } from '../meeting-address.ts';
import { limits } from './limits.ts';
import type { SignalBoard } from './board.ts';
import { answerMeeting, DataChannelBytes, offerMeeting, type Servers, takeCandidates } from './data-channel.ts';
import type { SignalAnswer, SignalOffer } from './note.ts';

/** In an address: `/peerai-file/p2p/<peer>`, whichever folder it is. The code is of the range for private use. */
const protocol = 'peerai-file';
registry.addProtocol({ code: 0x30_0f01, name: protocol, size: 0 });

export const fileAddress = `/${protocol}`;

export interface FileDeps {
  readonly board: SignalBoard;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly servers?: Servers | undefined;
}

/** Peers that share a folder meet there, without any server, and then talk over a WebRTC data channel under Noise and yamux. */
export const fileTransport =
  (deps: FileDeps) =>
  (components: Components): Transport =>
    new FileTransport(deps, components);

class FileTransport implements Transport {
  readonly [transportSymbol] = true;
  readonly [Symbol.toStringTag] = 'peerai-file';
  readonly [serviceCapabilities] = ['@libp2p/transport'];
  readonly #deps: FileDeps;
  readonly #self: string;
  readonly #log: Libp2pLogger;

  constructor(deps: FileDeps, components: Components) {
    this.#deps = deps;
    this.#self = components.peerId.toString();
    this.#log = components.logger.forComponent('peerai:file');
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => isMeetingAddress(address, protocol));
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.listenFilter(addresses).filter((address) => meetingTarget(address, protocol) !== undefined);
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    return new FileListener(this.#deps, this.#self, upgrader, this.#log);
  }

  /** Waits for the other side as long as the signal lets it, so either may start first. */
  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const to = meetingTarget(address, protocol);
    if (to === undefined) throw transportError('INVALID_FORMAT', 'an address in a folder ends in /p2p/<peer>');
    for (;;) {
      options.signal.throwIfAborted();
      const meeting = await this.#meet(to, options.signal);
      if (meeting === undefined) continue;
      const init = { remoteAddr: address, direction: 'outbound', log: this.#log } as const;
      const bytes = new DataChannelBytes(init, meeting.connection, meeting.channel);
      try {
        return await options.upgrader.upgradeOutbound(bytes, options);
      } catch (error) {
        bytes.abort(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    }
  }

  /** One offer, one answer, one channel; undefined when the channel did not come up in time. */
  async #meet(to: string, signal: AbortSignal) {
    const { board, clock } = this.#deps;
    const { connection, sdp, candidates, opened } = await offerMeeting(signal, this.#deps.servers);
    const offer = { id: randomUUID(), from: this.#self, to, sdp, candidates };
    let isUp = false;
    try {
      const answer = await this.#answerTo(offer, signal);
      connection.setRemoteDescription(answer.sdp, 'answer');
      await board.removeAnswer(answer);
      const channel = await opened(clock.deadline(limits.signalConnectMs, signal));
      isUp = true;
      return { connection, channel };
    } catch (error) {
      if (signal.aborted) throw error;
      this.#log('no channel came up - %e', error);
      await clock.sleep(limits.signalPollBusyMs, signal);
      return undefined;
    } finally {
      if (!isUp) connection.close();
      await board.removeOffer({ ...offer, writtenMs: 0 });
    }
  }

  async #answerTo(offer: Omit<SignalOffer, 'writtenMs'>, signal: AbortSignal): Promise<SignalAnswer> {
    const { board, clock } = this.#deps;
    let renewMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      if (clock.elapsedMs() >= renewMs) {
        await whenThereIsRoom(clock, signal, () => board.putOffer({ ...offer, writtenMs: clock.nowMs() }));
        renewMs = clock.elapsedMs() + limits.signalRenewMs;
      }
      const answer = await board.answerTo({ ...offer, writtenMs: 0 });
      if (answer !== undefined) return answer;
      await clock.sleep(limits.signalPollBusyMs, signal);
    }
  }
}

/** Looks for offers and answers them. */
class FileListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #deps: FileDeps;
  readonly #self: string;
  readonly #upgrader: Upgrader;
  readonly #log: Libp2pLogger;
  readonly #closing = new AbortController();
  /** Offers that were answered and are still there: no more than one look takes in. */
  readonly #seen = new Set<string>();
  readonly #answering = new Set<string>();
  #told = '';

  constructor(deps: FileDeps, self: string, upgrader: Upgrader, log: Libp2pLogger) {
    super();
    this.#deps = deps;
    this.#self = self;
    this.#upgrader = upgrader;
    this.#log = log;
  }

  async listen(): Promise<void> {
    await this.#deps.board.prepare();
    await this.#deps.board.appear(this.#self);
    void this.#look();
    void this.#stayHere();
    this.safeDispatchEvent('listening');
  }

  /** None: others have other folders, and who shares ours finds us there. */
  getAddrs(): Multiaddr[] {
    return [];
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(transportError('ABORTED', 'this node is stopping'));
    await this.#deps.board.leave(this.#self);
    this.safeDispatchEvent('close');
  }

  async #stayHere(): Promise<void> {
    await this.#repeat(limits.signalRenewMs, () => this.#deps.board.appear(this.#self));
  }

  async #look(): Promise<void> {
    await this.#repeat(limits.signalPollMs, async () => {
      const offers = await this.#deps.board.offersTo(this.#self);
      const there = new Set(offers.map(({ id }) => id));
      for (const id of this.#seen) if (!there.has(id) && !this.#answering.has(id)) this.#seen.delete(id);
      for (const offer of offers) {
        if (this.#seen.has(offer.id) || this.#answering.size >= limits.signalAnswersMax) continue;
        this.#seen.add(offer.id);
        this.#answering.add(offer.id);
        void this.#answer(offer).finally(() => this.#answering.delete(offer.id));
      }
    });
  }

  /** A folder that cannot be read now may be there later: a drive that is not mounted, a disk that is full. */
  async #repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#deps;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await work();
        this.#told = '';
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== this.#told && !signal.aborted) logger.warn('signal-folder-failed', { reason });
        this.#told = reason;
      }
    }
  }

  async #answer(offer: SignalOffer): Promise<void> {
    const { board, clock, logger } = this.#deps;
    const signal = clock.deadline(limits.signalAnswerMs, this.#closing.signal);
    const done = new AbortController();
    let answer: SignalAnswer | undefined;
    let close = (): void => undefined;
    try {
      const { connection, sdp, opened } = await answerMeeting(offer, signal, this.#deps.servers);
      close = () => connection.close();
      const mine: SignalAnswer = { for: offer.id, from: this.#self, writtenMs: clock.nowMs(), sdp };
      await whenThereIsRoom(clock, signal, () => board.putAnswer(mine));
      answer = mine;
      const until = AbortSignal.any([signal, done.signal]);
      void this.#whenTaken(mine, until, () => takeCandidates(connection, offer.candidates));
      const channel = await opened(signal);
      done.abort();
      const init = { remoteAddr: multiaddr(fileAddress), direction: 'inbound', log: this.#log } as const;
      const bytes = new DataChannelBytes(init, connection, channel);
      close = () => bytes.abort(transportError('CHANNEL_CLOSED', 'the link did not come up'));
      await this.#upgrader.upgradeInbound(bytes, { signal });
    } catch (error) {
      close();
      if (!this.#closing.signal.aborted) logger.debug('offer-failed', { from: offer.from, reason: reasonOf(error) });
    } finally {
      done.abort();
      if (answer !== undefined) await board.removeAnswer(answer);
    }
  }

  async #whenTaken(answer: SignalAnswer, until: AbortSignal, then: () => void): Promise<void> {
    const { board, clock } = this.#deps;
    while (!until.aborted && (await board.isUp(answer))) {
      await clock.sleep(limits.signalPollBusyMs, until).catch(() => undefined);
    }
    if (!until.aborted) then();
  }
}

/** `signaling.json` holds one of each a peer: the next one waits. */
async function whenThereIsRoom(clock: Clock, signal: AbortSignal, put: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await put();
      return;
    } catch (error) {
      if (!PeerAiError.is(error, 'LIMIT_REACHED')) throw error;
      await clock.sleep(limits.signalPollMs, signal);
    }
  }
}
