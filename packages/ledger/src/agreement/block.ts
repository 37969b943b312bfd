import { type CryptoProvider, equalBytes, PeerAiError, utf8, wire } from '@peerai/core-protocol';
import { appendLeaf, emptyRange, leafHash, rootOf } from '../log/merkle.ts';
import { certificateForm } from './certificate.ts';
import { decodeChainEntry, encodeChainEntry } from './entry.ts';
import { agreementLimits as limits } from './limits.ts';
import type { Block, BlockHeader, Certificate, ChainEntry } from './types.ts';

/** A block that nobody has decided yet. */
export type Draft = Omit<Block, 'certificate'>;
type Hasher = Pick<CryptoProvider, 'sha256'>;

const headerForm = wire.message({
  version: wire.uint32(1),
  group: wire.bytes(2),
  height: wire.uint53(3),
  epoch: wire.uint53(4),
  previous: wire.bytes(5),
  root: wire.bytes(6),
  timeMs: wire.uint53(7),
});
const form = wire.message({
  header: wire.nested(1, headerForm),
  entries: wire.repeated(wire.bytes(2), limits.blockEntriesMax),
  certificate: wire.optional(wire.nested(3, certificateForm)),
});

/** MTH of RFC 6962 over the entries' bytes. */
export function entriesRoot(crypto: Hasher, entries: readonly ChainEntry[]): Uint8Array {
  return rootOf(
    crypto,
    entries.reduce((range, entry) => appendLeaf(crypto, range, leafHash(crypto, encodeChainEntry(entry))), emptyRange),
  );
}

export function draftOf(
  crypto: Hasher,
  header: Omit<BlockHeader, 'version' | 'root'>,
  entries: readonly ChainEntry[],
): Draft {
  const whole: BlockHeader = { version: 1, ...header, root: entriesRoot(crypto, entries) };
  return { header: whole, hash: headerHash(crypto, whole), entries };
}

const headerHash = (crypto: Hasher, header: BlockHeader): Uint8Array =>
  crypto.sha256(utf8('peerai/agreement/1 block\0'), headerForm.encode(header));

export const encodeDraft = ({ header, entries }: Draft): Uint8Array =>
  form.encode({ header, entries: entries.map(encodeChainEntry), certificate: undefined });
export const encodeBlock = ({ header, entries, certificate }: Draft & { certificate: Certificate }): Uint8Array =>
  form.encode({ header, entries: entries.map(encodeChainEntry), certificate });

/** Reads a block without its certificate. Throws as `decodeBlock`. */
export function decodeDraft(crypto: Hasher, bytes: Uint8Array): Draft {
  const { certificate, ...draft } = decode(crypto, bytes);
  if (certificate !== undefined) throw wrong('a block that is not decided has no certificate');
  return draft;
}

/** Reads, hashes and holds the root against the entries; checks no signature. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeBlock(crypto: Hasher, bytes: Uint8Array): Block {
  const { certificate, ...draft } = decode(crypto, bytes);
  if (certificate === undefined) throw wrong('a decided block has a certificate');
  return { ...draft, certificate };
}

function decode(crypto: Hasher, bytes: Uint8Array): Draft & { readonly certificate: Certificate | undefined } {
  if (bytes.length > limits.blockBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the block is too long');
  const fields = form.decode(bytes);
  const { header, certificate } = fields;
  const { version, group, previous, root } = header;
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `block version ${version}; this program reads 1`);
  if ([group, previous, root].some(({ length }) => length !== 32)) throw wrong('a hash of a block has 32 bytes');
  const entries = fields.entries.map(decodeChainEntry);
  // Fields that nobody reads and numbers in longer forms would be bytes that no hash covers.
  const again = form.encode({ header, entries: entries.map(encodeChainEntry), certificate });
  if (!equalBytes(again, bytes)) throw wrong('the bytes of a block have another form');
  const whole: BlockHeader = { ...header, version };
  if (!equalBytes(root, entriesRoot(crypto, entries))) throw wrong('the root is not that of the entries');
  return { header: whole, hash: headerHash(crypto, whole), entries, certificate };
}

const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);
