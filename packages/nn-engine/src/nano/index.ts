/**
 * The embedded guide alone, without what trains it.
 *
 * @packageDocumentation
 */
export { createNano, type NanoDeps } from './nano.ts';

/** ONNX names of the operators that its decoder computes, sorted: read from the decoder's graph. */
export async function nanoOperators(): Promise<readonly string[]> {
  // What builds graphs is not needed to answer.
  const { decodeOperators } = await import('../models/decode-operators.ts');
  return decodeOperators();
}
