import type { Connection } from '@libp2p/interface';

/**
 * Ends a link with all of its streams at once. The streams first: QUIC's muxer walks over its own list while each one that it ends leaves that list, so it
 * passes over every second one, and the channels on those would hear of it only when the native layer says so.
 */
export function endLink(connection: Connection, error: Error): void {
  for (const stream of connection.streams.slice()) stream.abort(error);
  connection.abort(error);
}
