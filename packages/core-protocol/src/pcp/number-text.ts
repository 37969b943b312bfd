import { PeerAiError } from '../errors.ts';

/**
 * A number so that Python reads it and writes the same text again: whole numbers as digits, others as `repr` does, with an exponent of
 * two digits or more below 1e-4. Throws INVALID_FORMAT for what JSON or a double does not hold: NaN, infinities, -0, integers above 2^53 − 1.
 */
export function numberText(value: number): string {
  if (!Number.isFinite(value) || Object.is(value, -0) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new PeerAiError('INVALID_FORMAT', 'a number that does not survive JSON');
  }
  if (Number.isInteger(value) || Math.abs(value) >= 1e-4) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e-');
  return `${digits}e-${exponent.padStart(2, '0')}`;
}
