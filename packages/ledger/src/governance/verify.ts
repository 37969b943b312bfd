import { equalBytes, PeerAiError, toHex } from '@peerai/core-protocol';
import { decodeBlock } from '../agreement/block.ts';
import { checkCertificate } from '../agreement/certificate.ts';
import { quorumOf } from '../agreement/epoch.ts';
import { checkDraft, firstPlace, placeAfter } from '../agreement/place.ts';
import type { Genesis } from '../agreement/index.ts';
import { foldBlock, type FoldDeps } from './fold.ts';
import { type GovernanceState, initialState, stateDigest } from './state.ts';

export interface GovernanceVerification {
  readonly ok: boolean;
  /** That were found whole, and signatures among them that were checked: of entries and certificates. */
  readonly blocks: number;
  readonly signatures: number;
  /** Hash of the last of these, hex. */
  readonly head: string;
  /** Of the state they lead to. */
  readonly digest: string;
  readonly state: GovernanceState;
  /** What is wrong with the block after them. */
  readonly problem: string | null;
}

/**
 * Checks a group's chain by its bytes alone: every entry signed by its author, every block decided by a quorum of its epoch, each upon the one before;
 * and does again what it decided. Needs no peer, and runs in a browser. Throws what `blocks` throws.
 *
 * @param blocks - as they are stored, from the first on.
 */
export async function verifyGovernance(
  deps: FoldDeps,
  genesis: Genesis,
  blocks: AsyncIterable<Uint8Array>,
): Promise<GovernanceVerification> {
  const { crypto } = deps;
  let place = firstPlace(crypto, genesis);
  let state = initialState(toHex(place.group), genesis);
  let signatures = 0;
  let problem: string | null = null;
  try {
    for await (const bytes of blocks) {
      const block = decodeBlock(crypto, bytes);
      const { certificate, header, hash, entries } = block;
      checkDraft(crypto, place, block);
      const isOfBlock = certificate.kind === 'finalize' && certificate.height === header.height;
      if (!isOfBlock || !equalBytes(certificate.block, hash))
        throw new PeerAiError('INVALID_SIGNATURE', 'its certificate is of another block');
      checkCertificate(crypto, place.group, place.epoch, quorumOf(place.epoch.members.length), certificate);
      state = (await foldBlock(deps, state, block)).state;
      place = placeAfter(place, block);
      signatures += entries.length + certificate.signatures.length;
    }
  } catch (error) {
    if (!PeerAiError.is(error)) throw error;
    problem = `block ${place.height + 1}: ${error.message}`;
  }
  const head = toHex(place.hash);
  return {
    ok: problem === null,
    blocks: place.height,
    signatures,
    head,
    digest: stateDigest(crypto, state),
    state,
    problem,
  };
}
