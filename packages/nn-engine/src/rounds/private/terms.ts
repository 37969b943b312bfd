import { type CryptoProvider, PeerAiError, type PeerId, toHex, utf8, wire } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { SumTerms } from '../../privacy/masked-sum/index.ts';
import { checkTerms } from '../../privacy/masked-sum/terms.ts';
import type { RunSpec } from '../run-spec.ts';

/** What makes a run private. */
export interface PrivateTerms {
  /** Who is invited, fixed for the whole run: 3 to `privateMembersMax` peers. Nobody else may watch it. */
  readonly members: readonly PeerId[];
  /** Largest magnitude of an element of an update, the common fixed-point scale; more is cut to it. */
  readonly elementMax: number;
}

export const privateForm = wire.message({
  members: wire.repeated(wire.string(1), limits.privateMembersMax),
  elementMax: wire.double(2),
});

/**
 * Robust rules and masked sums exclude each other: a sum whose addends nobody sees cannot leave one out.
 *
 * Throws INVALID_OPTION for a private run with a robust rule, liars or packed bits, an open one with a masked sum, and for members or a threshold that
 * a masked sum cannot have; LIMIT_REACHED.
 */
export function checkPrivate(crypto: CryptoProvider, spec: RunSpec): void {
  const { private: terms, rule, liars, bits, size } = spec;
  if (terms === undefined) {
    if (rule === 'masked-sum') throw invalid('An open run has a robust rule: masked sums are for private ones.');
    if (![1, 4, 8].includes(bits)) throw invalid(`An open run cannot have bits ${bits}.`);
    return;
  }
  if (rule !== 'masked-sum' || liars !== 0)
    throw invalid('A private run has the rule masked-sum and no liars: nobody can look for outliers in it.');
  if (bits !== 32) throw invalid('A private run has 32 bits an element: masked words are not packed.');
  if (!(terms.elementMax > 0 && Number.isFinite(terms.elementMax)))
    throw invalid(`A private run cannot have elementMax ${terms.elementMax}.`);
  if (terms.members.length > limits.privateMembersMax || size > limits.privateElementsMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', 'The private run is larger than this version trains.', {
      privateMembersMax: limits.privateMembersMax,
      privateElementsMax: limits.privateElementsMax,
    });
  checkTerms(crypto, sumTerms(spec, terms, utf8('any name, long enough')));
}

/** The sum of one try: its name is new each time, so that nothing signed for another one fits. */
export function sumTermsOf(
  crypto: CryptoProvider,
  spec: RunSpec & { readonly hash: Uint8Array },
  { term, base, attempt }: { readonly term: number; readonly base: Uint8Array; readonly attempt: number },
): SumTerms {
  if (spec.private === undefined) throw invalid('An open run has no masked sums.');
  const name = utf8(`peerai/train/sum/1 ${toHex(spec.hash)} ${toHex(base)} ${term} ${attempt}`);
  return sumTerms(spec, spec.private, crypto.sha256(name));
}

/** Elements that every update has besides the weights: the loss, and whether it was told. */
export const extraElements = 2;

function sumTerms({ size, membersMin }: RunSpec, { members }: PrivateTerms, run: Uint8Array): SumTerms {
  return { run, members, threshold: membersMin, size: size + extraElements };
}

function invalid(text: string): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_OPTION', text);
}
