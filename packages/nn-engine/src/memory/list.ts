import { PeerAiError } from '@peerai/core-protocol';

import type { CapsuleCard, CapsuleFacts } from './capsule.ts';
import { byNewest, cardOf, type Holdings } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';
import { askedTags, passes, type SearchFilter } from './search.ts';

export interface ListQuestion extends SearchFilter {
  /** Cards of one page; 50 unless said. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}
export interface ListPage {
  /** Newest first. */
  readonly capsules: readonly CapsuleCard[];
  /** Where the next page begins; absent on the last. It stays good when capsules come and go. */
  readonly next?: string;
}

/** Throws INVALID_FORMAT for an `after` that is none, LIMIT_EXCEEDED. */
export function listPage(holdings: Holdings, question: ListQuestion): ListPage {
  const { limit = 50, after } = question;
  checkLimit(limit, limits.listCapsulesMax);
  const start = after === undefined ? undefined : place(after);
  const filter = { ...question, tags: askedTags(question.tags), ranking: 'relevance', limit, nowMs: 0 } as const;
  const capsules: CapsuleCard[] = [];
  for (const held of holdings.ordered()) {
    if (start !== undefined && byNewest(held.facts, start) <= 0) continue;
    if (!passes(held.facts, filter)) continue;
    const last = capsules.at(-1);
    if (capsules.length === limit && last !== undefined) return { capsules, next: `${last.createdMs}.${last.id}` };
    capsules.push(cardOf(held));
  }
  return { capsules };
}

/** Throws LIMIT_EXCEEDED for more than `max`, none, or part of one. */
export function checkLimit(limit: number, max: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return;
  throw new PeerAiError('LIMIT_EXCEEDED', `a limit of ${limit}; 1 to ${max}`, { max });
}

function place(after: string): Pick<CapsuleFacts, 'createdMs' | 'id'> {
  const [, createdMs, id] = /^(\d{1,16})\.([0-9a-f]{64})$/.exec(after) ?? [];
  if (createdMs === undefined || id === undefined) throw new PeerAiError('INVALID_FORMAT', 'not the end of a page');
  return { createdMs: Number(createdMs), id };
}
