import type { AbstractMultiaddrConnectionInit } from '@libp2p/utils';
import { bounded, type Clock, orAborted } from '@peerai/core-protocol';
import { channelClosed } from '../../errors.ts';
import { bufferBytes, ChannelBytes } from '../channel-bytes.ts';
import { splitCandidates } from '../file/note.ts';
import { limits } from './limits.ts';
import { channelLabel, type Meeting, type Meetings } from './meeting.ts';

interface Description {
  readonly type: string;
  readonly sdp: string;
}
interface BrowserChannel extends EventTarget {
  binaryType: string;
  readonly readyState: string;
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  send(bytes: Uint8Array): void;
  close(): void;
}
/** What we use of a browser's RTCPeerConnection. */
export interface BrowserConnection extends EventTarget {
  readonly connectionState: string;
  readonly iceGatheringState: string;
  readonly localDescription: Description | null;
  createDataChannel(label: string): BrowserChannel;
  createOffer(): Promise<Description>;
  createAnswer(): Promise<Description>;
  setLocalDescription(description: Description): Promise<void>;
  setRemoteDescription(description: Description): Promise<void>;
  addIceCandidate(candidate: object): Promise<void>;
  close(): void;
}

/** WebRTC of a browser. @param connect - makes an unconnected RTCPeerConnection, with its STUN and TURN servers. */
export function browserMeetings(clock: Clock, connect: () => BrowserConnection): Meetings {
  return {
    async offer(signal) {
      const connection = connect();
      try {
        const channel = connection.createDataChannel(channelLabel);
        await connection.setLocalDescription(await connection.createOffer());
        await gathered(clock, connection, signal);
        const { sdp, candidates } = splitCandidates(connection.localDescription?.sdp ?? '');
        return meetingOf(connection, Promise.resolve(channel), sdp, candidates);
      } catch (error) {
        connection.close();
        throw error;
      }
    },
    async answer(offer, signal) {
      const connection = connect();
      try {
        const channel = Promise.withResolvers<BrowserChannel>();
        connection.addEventListener('datachannel', (event) => {
          channel.resolve((event as Event & { readonly channel: BrowserChannel }).channel);
        });
        await connection.setRemoteDescription({ type: 'offer', sdp: offer });
        await connection.setLocalDescription(await connection.createAnswer());
        await gathered(clock, connection, signal);
        return meetingOf(connection, channel.promise, connection.localDescription?.sdp ?? '', []);
      } catch (error) {
        connection.close();
        throw error;
      }
    },
  };
}

function meetingOf(
  connection: BrowserConnection,
  channel: Promise<BrowserChannel>,
  sdp: string,
  candidates: readonly string[],
): Meeting {
  return {
    sdp,
    candidates: candidates.map((line) => line.replace(/^a=/u, '')),
    taken: (answer) => connection.setRemoteDescription({ type: 'answer', sdp: answer }),
    add(candidate) {
      connection.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 }).catch(() => undefined);
    },
    async opened(init, signal) {
      const one = await orAborted(opened(connection, channel), signal);
      return new BrowserChannelBytes(init, connection, one);
    },
    close: () => connection.close(),
  };
}

/** The description holds every candidate then, or those of the first two seconds. */
async function gathered(clock: Clock, connection: BrowserConnection, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const look = (): void => {
    if (connection.iceGatheringState === 'complete') done.resolve();
  };
  connection.addEventListener('icegatheringstatechange', look);
  look();
  await bounded(clock, limits.gatherMs, signal, (until) => orAborted(done.promise, until)).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
  connection.removeEventListener('icegatheringstatechange', look);
}

async function opened(connection: BrowserConnection, channel: Promise<BrowserChannel>): Promise<BrowserChannel> {
  const broken = Promise.withResolvers<never>();
  const look = (): void => {
    const { connectionState: state } = connection;
    if (state === 'failed' || state === 'closed') broken.reject(channelClosed(`the connection became ${state}`));
  };
  connection.addEventListener('connectionstatechange', look);
  look();
  try {
    return await Promise.race([whenOpen(channel), broken.promise]);
  } finally {
    connection.removeEventListener('connectionstatechange', look);
  }
}

async function whenOpen(channel: Promise<BrowserChannel>): Promise<BrowserChannel> {
  const one = await channel;
  if (one.readyState !== 'open') await new Promise((resolve) => one.addEventListener('open', resolve, { once: true }));
  return one;
}

class BrowserChannelBytes extends ChannelBytes {
  readonly #connection: BrowserConnection;
  readonly #channel: BrowserChannel;

  constructor(init: AbstractMultiaddrConnectionInit, connection: BrowserConnection, channel: BrowserChannel) {
    super(init);
    this.#connection = connection;
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = bufferBytes / 4;
    channel.addEventListener('bufferedamountlow', () => this.safeDispatchEvent('drain'));
    channel.addEventListener('close', () => this.over());
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'failed' || connection.connectionState === 'closed') this.over();
    });
    channel.addEventListener('message', (event) => {
      const { data } = event as Event & { readonly data: unknown };
      if (data instanceof ArrayBuffer) this.onData(new Uint8Array(data));
    });
  }

  protected isOpen = (): boolean => this.#channel.readyState === 'open';
  protected sendPiece = (piece: Uint8Array): void => this.#channel.send(piece);
  protected waitingBytes = (): number => this.#channel.bufferedAmount;
  protected closeChannel = (): void => this.#channel.close();
  protected closeConnection = (): void => this.#connection.close();
}
