import { type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ed25519_FROST as frost } from '@noble/curves/ed25519.js';

import type { LedgerErrorCode } from '../errors.ts';
import { checkpointNote, openCheckpoint } from '../log/note.ts';
import { type GroupKey, guarded, identifierOf, isElement, liar, publicOf, wrong } from './group-key.ts';
import { type Commitment, decodeCommitment, decodeRequest, encodeRequest, listOf, messageOf } from './request.ts';

/** A head that the group is to sign, with the proof (RFC 6962) that it contains the one before; none for the first. */
export interface SessionHead {
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** One signature in the making. Any member leads it; it learns nothing that a reader of the checkpoint may not. */
export interface SigningSession {
  /** For each of the signers. */
  readonly request: Uint8Array;
  /**
   * The checkpoint, a signed note that `openCheckpoint` reads. Throws NOT_FOUND, with the `peers`, when somebody's part is missing: the next session goes
   * without; SIGNER_WRONG, with the `peers`, when somebody's part does not fit.
   */
  finish(parts: ReadonlyMap<PeerId, Uint8Array>): string;
}

/**
 * @param commitments - of as many members as the threshold, or more; each from the member itself.
 * Throws SIGNER_WRONG, with the `peers`, for what is no commitment; INVALID_FORMAT for a stranger's or too few; LIMIT_EXCEEDED.
 */
export function createSigningSession(
  crypto: CryptoProvider,
  key: GroupKey,
  head: SessionHead,
  commitments: ReadonlyMap<PeerId, Uint8Array>,
): SigningSession {
  const strange = [...commitments.keys()].filter((peer) => !key.members.includes(peer));
  if (strange.length > 0) throw wrong('Somebody who is not of the group wants to sign.');
  const read = [...commitments].map(([peer, bytes]) => [peer, commitmentOf(bytes)] as const);
  const bad = read.flatMap(([peer, one]) => (one === undefined ? [peer] : []));
  if (bad.length > 0) throw liar(bad, 'A signer’s commitment is none.');
  const good = new Map(read.flatMap(([peer, one]) => (one === undefined ? [] : [[peer, one] as const])));
  const request = encodeRequest(key, { ...head, commitments: good });
  const asked = decodeRequest(key, request);
  return {
    request,
    finish(parts) {
      const missing = [...good.keys()].filter((peer) => !parts.has(peer));
      if (missing.length > 0)
        throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'A signer’s part is missing.', { peers: missing });
      const [group, list, message] = [publicOf(key), listOf(key, asked), messageOf(key, head)];
      const shares = [...good.keys()].map((peer) => [peer, new Uint8Array(parts.get(peer) ?? [])] as const);
      const signature = guarded(() =>
        frost.aggregate(
          group,
          list,
          message,
          Object.fromEntries(shares.map(([peer, part]) => [identifierOf(key, peer), part])),
        ),
      );
      if (signature === undefined) {
        const fits = (peer: PeerId, part: Uint8Array): boolean =>
          guarded(() => frost.verifyShare(group, list, message, identifierOf(key, peer), part)) ?? false;
        throw liar(
          shares.flatMap(([peer, part]) => (fits(peer, part) ? [] : [peer])),
          'A signer’s part does not fit its commitment.',
        );
      }
      const note = checkpointNote(crypto, { origin: key.group, ...head }, signature);
      // Whoever reads it checks it by this rule: nothing else leaves.
      openCheckpoint(crypto, note);
      return note;
    },
  };
}

function commitmentOf(bytes: Uint8Array): Commitment | undefined {
  const read = guarded(() => decodeCommitment(bytes));
  return read !== undefined && isElement(read.hiding) && isElement(read.binding) ? read : undefined;
}
