import type { Connection } from '@libp2p/interface';
import type { Channel, Logger, Protocol } from '@peerai/core-protocol';

/** What a layer that seals channels asks of the network. */
export interface LinkParts {
  readonly logger: Logger;
  /** A channel on exactly this link, with its first message. */
  open(connection: Connection, protocol: Protocol, signal: AbortSignal, first: Uint8Array): Promise<Channel>;
  /** Whether this link is sealed, once that is known. */
  hybrid(connection: Connection, is: boolean): void;
}
/** Seals what goes over links; a network without it leaves channels as they are. */
export interface LinkSealing {
  linked(connection: Connection): void;
  dropped(connection: Connection): void;
  readonly exchange: {
    readonly protocol: Protocol;
    readonly handler: (channel: Channel, connection: Connection) => Promise<void>;
  };
  /** How a sealed channel is named and bounded on the wire. */
  sealedProtocol(protocol: Protocol): Protocol;
  /** How a channel is opened on this link; undefined: as it is. Throws POST_QUANTUM_REQUIRED, CHANNEL_CLOSED. */
  opening(
    connection: Connection,
    protocol: Protocol,
    signal: AbortSignal,
  ): Promise<{ readonly protocol: Protocol; over(channel: Channel): Channel } | undefined>;
  /** The answerer's side of a sealed channel. */
  answering(connection: Connection, protocol: Protocol, channel: Channel): Channel;
  /** A channel that is not sealed may not come in here. */
  refuses(connection: Connection, protocol: Protocol): boolean;
}
export type MakeSealing = (parts: LinkParts) => LinkSealing;
