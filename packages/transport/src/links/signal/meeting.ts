import type { AbstractMultiaddrConnection, AbstractMultiaddrConnectionInit } from '@libp2p/utils';

/** One end of a connection that is coming up. Who made it closes it when nothing comes of it. */
export interface Meeting {
  /** What the other side is to be told. An offer's is without candidates; an answer's has them. */
  readonly sdp: string;
  /** An offer's candidates, for when its answer is taken: an answerer that had them sooner could be through with its handshake too soon. */
  readonly candidates: readonly string[];
  /** The offerer's: takes the answer. Throws what the browser or the native layer says of a description that is none. */
  taken(sdp: string): Promise<void>;
  /** The answerer's: one candidate of the offerer. One that is none is passed over. */
  add(candidate: string): void;
  /** The ordered channel as libp2p's bytes, once it is open. Rejects when it cannot come up, or the signal fires. */
  opened(init: AbstractMultiaddrConnectionInit, signal: AbortSignal): Promise<AbstractMultiaddrConnection>;
  close(): void;
}

/** What makes WebRTC connections here: the browser, or native code. */
export interface Meetings {
  offer(signal: AbortSignal): Promise<Meeting>;
  answer(sdp: string, signal: AbortSignal): Promise<Meeting>;
}

/** Of the data channel, as in the seed. */
export const channelLabel = 'data';
