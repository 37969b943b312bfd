/** Q8_0 of ggml (ggml-common.h, block_q8_0): 32 weights share a scale in half precision, each is that times an integer from −127 to 127. */
export const q8BlockWeights = 32;
export const q8BlockBytes = 34;
const largest = 127;

/**
 * Rows of a length that 32 divides, as blocks: scale = largest magnitude / 127, integer = round(weight / scale). Undefined where a row ends inside a
 * block, or a scale is beyond half precision: such a tensor stays float32.
 */
export function q8Blocks(weights: Float32Array, rowWeights: number): Uint8Array | undefined {
  if (rowWeights % q8BlockWeights !== 0) return undefined;
  const blocks = weights.length / q8BlockWeights;
  const bytes = new Uint8Array(blocks * q8BlockBytes);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < blocks; block += 1) {
    const from = block * q8BlockWeights;
    let most = 0;
    for (let index = from; index < from + q8BlockWeights; index += 1)
      most = Math.max(most, Math.abs(weights[index] ?? 0));
    const scale = Math.fround(most / largest);
    if (!(scale <= 65_504)) return undefined;
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setUint16(block * q8BlockBytes, halfBits(scale), true);
    for (let index = 0; index < q8BlockWeights; index += 1) {
      const times = Math.fround((weights[from + index] ?? 0) * inverse);
      // C's roundf: halves away from zero.
      const rounded = Math.sign(times) * Math.floor(Math.abs(times) + 0.5);
      view.setInt8(block * q8BlockBytes + 2 + index, Math.min(largest, Math.max(-largest, rounded)));
    }
  }
  return bytes;
}

/** IEEE 754 binary16 of a number from 0 to 65,504, to the nearest, halves to even. */
export function halfBits(value: number): number {
  if (value < 2 ** -14) return roundEven(value * 2 ** 24);
  const exponent = Math.min(15, Math.floor(Math.log2(value)));
  const shift = value < 2 ** exponent ? exponent - 1 : exponent;
  // What rounds up to the next power of two carries into the exponent by itself.
  return ((shift + 15) << 10) + roundEven((value / 2 ** shift - 1) * 1_024);
}

function roundEven(value: number): number {
  const [below, over] = [Math.floor(value), value - Math.floor(value)];
  return over > 0.5 || (over === 0.5 && below % 2 === 1) ? below + 1 : below;
}
