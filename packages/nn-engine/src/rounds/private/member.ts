import { callMethod, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { createSumMember } from '../../privacy/masked-sum/index.ts';
import { signReceipt } from '../messages.ts';
import { type Participant, randomOf, type RunDeps } from '../participant.ts';
import { encodeWords, sumMethod, type SumPart, type SumStep } from './messages.ts';
import { sumTermsOf } from './terms.ts';

/** Which sum: at each try it is another one. */
export interface SumName {
  readonly term: number;
  readonly base: Uint8Array;
  readonly attempt: number;
}

/** Hands in a step, and brings what the next one needs; undefined when the sum goes on without this member. */
export type Exchange = (step: SumStep, parts: readonly SumPart[]) => Promise<readonly SumPart[] | undefined>;

/** A round whose updates were unmasked once, and whose result never came. */
export const brokenSum = (): PeerAiError<NnErrorCode> =>
  new PeerAiError<NnErrorCode>(
    'TOO_FEW_UPDATES',
    'The sum of this round broke after updates were unmasked. An update is unmasked once, so the round cannot be summed again.',
  );

/**
 * A member's side of one masked sum. Once it has given out its shares it takes part in no other sum from the same state: two sums that differ by one
 * member would show that one's update.
 *
 * @param input - the update on the common scale. Resolves with the bytes of the masked input; undefined when the sum went on without this member.
 * Throws TOO_FEW_UPDATES (`brokenSum`), what the steps of `SumMember` throw, and what `commit` and the exchange throw.
 */
export async function takeSum(
  deps: RunDeps,
  { run, held, noteUnmasked, commit }: Pick<Participant, 'run' | 'held' | 'noteUnmasked' | 'commit'>,
  name: SumName,
  input: Uint32Array,
  exchange: Exchange,
): Promise<number | undefined> {
  const { crypto, identity, blobs } = deps;
  const base = toHex(name.base);
  const { round } = held.state;
  if (held.unmasked.has(base)) throw brokenSum();
  const own = (body: Uint8Array): readonly SumPart[] => [{ peer: identity.peer, body }];
  const member = createSumMember({ crypto, random: randomOf(deps), identity }, sumTermsOf(crypto, run, name));
  const keys = await exchange('keys', own(member.advertise()));
  if (keys === undefined) return undefined;
  const sealed = await member.share(keys.map(({ body }) => body));
  const shares = await exchange(
    'shares',
    Array.from(sealed, ([peer, body]) => ({ peer, body })),
  );
  if (shares === undefined) return undefined;
  const masked = encodeWords(member.mask(input, new Map(shares.map(({ peer, body }) => [peer as PeerId, body]))));
  const update = blobs.put(masked);
  const receipt = { run: run.hash, term: name.term, round, base: name.base, update, updateBytes: masked.length };
  const signed = signReceipt(identity, { ...receipt, loss: Number.NaN });
  let included: readonly SumPart[] | undefined;
  try {
    await commit?.(signed);
    included = await exchange('masked', own(signed));
  } finally {
    blobs.delete(update);
  }
  if (included === undefined) return undefined;
  const signatures = await exchange('confirm', own(member.confirm(included.map(({ peer }) => peer as PeerId))));
  if (signatures === undefined) return undefined;
  const unmasking = member.unmask(signatures.map(({ body }) => body));
  // Noted before it leaves: another try of this round may have begun meanwhile.
  if (held.unmasked.has(base)) throw brokenSum();
  held.unmasked.add(base);
  await noteUnmasked?.(base);
  await exchange('unmask', own(unmasking));
  return masked.length;
}

/** The exchange with a coordinator elsewhere. Throws what `callMethod` throws. */
export function exchangeWith(
  deps: RunDeps,
  run: Uint8Array,
  leader: PeerId,
  name: SumName,
  signal: AbortSignal,
): Exchange {
  return async (step, parts) => {
    for (;;) {
      const answer = await callMethod(deps, leader, sumMethod, { run, ...name, step, parts }, { signal });
      if (answer.is === 'late') return undefined;
      if (answer.is === 'closed') return answer.parts;
    }
  };
}
