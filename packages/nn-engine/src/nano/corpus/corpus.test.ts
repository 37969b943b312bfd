import { describe, expect, it } from 'vitest';
import type { Intent } from '../corpus-types.ts';
import { allExpansions, corpus, countExpansions, normalizePhrase } from './index.ts';

const PATTERNS_MIN = 25;
const INTENTS_MIN = 70;
/** A pattern with more ways than this would drown its neighbours and make this test slow. */
const EXPANSIONS_MAX = 6000;

const { intents, unrelated, refusal, heldOutPatterns } = corpus;

/** Every phrasing of every intent, with the names of the intents that contain it. */
const owners = new Map<string, Set<string>>();
for (const intent of intents) {
  for (const pattern of intent.patterns) {
    for (const phrasing of allExpansions(pattern)) {
      const names = owners.get(phrasing) ?? new Set<string>();
      names.add(intent.name);
      owners.set(phrasing, names);
    }
  }
}

function firstWords(text: string): string {
  return normalizePhrase(text).split(' ').slice(0, 5).join(' ');
}

function duplicates(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

function wordCount(text: string): number {
  return text.split(/\s+/).length;
}

describe('the intents', () => {
  it(`are at least ${INTENTS_MIN}, with distinct names and questions`, () => {
    expect(intents.length).toBeGreaterThanOrEqual(INTENTS_MIN);
    expect(duplicates(intents.map((intent) => intent.name))).toEqual([]);
    expect(duplicates(intents.map((intent) => normalizePhrase(intent.question)))).toEqual([]);
  });

  it(`have at least ${PATTERNS_MIN} distinct patterns each`, () => {
    const short = intents.filter((intent) => new Set(intent.patterns).size < PATTERNS_MIN);
    expect(short.map((intent) => `${intent.name}: ${intent.patterns.length}`)).toEqual([]);
    expect(intents.flatMap((intent) => duplicates(intent.patterns))).toEqual([]);
  });

  it('have patterns that follow the grammar and stay small', () => {
    const large = intents.flatMap((intent) =>
      intent.patterns.filter((pattern) => countExpansions(pattern) > EXPANSIONS_MAX),
    );
    expect(large).toEqual([]);
    const unclean = intents.flatMap((intent) => intent.patterns.filter((pattern) => /[A-Z]|\s\s/.test(pattern)));
    expect(unclean).toEqual([]);
  });

  it('know their own question, so that a click on it is answered', () => {
    const unknown = intents.filter(({ name, question }) => owners.get(normalizePhrase(question))?.has(name) !== true);
    expect(unknown.map((intent) => intent.question)).toEqual([]);
  });

  it('never share a phrasing', () => {
    const shared = [...owners].filter(([, names]) => names.size > 1);
    expect(shared.map(([phrasing, names]) => `${phrasing}: ${[...names].join(', ')}`)).toEqual([]);
    expect(owners.has('')).toBe(false);
  });
});

describe('the answers', () => {
  it('are distinct, also in their first five words, which the confidence gate looks at', () => {
    const answers = [...intents.map((intent) => intent.answer), refusal];
    expect(duplicates(answers)).toEqual([]);
    expect(duplicates(answers.map(firstWords))).toEqual([]);
  });

  it('have 20 to 60 words of plain ASCII, the tick excepted', () => {
    const wrong = intents.filter(({ answer }) => wordCount(answer) < 20 || wordCount(answer) > 60);
    expect(wrong.map((intent) => `${intent.name}: ${wordCount(intent.answer)}`)).toEqual([]);
    // oxlint-disable-next-line no-control-regex
    expect(intents.filter(({ answer }) => !/^[\x20-\x7e✓]+$/.test(answer)).map((intent) => intent.name)).toEqual([]);
  });
});

describe('the unrelated questions', () => {
  const train = unrelated.train.map(normalizePhrase);
  const test = unrelated.test.map(normalizePhrase);

  it('are at least 400 to learn from and 60 others to test with', () => {
    expect(train.length).toBeGreaterThanOrEqual(400);
    expect(test.length).toBeGreaterThanOrEqual(60);
    expect(new Set([...train, ...test]).size).toBe(train.length + test.length);
  });

  it('belong to no intent', () => {
    expect([...train, ...test].filter((question) => owners.has(question))).toEqual([]);
  });

  it('have no near copy of a test question among those to learn from', () => {
    const near = test.filter((question) => train.some((other) => overlap(question, other) >= 0.6));
    expect(near).toEqual([]);
  });
});

describe('the phrasings kept back', () => {
  it('exist for every intent and for nothing else', () => {
    expect(Object.keys(heldOutPatterns).sort()).toEqual(intents.map((intent: Intent) => intent.name).sort());
    const empty = Object.entries(heldOutPatterns).filter(([, patterns]) => patterns.length === 0);
    expect(empty).toEqual([]);
  });

  it('are never learned', () => {
    const leaked = Object.values(heldOutPatterns)
      .flat()
      .flatMap((pattern) => [...allExpansions(pattern)].filter((phrasing) => owners.has(phrasing)));
    expect(leaked).toEqual([]);
  });
});

/** Jaccard similarity of the word sets. */
function overlap(left: string, right: string): number {
  const leftWords = new Set(left.split(' '));
  const rightWords = new Set(right.split(' '));
  const common = [...leftWords].filter((word) => rightWords.has(word)).length;
  return common / (leftWords.size + rightWords.size - common);
}
