import { readFile } from 'node:fs/promises';

import type { LanguageModel } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { testClock } from '../../test/toy.ts';
import { limits } from '../limits.ts';
import { nanoFileUrl, readNanoFile } from '../node/nano-file.ts';
import { corpus } from './corpus/index.ts';
import { evaluateNano } from './evaluate.ts';
import { decodeModelFile } from './model-file.ts';
import { createNano } from './nano.ts';
import { nanoSizes } from './sizes.ts';
import { corpusHashOf } from './training/training.ts';

const { signal } = new AbortController();
const file = await readFile(nanoFileUrl);
const nano: LanguageModel = createNano({ file: readNanoFile, clock: testClock });

interface Card {
  readonly fileBytes: number;
  readonly measured: Readonly<Record<'known' | 'typos' | 'unrelatedRefused', { readonly percent: number }>> & {
    readonly float32: { readonly known: { readonly percent: number } };
  };
}

async function readCard(): Promise<Card> {
  return JSON.parse(await readFile(new URL('./nano-card.json', nanoFileUrl), 'utf8')) as Card;
}

describe('the shipped nano model', () => {
  it('fits its limit and has the sizes this package trains', () => {
    expect(file.length).toBeLessThanOrEqual(limits.nanoFileBytesMax);
    expect(decodeModelFile(file).sizes).toEqual(nanoSizes);
  });

  it('was trained on the corpus that is here: after a change `pnpm nano:train` is due', () => {
    expect(decodeModelFile(file).corpusHash).toBe(corpusHashOf(corpus));
  });

  it('meets its goals: 93 % of known phrasings, 90 % with typos, 85 % of unrelated questions refused', async () => {
    const { measured } = await readCard();
    expect(measured.known.percent).toBeGreaterThanOrEqual(93);
    expect(measured.typos.percent).toBeGreaterThanOrEqual(90);
    expect(measured.unrelatedRefused.percent).toBeGreaterThanOrEqual(85);
  });

  it('does what its card says, on other questions and a smaller sample (six points of tolerance)', async () => {
    const { measured, fileBytes } = await readCard();
    const { known, typos, unrelated } = await evaluateNano(nano, { seed: 5, corpus, phrasings: 103, othersMax: 40 });
    expect(fileBytes).toBe(file.length);
    expect(known.total).toBeGreaterThan(100);
    expect(known.share * 100).toBeGreaterThan(measured.known.percent - 6);
    expect(typos.share * 100).toBeGreaterThan(measured.typos.percent - 6);
    expect(unrelated.share * 100).toBeGreaterThan(measured.unrelatedRefused.percent - 6);
    expect(measured.float32.known.percent - measured.known.percent).toBeLessThanOrEqual(1);
  }, 60_000);

  it('recites whole answers without a slip', async () => {
    const { question, answer } = corpus.intents.find(({ name }) => name === 'share-link') ?? {
      question: '',
      answer: '',
    };
    let text = '';
    for await (const part of nano.generate(
      { messages: [{ role: 'user', text: question }] },
      { maxTokens: 220 },
      signal,
    )) {
      if (part.type === 'text-delta') text += part.text;
    }
    expect(text).toBe(answer);
  });
});
