import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { loopKernel } from '../nano/kernel.ts';
import { weightSource } from '../nano/model-file.ts';
import { createPlainDecoder, type Decoder, kernelFloats } from '../nano/plain.ts';
import { wasmKernel } from '../nano/wasm-kernel.ts';
import { checkLength } from '../train/layout.ts';

/** The fast kernel takes rows of a multiple of 16. */
const laneFloats = 16;

/** Any language model of ours, one token after the other with a cache, without a native package. Throws SHAPE_MISMATCH. */
export async function plainDecoder(sizes: LanguageModelSizes, weights: Float32Array): Promise<Decoder> {
  const layout = languageModelLayout(sizes);
  checkLength({ layout, weights });
  const fits = sizes.width % laneFloats === 0 && sizes.hidden % laneFloats === 0;
  const kernel = (fits ? await wasmKernel(kernelFloats(sizes)) : undefined) ?? loopKernel();
  return createPlainDecoder(sizes, weightSource(layout, weights), kernel);
}
