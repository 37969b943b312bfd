import {
  type CryptoProvider,
  type Identity,
  PeerAiError,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  signedBytes,
  wire,
} from '@peerai/core-protocol';
import type { SignedStatement, Statement, StatementKind } from './types.ts';

const kinds = ['propose', 'notarize', 'nullify', 'finalize'] as const satisfies readonly StatementKind[];
const tag = 'peerai/agreement/1 statement';
const form = wire.message({
  kind: wire.oneOf(1, kinds),
  group: wire.bytes(2),
  epoch: wire.uint53(3),
  height: wire.uint53(4),
  view: wire.uint32(5),
  parent: wire.uint32(6),
  block: wire.bytes(7),
});
const signedForm = wire.message({ statement: wire.nested(1, form), signer: wire.bytes(2), signature: wire.bytes(3) });

/** The words of PBFT (Castro and Liskov 1999) for ours. */
export const pbftNames = {
  propose: 'pre-prepare',
  notarize: 'prepare',
  finalize: 'commit',
  nullify: 'view-change',
} as const satisfies Record<StatementKind, string>;

export const noBlock = new Uint8Array();
/** What a signature covers. */
export const statementBytes = ({ kind, group, epoch, height, view, parent, block }: Statement): Uint8Array =>
  signedBytes(tag, form.encode({ kind, group, epoch, height, view, parent, block }));

export function signStatement(identity: Identity, statement: Statement): SignedStatement {
  return { ...statement, signer: identity.peer, signature: identity.sign(statementBytes(statement)) };
}

/** The signature is checked over these fields' one form, so bytes of another form fail. */
export function isSigned(crypto: Pick<CryptoProvider, 'ed25519'>, statement: SignedStatement): boolean {
  return crypto.ed25519.verify(statement.signature, statementBytes(statement), publicKeyFromPeerId(statement.signer));
}

export function encodeStatement({ signer, signature, ...statement }: SignedStatement): Uint8Array {
  return signedForm.encode({ statement, signer: publicKeyFromPeerId(signer), signature });
}

/** Reads, without checking the signature. Throws INVALID_FORMAT. */
export function decodeStatement(bytes: Uint8Array): SignedStatement {
  const { statement, signer, signature } = signedForm.decode(bytes);
  const { kind, group, view, parent, block } = statement;
  const isWhole = group.length === 32 && signature.length === 64 && block.length === (kind === 'nullify' ? 0 : 32);
  const isPlaced = view > 0 && parent < view && (kind === 'propose' || parent === 0);
  if (!isWhole || !isPlaced) throw new PeerAiError('INVALID_FORMAT', 'no statement of a member has these fields');
  return { ...statement, signer: peerIdFromPublicKey(signer), signature };
}
