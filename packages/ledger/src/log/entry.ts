import { type EntryBody, PeerAiError, type PeerId, peerIdFromPublicKey, utf8Length, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** One line of a peer's log, as its bytes say. The checkpoint over the tree is its signature. */
export interface Entry {
  readonly version: 1;
  /** Whose log. */
  readonly origin: PeerId;
  /** Place in the log, from 0. */
  readonly seq: bigint;
  /** Leaf hash of the entry before, 32 bytes; zeros for the first. */
  readonly previous: Uint8Array;
  /** What the body is: `usage-receipt`, … */
  readonly kind: string;
  /** The writer's wall clock when it was appended; a claim, not a proof of time. */
  readonly timeMs: number;
  readonly body: Uint8Array;
}

const codec = wire.message({
  version: wire.uint32(1),
  origin: wire.bytesView(2),
  seq: wire.uint64(3),
  previous: wire.bytes(4),
  kind: wire.string(5),
  timeMs: wire.uint53(6),
  body: wire.bytesView(7),
});

/** What `previous` says in the first entry. */
export const noPrevious = new Uint8Array(32);

/** @param origin - the writer's key: its peer id is this key in base58, too dear to take apart for each entry. */
export function encodeEntry(origin: Uint8Array, entry: Omit<Entry, 'version' | 'origin'>): Uint8Array {
  return codec.encode({ version: 1, origin, ...entry });
}

/** The body shares the memory of `bytes`. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length > limits.entryBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the entry is too long');
  const said = codec.decode(bytes);
  const { version } = said;
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `entry version ${version}; this program reads 1`);
  if (said.previous.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'the previous hash has 32 bytes');
  checkBody(said);
  return { ...said, version, origin: peerIdFromPublicKey(said.origin) };
}

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT. */
export function checkBody({ kind, body }: EntryBody): void {
  const kindBytes = utf8Length(kind);
  if (kindBytes === 0) throw new PeerAiError('INVALID_FORMAT', 'an entry needs a kind');
  if (kindBytes > limits.entryKindBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `the kind of an entry has at most ${limits.entryKindBytesMax} bytes`);
  }
  if (body.length > limits.entryBodyBytesMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `the body of an entry has at most ${limits.entryBodyBytesMax} bytes`);
  }
}
