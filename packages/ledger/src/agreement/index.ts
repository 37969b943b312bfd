/**
 * A group of peers that decide one chain of blocks: of n members any ⌊(n − 1) / 3⌋ may be silent or lie. For peers that govern something together.
 *
 * @packageDocumentation
 */
export {
  decodeGenesis,
  encodeGenesis,
  epochKind,
  faultsOf,
  groupIdOf,
  leaderOf,
  membersPayload,
  quorumOf,
  readMembersPayload,
} from './epoch.ts';
export { verifyEvidence } from './evidence.ts';
export { encodeEvidenceFile, verifyEvidenceFile } from './evidence-file.ts';
export { agreementLimits } from './limits.ts';
export { createAgreement } from './open.ts';
export { isAgreementMessage, messagePieces, saysWhere } from './pieces.ts';
export { pbftNames } from './statement.ts';
export type {
  Agreement,
  AgreementDeps,
  AgreementEffect,
  AgreementEvent,
  AgreementLink,
  AgreementOptions,
  AgreementStatus,
  Block,
  BlockHeader,
  Certificate,
  ChainEntry,
  CreateAgreement,
  Decision,
  Epoch,
  Evidence,
  Genesis,
  SignedStatement,
  Statement,
  StatementKind,
} from './types.ts';
