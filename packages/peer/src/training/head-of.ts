import { type PeerId, toHex } from '@peerai/core-protocol';
import { encodeRun } from '@peerai/nn-engine/rounds';
import { neededOf, termsOf } from './plan.ts';
import type { Part } from './runner.ts';
import { stagesTerms } from './stage-terms.ts';

/** A run as it begins here. */
export function headOf(
  { run, planText, by, threads, stages, before }: Omit<Part, 'plan' | 'dataId' | 'privacy'>,
  self: PeerId,
  nowMs: number,
) {
  const fresh = { round: 0, members: [], received: 0, startedMs: nowMs, sent: 0, receivedBytes: 0, hash: '' };
  return {
    ...(before ?? fresh),
    id: toHex(run.hash),
    name: run.name,
    role: by === self ? ('started' as const) : ('joined' as const),
    by,
    state: 'waiting' as const,
    plan: planText,
    termsHex: toHex(encodeRun(run)),
    terms: stages === undefined ? termsOf(run) : stagesTerms(termsOf(run)),
    parameters: run.size,
    needed: neededOf(run),
    threads,
    ...(run.private === undefined ? {} : { invited: run.private.members }),
    ...(stages === undefined ? {} : { stages }),
  };
}
