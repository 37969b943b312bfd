import { PeerAiError, wire } from '@peerai/core-protocol';
import { limits } from '../../limits.ts';

/** What members of a group key tell each other; any of these of one session. */
export interface HeadsMessage {
  /** The ceremony's name, or 16 random bytes of who asks for a signature. */
  readonly session: Uint8Array;
  readonly announcement: Uint8Array | undefined;
  readonly share: Uint8Array | undefined;
  /** This member has its key. */
  readonly done: boolean | undefined;
  /** Who can sign the head of so many blocks? */
  readonly ask: number | undefined;
  /** A signer's commitment, and how many blocks the head had that it signed last. */
  readonly commitment: Uint8Array | undefined;
  readonly signed: number | undefined;
  readonly request: Uint8Array | undefined;
  readonly part: Uint8Array | undefined;
  /** A head that is signed. */
  readonly note: string | undefined;
}

const form = wire.message({
  session: wire.bytes(1),
  announcement: wire.optional(wire.bytes(2)),
  share: wire.optional(wire.bytes(3)),
  done: wire.optional(wire.bool(4)),
  ask: wire.optional(wire.uint53(5)),
  commitment: wire.optional(wire.bytes(6)),
  signed: wire.optional(wire.uint53(7)),
  request: wire.optional(wire.bytes(8)),
  part: wire.optional(wire.bytes(9)),
  note: wire.optional(wire.string(10)),
});
const nothing = {
  announcement: undefined,
  share: undefined,
  done: undefined,
  ask: undefined,
  commitment: undefined,
  signed: undefined,
  request: undefined,
  part: undefined,
  note: undefined,
};

export const encodeHeadsMessage = (parts: Partial<HeadsMessage> & Pick<HeadsMessage, 'session'>): Uint8Array =>
  form.encode({ ...nothing, ...parts });

/** Undefined for what is no such message. */
export function readHeadsMessage(bytes: Uint8Array): HeadsMessage | undefined {
  if (bytes.length > 2 * limits.groupMessageBytesMax) return undefined;
  try {
    return form.decode(bytes);
  } catch (error) {
    if (PeerAiError.is(error)) return undefined;
    throw error;
  }
}
