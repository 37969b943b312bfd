import type { LanguageModel } from '@peerai/core-protocol';
import type { Candidate } from './models.ts';

export function routeTo(candidates: readonly Candidate[]): { readonly model: LanguageModel; readonly first: Candidate } {
  const [first] = candidates;
  if (first === undefined) throw new RangeError('a route needs a candidate');
  return { model: first.model, first };
}
