import type { AbstractMultiaddrConnectionInit } from '@libp2p/utils';
import { type DataChannel, PeerConnection } from 'node-datachannel';
import { channelClosed } from '../../errors.ts';
import type { NativeIceServer } from '../../nat/servers.ts';
import { bufferBytes, ChannelBytes } from '../channel-bytes.ts';
import { type SignalOffer, splitCandidates } from './note.ts';

/** One end of a connection that is coming up. Closing it is its owner's. */
export interface Meeting {
  readonly connection: PeerConnection;
  /** The ordered channel, once it is open. Rejects when it cannot come up, or the signal fires. */
  readonly opened: (signal: AbortSignal) => Promise<DataChannel>;
}

const label = 'peerai';
/** Which STUN and TURN servers a connection may use. */
export type Servers = () => readonly NativeIceServer[];
const none: Servers = () => [];

/** Our half of a meeting that we ask for. */
export async function offerMeeting(
  signal: AbortSignal,
  servers: Servers = none,
): Promise<Meeting & Pick<SignalOffer, 'sdp' | 'candidates'>> {
  const connection = new PeerConnection(label, { iceServers: [...servers()] });
  try {
    const channel = connection.createDataChannel(label);
    await gathered(connection, signal);
    return {
      connection,
      opened: (until) => opened(connection, Promise.resolve(channel), until),
      ...splitCandidates(connection.localDescription()?.sdp ?? ''),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Our half of a meeting that was asked for. Throws what the native layer says of a description that is none. */
export async function answerMeeting(
  offer: SignalOffer,
  signal: AbortSignal,
  servers: Servers = none,
): Promise<Meeting & { readonly sdp: string }> {
  const connection = new PeerConnection(label, { iceServers: [...servers()] });
  try {
    const channel = Promise.withResolvers<DataChannel>();
    connection.onDataChannel((one) => channel.resolve(one));
    connection.setRemoteDescription(offer.sdp, 'offer');
    await gathered(connection, signal);
    return {
      connection,
      opened: (until) => opened(connection, channel.promise, until),
      sdp: connection.localDescription()?.sdp ?? '',
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The offerer's candidates, once it knows our answer: an answerer that had them sooner could be through with its handshake too soon. */
export function takeCandidates(connection: PeerConnection, candidates: readonly string[]): void {
  for (const candidate of candidates) {
    try {
      connection.addRemoteCandidate(candidate, '0');
    } catch {
      // One that is none does not spoil the others.
    }
  }
}

/** The description holds every candidate then: nothing is told later. */
async function gathered(connection: PeerConnection, signal: AbortSignal): Promise<void> {
  if (connection.gatheringState() === 'complete') return;
  await settled(signal, (resolve) => {
    connection.onGatheringStateChange((state) => state === 'complete' && resolve());
  });
}

async function opened(
  connection: PeerConnection,
  channel: Promise<DataChannel>,
  signal: AbortSignal,
): Promise<DataChannel> {
  return settled<DataChannel>(signal, (resolve, reject) => {
    const look = (state: string): void => {
      if (state === 'failed' || state === 'closed') reject(channelClosed(`the connection became ${state}`));
    };
    connection.onStateChange(look);
    look(connection.state());
    void channel.then((one) => (one.isOpen() ? resolve(one) : one.onOpen(() => resolve(one))));
  });
}

function settled<T = void>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    const done = (): void => signal.removeEventListener('abort', stop);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    start(
      (value) => (done(), resolve(value)),
      (error) => (done(), reject(error)),
    );
  });
}

export class DataChannelBytes extends ChannelBytes {
  readonly #connection: PeerConnection;
  readonly #channel: DataChannel;

  constructor(init: AbstractMultiaddrConnectionInit, connection: PeerConnection, channel: DataChannel) {
    super(init);
    this.#connection = connection;
    this.#channel = channel;
    channel.setBufferedAmountLowThreshold(bufferBytes / 4);
    channel.onBufferedAmountLow(() => this.safeDispatchEvent('drain'));
    channel.onClosed(() => this.over());
    connection.onStateChange((state) => {
      if (state === 'failed' || state === 'closed') this.over();
    });
    channel.onMessage((message) => {
      if (typeof message !== 'string') this.onData(new Uint8Array(message));
    });
  }

  protected isOpen = (): boolean => this.#channel.isOpen();
  protected sendPiece = (piece: Uint8Array): unknown => this.#channel.sendMessageBinary(piece);
  protected waitingBytes = (): number => this.#channel.bufferedAmount();
  protected closeChannel = (): void => this.#channel.close();
  protected closeConnection = (): void => this.#connection.close();
}
