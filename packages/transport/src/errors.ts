import { PeerAiError } from '@peerai/core-protocol';

/** Codes this package throws; the meaning stands where they are thrown. */
export type TransportErrorCode =
  | 'ABORTED'
  | 'CHANNEL_CLOSED'
  | 'INVALID_FORMAT'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'PEER_UNREACHABLE'
  | 'POST_QUANTUM_REQUIRED'
  | 'PRIVATE_NETWORK'
  | 'REFUSED'
  | 'TIMEOUT'
  | 'UNSAFE_ENVIRONMENT'
  | 'ALREADY_ANSWERED';

export function transportError(
  code: TransportErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): PeerAiError<TransportErrorCode> {
  return new PeerAiError(code, message, details, cause === undefined ? undefined : { cause });
}

/** CHANNEL_CLOSED, with the code the other side gave when it gave one. */
export function channelClosed(reason: string, code?: string, cause?: unknown): PeerAiError<TransportErrorCode> {
  return transportError('CHANNEL_CLOSED', reason, code === undefined ? {} : { code }, cause);
}

const endedAtOnce = 'the other side closed the connection at once; it may have blocked this one';

/**
 * Why no channel could be opened on a link. When the link ends while a stream of QUIC is made, that says only that an operation was aborted, though
 * nobody here aborted anything, or gives the event of the stream's end.
 *
 * @param isProven - the other side has answered on this link before.
 */
export function reasonOfLink(error: unknown, isProven: boolean): string {
  const isEnded = error instanceof Event || (error instanceof DOMException && error.name === 'AbortError');
  if (!isEnded) return reasonOf(error);
  return isProven ? 'the link ended while the channel was opened' : endedAtOnce;
}

/** One line of somebody else's error, for people; never a stack. */
export function reasonOf(error: unknown): string {
  // What a WebSocket that does not open gives: an event, which says no more than that, in browsers and in Node.
  if (error instanceof Event) return 'the WebSocket did not open';
  // All that QUIC says of a connection that the other side ended as soon as both had proved their keys.
  if (error instanceof Error && error.message === 'closed by peer: 0') return endedAtOnce;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split('\n')[0]?.slice(0, 200) ?? 'unknown';
}
