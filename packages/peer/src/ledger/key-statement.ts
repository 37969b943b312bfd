import {
  type CryptoProvider,
  type EntryBody,
  type KeyStatement,
  openKeyStatement,
  PeerAiError,
  type PeerId,
  wire,
} from '@peerai/core-protocol';

/** Kind of an entry that says what becomes, or was, of this log's key. */
export const keyKind = 'key';

const body = wire.message({
  version: wire.uint32(1),
  /** A succession or revocation as docs/protocol/keys.md has it: it proves itself. */
  statement: wire.bytes(2),
});

export const keyEntry = (statement: Uint8Array): EntryBody => ({
  kind: keyKind,
  body: body.encode({ version: 1, statement }),
});

/** Its signatures are checked, and that it speaks of this log's key. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function readKeyEntry(crypto: CryptoProvider, bytes: Uint8Array, origin: PeerId): KeyStatement {
  const { version, statement } = body.decode(bytes);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `key entry version ${version}; this program reads 1`);
  // An old entry is read whenever; only news have to be of their time.
  const opened = openKeyStatement(crypto, statement, Infinity);
  const isOwn = opened.kind === 'revocation' ? opened.peer === origin : [opened.from, opened.to].includes(origin);
  if (!isOwn) throw new PeerAiError('INVALID_FORMAT', 'this word is about the key of another log');
  return opened;
}
