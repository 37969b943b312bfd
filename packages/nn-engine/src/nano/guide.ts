import type { Clock, LanguageModel } from '@peerai/core-protocol';

import { createListener } from './listener.ts';
import { type NanoModelFile, weightSource } from './model-file.ts';
import { nanoFrom } from './nano.ts';
import type { Decoder } from './plain.ts';
import { nanoLayout } from './sizes.ts';
import { createTokenizer } from './tokenizer.ts';

/** The guide with a decoder of the caller's: its listener works here, and what it recites is computed there. */
export function guideOver(
  { weights, ...file }: NanoModelFile,
  open: (signal: AbortSignal) => Promise<Decoder>,
  clock: Clock,
): Pick<LanguageModel, 'generate'> {
  const [tokenizer, listen] = [
    createTokenizer(file.vocabulary),
    createListener(file.sizes, weightSource(nanoLayout(file.sizes), weights)),
  ];
  return {
    async *generate(prompt, sampling, signal) {
      const decoder = await open(signal);
      yield* nanoFrom(async () => ({ file, tokenizer, listen, decoder }), clock).generate(prompt, sampling, signal);
    },
  };
}
