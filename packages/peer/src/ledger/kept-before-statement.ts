import { type EntryBody, PeerAiError, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Kind of an entry that says: these messages were kept here before this log said anything of messages. */
export const keptBeforeKind = 'messages-before';
const body = wire.message({
  version: wire.uint32(1),
  /** 32 bytes each: 1,000 are 34 kB, and an entry's body has 64 KiB. */
  hashes: wire.repeated(wire.bytes(2), limits.inboxMessagesMax),
});

/** Throws LIMIT_EXCEEDED. */
export const keptBeforeEntry = (hashes: readonly Uint8Array[]): EntryBody => ({
  kind: keptBeforeKind,
  body: body.encode({ version: 1, hashes }),
});
/** Throws INVALID_FORMAT, INVALID_VERSION. */
export function readKeptBeforeEntry(bytes: Uint8Array): readonly Uint8Array[] {
  const { version, hashes } = body.decode(bytes);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `entry of messages before, version ${version}`);
  if (hashes.some(({ length }) => length !== 32)) throw new PeerAiError('INVALID_FORMAT', 'a hash has 32 bytes');
  return hashes;
}
