/**
 * The peer protocol: our own messages and those of its older implementations, checked from the bytes as they came.
 *
 * @packageDocumentation
 */
export { type ChunkOutcome, ChunkTable, splitTransfer } from './chunks.ts';
export { compress, decompress } from './compress.ts';
export { openFrame, readFrame, writeFrame } from './frame.ts';
export { type PcpErrorCode } from './errors.ts';
export { pcpLimits } from './limits.ts';
export { type PcpKind, pcpKindOf, type PcpKindPayload, pcpKinds, type PcpPayload, readPcpPayload } from './kinds.ts';
export { openPcp } from './open.ts';
export {
  type PcpClaim,
  type PcpOpened,
  type PcpOpenDeps,
  type PcpOpenOptions,
  type PcpProfile,
  pcpProfiles,
  type PcpSealDeps,
  profileVersions,
} from './profile.ts';
export { pcpErrorReply, type PcpErrorRow, pcpErrors, pcpReceivedReply, type PcpReply } from './reply.ts';
export { type ConcatDraft, sealConcat } from './concat.ts';
export { sealSix, type SixDraft } from './six.ts';
export { negotiateVersion, type PcpVersion, pcpVersions, profileOfVersion } from './versions.ts';
