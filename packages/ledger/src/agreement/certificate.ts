import { type CryptoProvider, PeerAiError, publicKeyFromPeerId, wire } from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import { statementBytes } from './statement.ts';
import type { Certificate, Epoch, SignedStatement, Statement } from './types.ts';

const kinds = ['notarize', 'nullify', 'finalize'] as const;

export const certificateForm = wire.message({
  kind: wire.oneOf(1, kinds),
  epoch: wire.uint53(2),
  height: wire.uint53(3),
  view: wire.uint32(4),
  block: wire.bytes(5),
  signers: wire.bytes(6),
  signatures: wire.repeated(wire.bytes(7), limits.membersMax),
});

/** One statement, as these members signed it. Statements of others than the epoch's members are left out. */
export function certificateOf(
  kind: Certificate['kind'],
  { members }: Epoch,
  statements: readonly SignedStatement[],
): Certificate {
  const bySigner = new Map(statements.map((one) => [one.signer, one.signature]));
  const signers = new Uint8Array(Math.ceil(members.length / 8));
  const signatures: Uint8Array[] = [];
  for (const [place, member] of members.entries()) {
    const signature = bySigner.get(member);
    if (signature === undefined) continue;
    signers[place >> 3] = (signers[place >> 3] ?? 0) | (1 << (place & 7));
    signatures.push(signature);
  }
  const [{ epoch, height, view, block }] = statements as readonly [SignedStatement];
  return { kind, epoch, height, view, block, signers, signatures };
}

/**
 * Checks that so many members of this epoch signed. Nothing else is asked: whether it is the epoch of the height is the caller's to know.
 * Throws INVALID_FORMAT, INVALID_SIGNATURE.
 */
export function checkCertificate(
  crypto: Pick<CryptoProvider, 'ed25519'>,
  group: Uint8Array,
  epoch: Epoch,
  quorum: number,
  certificate: Certificate,
): void {
  const { kind, height, view, block, signers, signatures } = certificate;
  const { members } = epoch;
  const who = members.filter((_, place) => ((signers[place >> 3] ?? 0) & (1 << (place & 7))) !== 0);
  const bits = signers.reduce((sum, byte) => sum + bitsOf(byte), 0);
  if (
    certificate.epoch !== epoch.number ||
    signers.length !== Math.ceil(members.length / 8) ||
    bits !== who.length ||
    signatures.length !== who.length ||
    block.length !== (kind === 'nullify' ? 0 : 32)
  )
    throw new PeerAiError('INVALID_FORMAT', 'a certificate that does not fit its epoch');
  if (who.length < quorum)
    throw new PeerAiError('INVALID_SIGNATURE', `${who.length} members signed; ${quorum} are needed`);
  const statement: Statement = { kind, group, epoch: epoch.number, height, view, parent: 0, block };
  const bytes = statementBytes(statement);
  for (const [place, member] of who.entries())
    if (!crypto.ed25519.verify(signatures[place] ?? block, bytes, publicKeyFromPeerId(member)))
      throw new PeerAiError('INVALID_SIGNATURE', 'a member did not sign this', { peer: member });
}

function bitsOf(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
