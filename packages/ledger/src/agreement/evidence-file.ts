import { type CryptoProvider, equalBytes, PeerAiError, wire } from '@peerai/core-protocol';
import { verifyEvidence } from './evidence.ts';
import { agreementLimits as limits } from './limits.ts';

const version = 1;
const form = wire.message({
  version: wire.uint32(1),
  evidence: wire.repeated(wire.bytes(2), limits.evidenceKeptMax),
});

/** Proven lies in one file, for who was not there. @param all - bytes of `Evidence`, `evidenceKeptMax` at most. Throws LIMIT_EXCEEDED, INVALID_FORMAT for none. */
export function encodeEvidenceFile(all: readonly Uint8Array[]): Uint8Array {
  if (all.length === 0) throw new PeerAiError('INVALID_FORMAT', 'without a lie there is no evidence');
  if (all.length > limits.evidenceKeptMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a file has at most ${limits.evidenceKeptMax} proven lies`);
  return form.encode({ version, evidence: all });
}

/**
 * Checks each lie of a file with nothing but its bytes; what one proves says `verifyEvidence`. Throws INVALID_VERSION, INVALID_FORMAT, and what
 * `verifyEvidence` throws for the first that does not hold.
 */
export function verifyEvidenceFile(
  crypto: Pick<CryptoProvider, 'ed25519'>,
  file: Uint8Array,
): readonly ReturnType<typeof verifyEvidence>[] {
  if (file.length > limits.evidenceFileBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a file of evidence has at most ${limits.evidenceFileBytesMax} bytes`);
  const read = form.decode(file);
  if (read.version !== version)
    throw new PeerAiError('INVALID_VERSION', `evidence version ${read.version}; this program reads ${version}`);
  if (read.evidence.length === 0) throw new PeerAiError('INVALID_FORMAT', 'this file has no evidence');
  // A changed field number would be passed over, and a lie with it.
  if (!equalBytes(form.encode(read), file))
    throw new PeerAiError('INVALID_FORMAT', 'this file has something beside evidence');
  return read.evidence.map((bytes) => verifyEvidence(crypto, bytes));
}
