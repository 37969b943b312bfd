import { fromHex, toHex } from '../bytes.ts';

/** The y coordinates of the eight points whose order divides 8 (RFC 8032 curve), little-endian, without the sign bit. */
const smallOrderYs = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);
/** p = 2^255 − 19, little-endian. */
const prime = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

/** True for 32 bytes that write their y in the one canonical way and are no point of small order; says nothing about being on the curve. */
export function isPlainEd25519Key(key: Uint8Array): boolean {
  const y = key.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  return isBelow(y, prime) && !smallOrderYs.has(toHex(y));
}

function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 31; index >= 0; index -= 1) {
    const [left, right] = [a[index] ?? 0, b[index] ?? 0];
    if (left !== right) return left < right;
  }
  return false;
}
