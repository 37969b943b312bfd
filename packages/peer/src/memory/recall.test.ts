import { type PeerId, utf8 } from '@peerai/core-protocol';
import type { Memory, SearchHit } from '@peerai/nn-engine/memory';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { live } from '../testing/steps.ts';
import { recall } from './recall.ts';

const author = 'a' as PeerId;
const names = { self: author, isOwn: () => true, nameOf: () => 'a' };
/** A memory that finds one text, this near to whatever is asked. */
const memoryWith = (cosine: number): Memory => {
  const capsule = { id: 'c', author, tags: [], relations: [] };
  const hit = { capsule, relevance: 1, cosine, kind: 'semantic' } as unknown as SearchHit;
  return {
    search: async () => ({ hits: [hit] }),
    get: async () => ({ mediaType: 'text/plain', data: utf8('the roof leaks') }),
  } as unknown as Memory;
};
const noted = async (cosine: number) => {
  const question = { text: 'roof', limit: 4, tags: [], audience: 'self' } as const;
  return (await recall(memoryWith(cosine), names, question as never, live())).map(({ text }) => text);
};

test('what has a cosine of `recallCosineMin` with the question is a note, and what has less is none', async () => {
  expect(await noted(limits.recallCosineMin)).toEqual(['the roof leaks']);
  expect(await noted(limits.recallCosineMin - Number.EPSILON)).toEqual([]);
});
