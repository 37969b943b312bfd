import { type CryptoProvider, equalBytes, PeerAiError } from '@peerai/core-protocol';
import { decodeBlock, decodeDraft } from './block.ts';
import { decodeChainEntry } from './entry.ts';
import { type AgreementMessage, decodeMessage, encodeMessage } from './message.ts';
import { decodeStatement } from './statement.ts';

type Part = Partial<AgreementMessage>;

/**
 * The same message for a way that takes less at once: pieces of at most `bytesMax` bytes, in the order in which they are best read. What is longer by
 * itself, a large block, is in none of them, and no block that comes after it, since nobody can use that. Throws INVALID_FORMAT, LIMIT_EXCEEDED.
 */
export function messagePieces(bytes: Uint8Array, bytesMax: number): readonly Uint8Array[] {
  const message = decodeMessage(bytes);
  if (bytes.length <= bytesMax) return [bytes];
  const pieces: Part[] = [];
  let room = 0;
  let hasGap = false;
  for (const part of partsOf(message)) {
    // A message's bytes are those of its parts, one after the other.
    const length = encodeMessage(part).length;
    hasGap ||= length > bytesMax && part.blocks !== undefined;
    if (length > bytesMax || (hasGap && part.blocks !== undefined)) continue;
    const last = pieces.at(-1);
    if (last === undefined || length > room) {
      pieces.push(part);
      room = bytesMax - length;
    } else {
      pieces[pieces.length - 1] = joined(last, part);
      room -= length;
    }
  }
  return pieces.map(encodeMessage);
}

function partsOf(message: AgreementMessage): readonly Part[] {
  const { entries, proposal, draft, votes, certificates, where, blocks, reach } = message;
  return [
    ...(where === undefined ? [] : [{ where, reach }]),
    ...(votes.length === 0 ? [] : [{ votes }]),
    ...(proposal === undefined ? [] : [{ proposal }]),
    ...(draft === undefined ? [] : [{ draft }]),
    ...certificates.map((one) => ({ certificates: [one] })),
    ...entries.map((one) => ({ entries: [one] })),
    ...blocks.map((one) => ({ blocks: [one] })),
  ];
}

const joined = (one: Part, other: Part): Part => ({
  ...one,
  ...other,
  certificates: [...(one.certificates ?? []), ...(other.certificates ?? [])],
  entries: [...(one.entries ?? []), ...(other.entries ?? [])],
  blocks: [...(one.blocks ?? []), ...(other.blocks ?? [])],
});

/** Whether its sender says where it stands, as every member does again and again. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export const saysWhere = (bytes: Uint8Array): boolean => decodeMessage(bytes).where !== undefined;

/** Whether these bytes are a message of this group, down to each of its parts. Who signed them, and whether it may, is for the agreement to check. */
export function isAgreementMessage(
  crypto: Pick<CryptoProvider, 'sha256'>,
  group: Uint8Array,
  bytes: Uint8Array,
): boolean {
  try {
    if (bytes.length === 0) return false;
    const { entries, proposal, draft, votes, blocks } = decodeMessage(bytes);
    for (const one of entries) decodeChainEntry(one);
    const statements = [...(proposal === undefined ? [] : [proposal]), ...votes].map(decodeStatement);
    const headers = [
      ...(draft === undefined ? [] : [decodeDraft(crypto, draft).header]),
      ...blocks.map((one) => decodeBlock(crypto, one).header),
    ];
    return [...statements, ...headers].every((one) => equalBytes(one.group, group));
  } catch (error) {
    if (PeerAiError.is(error)) return false;
    throw error;
  }
}
