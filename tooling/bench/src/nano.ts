import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@peerai/core-protocol';
import { createNano } from '@peerai/nn-engine';
import { nanoFileUrl, readNanoFile } from '@peerai/nn-engine/node';
import { systemClock } from '@peerai/platform';

/** The shipped nano model, or nothing where its file is not there. */
export function shippedNano(): LanguageModel | undefined {
  return existsSync(fileURLToPath(nanoFileUrl)) ? createNano({ file: readNanoFile, clock: systemClock }) : undefined;
}

export const nanoMissing =
  'The model file assets/nano.bin is not there: `pnpm nano:train` makes it. Nothing was measured.';
