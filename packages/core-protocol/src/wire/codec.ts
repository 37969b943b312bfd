/** Bytes to values and back. `decode` throws PeerAiError INVALID_FORMAT and nothing else. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}
