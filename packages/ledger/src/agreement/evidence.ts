import { type CryptoProvider, equalBytes, PeerAiError, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { agreementLimits as limits } from './limits.ts';
import { decodeStatement, encodeStatement, isSigned } from './statement.ts';
import type { Evidence, SignedStatement } from './types.ts';

const form = wire.message({ first: wire.bytes(1), second: wire.bytes(2) });

/**
 * What two statements of one member in one view prove, undefined when an honest one may make both. To notarize one block and finalize another is
 * no lie: the quorum may have notarized the other.
 */
function lieOf(a: SignedStatement, b: SignedStatement): Evidence['kind'] | undefined {
  const isOnePlace =
    a.signer === b.signer &&
    a.epoch === b.epoch &&
    a.height === b.height &&
    a.view === b.view &&
    equalBytes(a.group, b.group);
  if (!isOnePlace) return undefined;
  const kinds = new Set([a.kind, b.kind]);
  if (kinds.has('nullify') && kinds.has('finalize')) return 'nullify-and-finalize';
  if (kinds.size > 1 || a.kind === 'nullify') return undefined;
  const isSame = equalBytes(a.block, b.block) && a.parent === b.parent;
  return isSame ? undefined : `conflicting-${a.kind}`;
}

/** Both statements must have been checked. */
export function evidenceOf(first: SignedStatement, second: SignedStatement): Evidence | undefined {
  const kind = lieOf(first, second);
  if (kind === undefined) return undefined;
  const { signer, epoch, height, view } = first;
  const bytes = form.encode({ first: encodeStatement(first), second: encodeStatement(second) });
  return { kind, member: signer, epoch, height, view, bytes };
}

/**
 * Checks a proven lie offline, with nothing but its bytes; the group's id says where it was told, and only its chain says whether the liar was a
 * member then (`verifyAccused`). Throws INVALID_FORMAT, LIMIT_EXCEEDED, INVALID_SIGNATURE, EVIDENCE_WRONG when the two statements go together.
 */
export function verifyEvidence(
  crypto: Pick<CryptoProvider, 'ed25519'>,
  bytes: Uint8Array,
): Evidence & { readonly group: Uint8Array } {
  if (bytes.length > limits.evidenceBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the evidence is too long');
  const fields = form.decode(bytes);
  const [first, second] = [decodeStatement(fields.first), decodeStatement(fields.second)];
  if (!isSigned(crypto, first) || !isSigned(crypto, second))
    throw new PeerAiError('INVALID_SIGNATURE', 'a statement of this evidence is not signed by the one it names');
  const found = evidenceOf(first, second);
  if (found === undefined)
    throw new PeerAiError<LedgerErrorCode>('EVIDENCE_WRONG', 'an honest member may make both statements');
  return { ...found, group: first.group };
}
