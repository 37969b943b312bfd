import type { LanguageModelSizes } from '../models/language-model.ts';
import { lexicalHash } from './embedding.ts';
import type { WeightSource } from './plain.ts';

/** Length of a signature: hashed features this far from zero are learned as fast as tokens are. */
const signatureNorm = 8;

/** The words and letter groups of a question as one vector [features]; what a typo leaves whole still counts. The text must be normalised. */
export function signatureOf(text: string, features: number): Float32Array {
  return lexicalHash(text, features).map((value) => value * signatureNorm);
}

/** Projects signatures into the width of a model; undefined for a model without. */
export function signatureProjector(
  sizes: LanguageModelSizes,
  weights: WeightSource,
): (text: string) => Float32Array | undefined {
  const { features, width } = sizes;
  if (features === undefined) return () => undefined;
  const matrix = weights('signature');
  return (text) => {
    const result = new Float32Array(width);
    signatureOf(text, features).forEach((value, feature) => {
      if (value === 0) return;
      const row = feature * width;
      for (let index = 0; index < width; index += 1) {
        result[index] = (result[index] as number) + value * (matrix[row + index] as number);
      }
    });
    return result;
  };
}
