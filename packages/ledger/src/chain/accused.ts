import { type CryptoProvider, equalBytes, PeerAiError } from '@peerai/core-protocol';
import type { verifyEvidence } from '../agreement/evidence.ts';
import { openNextBlock } from '../agreement/next-block.ts';
import { type ChainPlace, firstPlace } from '../agreement/place.ts';
import { simplexRules } from '../agreement/rules.ts';
import type { Genesis } from '../agreement/types.ts';
import type { LedgerErrorCode } from '../errors.ts';

export type ProvenLie = ReturnType<typeof verifyEvidence>;

/**
 * Whether those who are proven to have lied were members where they did: by the epochs that a group's chain says, each block checked as `verifyChain`
 * does, with no peer. Who was none had no voice, and anybody can make two statements under a new key.
 *
 * Throws ACCUSED_NOT_MEMBER; EVIDENCE_WRONG for a lie in another group, or in an epoch that was not that height's; NOT_FOUND where the chain ends before the
 * height is known to be of an epoch; what `openNextBlock` and the source throw.
 *
 * @param lies - as `verifyEvidenceFile` gives them: their signatures are not checked again.
 */
export async function verifyAccused(
  crypto: CryptoProvider,
  genesis: Genesis,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  lies: readonly ProvenLie[],
): Promise<void> {
  let place = firstPlace(crypto, genesis);
  for (const { group } of lies)
    if (!equalBytes(group, place.group))
      throw wrong('EVIDENCE_WRONG', 'a lie was told in another group than this chain’s');
  check(place, lies);
  for await (const bytes of blocks) {
    place = openNextBlock(crypto, simplexRules, place, bytes).next;
    check(place, lies);
  }
  const after = lies.find(({ height }) => height > place.height + 1);
  if (after !== undefined)
    throw wrong('NOT_FOUND', `a lie is about block ${after.height}, and this chain ends with block ${place.height}`);
}

/** The lies about the block that comes next here: this place's epoch decides it. */
function check({ height: before, epoch }: ChainPlace, lies: readonly ProvenLie[]): void {
  for (const { member, height, epoch: said } of lies) {
    if (height !== before + 1) continue;
    if (said !== epoch.number)
      throw wrong('EVIDENCE_WRONG', `a lie says epoch ${said}, and block ${height} is of epoch ${epoch.number}`);
    if (!epoch.members.includes(member))
      throw wrong('ACCUSED_NOT_MEMBER', `${member} was no member of this group at block ${height}`);
  }
}

const wrong = (code: LedgerErrorCode, text: string): PeerAiError => new PeerAiError<LedgerErrorCode>(code, text);
