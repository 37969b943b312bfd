import { type CryptoProvider, PeerAiError, type PeerId, utf8, wire } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { RobustRule } from './aggregate.ts';
import type { DeltaBits } from './delta.ts';
import type { OuterStep } from './outer.ts';
import { checkPrivate, privateForm, type PrivateTerms } from './private/terms.ts';

/**
 * What everybody who takes part agrees on. Its hash names the run: other terms are another run.
 *
 * A run is open or private, never both. Open: the coordinator sees each update, and a robust rule stands the declared liars. Private: `private` is
 * there, the rule is `masked-sum`, and the coordinator sees the sum of all updates and nothing less; so no update can be looked at, and one member
 * can spoil the sum.
 */
export interface RunSpec {
  readonly name: string;
  /** SHA-256 of what is trained and how, as the members understand it: graph, data recipe, step size. */
  readonly task: Uint8Array;
  /** Elements of the flat weights. */
  readonly size: number;
  readonly rounds: number;
  /** Steps each member makes between two rounds. */
  readonly localSteps: number;
  /** Bits of one element of an update; of a private run 32. 1: sparse, the signs of its largest elements alone (`sparse.ts`). */
  readonly bits: DeltaBits | 32 | 1;
  readonly rule: RobustRule['rule'] | 'masked-sum';
  /** How many of the updates may lie; of a private run 0. */
  readonly liars: number;
  readonly outer: OuterStep;
  /** A round does not close with fewer updates. In a private run more than two thirds of those invited (`thresholdOf` of `/privacy`). */
  readonly membersMin: number;
  /** After this a round closes without those who are slow, milliseconds. */
  readonly roundMs: number;
  /**
   * Of an open run: each member commits to its update before any is opened, so that nobody, the coordinator included, copies another's or chooses its own once it
   * saw them. Costs a question more a round. Absent where it is not so.
   */
  readonly sealed?: true | undefined;
  /** What makes a run private; absent in an open one. */
  readonly private?: PrivateTerms | undefined;
}

export interface Run extends RunSpec {
  /** SHA-256 of the terms. */
  readonly hash: Uint8Array;
}

const rules = ['trimmed-mean', 'multi-krum', 'masked-sum'] as const;
const form = wire.message({
  name: wire.string(1),
  task: wire.bytes(2),
  size: wire.uint32(3),
  rounds: wire.uint32(4),
  localSteps: wire.uint32(5),
  bits: wire.uint32(6),
  learningRate: wire.double(7),
  momentum: wire.double(8),
  membersMin: wire.uint32(9),
  roundMs: wire.uint32(10),
  rule: wire.oneOf(11, rules),
  liars: wire.uint32(12),
  private: wire.optional(wire.nested(13, privateForm)),
  sealed: wire.optional(wire.bool(14)),
});

/** Throws INVALID_OPTION, naming the term; LIMIT_REACHED. */
export function checkRun(crypto: CryptoProvider, spec: RunSpec): Run {
  const { size, rounds, localSteps, membersMin, roundMs, liars } = spec;
  for (const [term, value, least] of [
    ['size', size, 1],
    ['rounds', rounds, 1],
    ['localSteps', localSteps, 1],
    ['membersMin', membersMin, 1],
    ['roundMs', roundMs, 1],
    ['liars', liars, 0],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least || value > 0xffff_ffff) throw invalid(term, value);
  if (spec.task.length !== 32) throw invalid('task', `${spec.task.length} bytes`);
  if (spec.name.length > 100) throw invalid('name', `${spec.name.length} letters`);
  checkPrivate(crypto, spec);
  // What only one member sends looks like a lie at each place: trimming would cut off all of it.
  if (spec.bits === 1 && spec.rule === 'trimmed-mean' && liars > 0)
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      'A sparse run with liars needs the rule multi-krum: members send different places, and a trimmed mean would drop them all.',
      { term: 'rule', value: spec.rule, liars },
    );
  if (spec.sealed === true && spec.private !== undefined) throw invalid('sealed', 'where updates are masked');
  const { learningRate, momentum } = spec.outer;
  if (!(learningRate > 0 && learningRate <= 10)) throw invalid('learningRate', learningRate);
  if (!(momentum >= 0 && momentum < 1)) throw invalid('momentum', momentum);
  if (size > limits.deltaElementsMax || membersMin > limits.roundUpdatesMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', 'The run is larger than this version trains.', {
      deltaElementsMax: limits.deltaElementsMax,
      roundUpdatesMax: limits.roundUpdatesMax,
    });
  return { ...spec, hash: crypto.sha256(utf8('peerai/train/1 run'), encodeRun(spec)) };
}

export function encodeRun({ outer, ...spec }: RunSpec): Uint8Array {
  return form.encode({ ...spec, ...outer, private: spec.private, sealed: spec.sealed });
}

/** Throws INVALID_FORMAT, INVALID_OPTION, LIMIT_REACHED. */
export function decodeRun(crypto: CryptoProvider, bytes: Uint8Array): Run {
  const { learningRate, momentum, bits, private: terms, sealed, ...spec } = form.decode(bytes);
  const whole = {
    ...spec,
    sealed: sealed === true ? sealed : undefined,
    bits: bits as RunSpec['bits'],
    outer: { learningRate, momentum },
  };
  if (terms === undefined) return checkRun(crypto, whole);
  return checkRun(crypto, { ...whole, private: { ...terms, members: terms.members as readonly PeerId[] } });
}

/** Updates that the rule needs to stand the declared liars. */
export const updatesNeeded = ({ rule, liars, membersMin }: RunSpec): number =>
  Math.max(membersMin, 2 * liars + (rule === 'multi-krum' ? 3 : 1));

/** The rule of an open run. Throws INVALID_OPTION for a private one: what is masked cannot be compared. */
export function robustRule({ rule, liars }: RunSpec): RobustRule {
  if (rule === 'masked-sum') throw invalid('rule', 'masked-sum where updates are compared');
  return { rule, liars };
}

function invalid(term: string, value: unknown): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_OPTION', `A run cannot have ${term} ${String(value)}.`, { term, value });
}
