import { limits } from '../limits.ts';
import { type Examples, invalid, readExamples, readWide, type Table } from './table.ts';

/** What one image is: square, in grey or in red, green and blue. */
export interface ImageSides {
  readonly side: number;
  readonly channels: 1 | 3;
}

/** A row an image: a column of labels, and one a pixel, as MNIST is often handed on. Throws what `readTable` throws. */
export const readImageTable = (text: string): Table => readWide(text, limits.trainingImageColumnsMax);

/** What images a table of so many columns can hold, one of them the label; undefined where it holds none. */
export function sidesIfAny(columns: number): ImageSides | undefined {
  for (const channels of [1, 3] as const) {
    const side = Math.sqrt((columns - 1) / channels);
    const fits = side >= limits.trainingImageSideMin && side <= limits.trainingImageSideMax;
    if (Number.isInteger(side) && fits) return { side, channels };
  }
  return undefined;
}

/** The same. Throws DATA_INVALID. */
export function sidesOf(columns: number): ImageSides {
  const sides = sidesIfAny(columns);
  if (sides !== undefined) return sides;
  const { trainingImageSideMin: least, trainingImageSideMax: most } = limits;
  throw invalid(
    `${columns - 1} columns beside the label are no square image: a side has ${least} to ${most} pixels, and each pixel 1 column, or 3 in colour`,
  );
}

/** The pixels row after row, 0 to 255, and each image's label. Throws DATA_INVALID with the place. */
export function readImages(
  table: Table,
  sides: ImageSides & { readonly label: string; readonly classes: readonly string[] },
): Examples {
  const features = pixelColumns(table, sides);
  const examples = readExamples(table, { features, label: sides.label, classes: sides.classes });
  checkPixels(examples.features, features);
  return examples;
}

/** The columns of pixels: all but the label's, if there is one. Throws DATA_INVALID for another count of them. */
export function pixelColumns(
  { columns }: Table,
  { label, side, channels }: ImageSides & { readonly label: string },
): readonly string[] {
  const features = columns.filter((name) => name !== label);
  const pixels = channels * side * side;
  if (features.length === pixels) return features;
  throw invalid(
    `there are ${features.length} columns beside "${label}"; images of ${side} × ${side} in ${channels === 1 ? 'grey' : 'colour'} have ${pixels}`,
  );
}

/** Throws DATA_INVALID with the place of the first that is no pixel. */
export function checkPixels(pixels: Float32Array, columns: readonly string[]): void {
  const wrong = pixels.findIndex((value) => value < 0 || value > 255);
  if (wrong < 0) return;
  const [row, column] = [Math.floor(wrong / columns.length) + 1, columns[wrong % columns.length] ?? ''];
  throw invalid(`row ${row}, column "${column}": a pixel is 0 to 255`, { row, column });
}
