import { PeerAiError, wire } from '@peerai/core-protocol';
import { certificateForm } from './certificate.ts';
import { agreementLimits as limits } from './limits.ts';
import { type Reach, reachForm } from './reach.ts';
import type { Certificate } from './types.ts';

/** Where a member stands, and what it lacks. */
export interface Where {
  /** Of its newest decided block. */
  readonly height: number;
  /** At the height after that one. */
  readonly view: number;
  /** The lowest view of which it needs certificates. */
  readonly missing: number;
  /** Hashes of a block that it has not: none or 32 bytes. */
  readonly wants: Uint8Array;
}
/** Any of these together. */
export interface AgreementMessage {
  /** Bytes of entries. */
  readonly entries: readonly Uint8Array[];
  /** Bytes of a signed statement of kind `propose`. */
  readonly proposal: Uint8Array | undefined;
  /** Bytes of a block that is not decided. */
  readonly draft: Uint8Array | undefined;
  /** Bytes of signed statements of the other kinds. */
  readonly votes: readonly Uint8Array[];
  readonly certificates: readonly Certificate[];
  readonly where: Where | undefined;
  /** Bytes of decided blocks, in order of height. */
  readonly blocks: readonly Uint8Array[];
  /** Beside `where`, of the member at that place. */
  readonly reach: Reach | undefined;
}

const form = wire.message({
  entries: wire.repeated(wire.bytes(1), limits.pendingPerAuthorMax),
  proposal: wire.optional(wire.bytes(2)),
  draft: wire.optional(wire.bytes(3)),
  votes: wire.repeated(wire.bytes(4), limits.votesPerMessageMax),
  certificates: wire.repeated(wire.nested(5, certificateForm), limits.certificatesPerMessageMax),
  where: wire.optional(
    wire.nested(
      6,
      wire.message({ height: wire.uint53(1), view: wire.uint32(2), missing: wire.uint32(3), wants: wire.bytes(4) }),
    ),
  ),
  blocks: wire.repeated(wire.bytes(7), limits.blocksPerMessageMax),
  reach: wire.optional(wire.nested(8, reachForm)),
});

const nothing: AgreementMessage = {
  entries: [],
  proposal: undefined,
  draft: undefined,
  votes: [],
  certificates: [],
  where: undefined,
  blocks: [],
  reach: undefined,
};
export const encodeMessage = (parts: Partial<AgreementMessage>): Uint8Array => form.encode({ ...nothing, ...parts });

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeMessage(bytes: Uint8Array): AgreementMessage {
  if (bytes.length > limits.messageBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the message is too long');
  return form.decode(bytes);
}
