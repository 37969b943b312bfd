import { concatBytes, equalBytes, PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';

/** What begins every message: version, kind, count of addends, elements, and the first 8 bytes of SHA-256 of the public key. */
export interface Header {
  readonly kind: 'key' | 'addend' | 'total';
  /** Addends in it: 0 of a key, 1 of an addend. */
  readonly count: number;
  /** Numbers in it; 0 of a key. */
  readonly size: number;
  readonly keyId: Uint8Array;
}

const version = 1;
const kinds = ['key', 'addend', 'total'] as const;
export const headerBytes = 16;
/** Bytes of one coefficient on the wire: the moduli have 36 and 37 bits. */
const coefficientBytes = 5;
/** Bytes of one coefficient in SEAL's own form, a little-endian 64-bit word. */
const wordBytes = 8;

export function encode(header: Header, ...bodies: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(headerBytes);
  const view = new DataView(head.buffer);
  view.setUint8(0, version);
  view.setUint8(1, kinds.indexOf(header.kind));
  view.setUint16(2, header.count);
  view.setUint32(4, header.size);
  head.set(header.keyId, 8);
  return concatBytes(head, ...bodies);
}

/** Throws INVALID_VERSION, INVALID_FORMAT for another kind, and for bytes too short. */
export function readHeader(bytes: Uint8Array, kind: Header['kind']): Header {
  if (bytes.length < headerBytes) throw invalid('A message of a homomorphic sum begins with 16 bytes.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  if (view.getUint8(0) !== version)
    throw new PeerAiError('INVALID_VERSION', 'This is no homomorphic sum of version 1.', { version: view.getUint8(0) });
  if (kinds[view.getUint8(1)] !== kind) throw invalid(`This is no ${kind} of a homomorphic sum.`);
  return { kind, count: view.getUint16(2), size: view.getUint32(4), keyId: bytes.slice(8, headerBytes) };
}

/** Throws INVALID_FORMAT for a message of another key. */
export function expectKey(header: Header, keyId: Uint8Array): void {
  if (!equalBytes(header.keyId, keyId)) throw invalid('The numbers are encrypted to another key.');
}

/**
 * How one kind of SEAL object lies in bytes: what comes before its coefficients never differs (it names the parameters, sizes and that nothing
 * is compressed), so it stays at home, and no byte of a stranger's decides how much SEAL reads or reserves.
 */
export interface Layout {
  readonly prefix: Uint8Array;
  /** The modulus of each run of `degree` coefficients, in order. */
  readonly moduli: readonly number[];
  readonly degree: number;
}

/** @param sample - any object of this kind as SEAL saves it uncompressed. */
export function layoutOf(sample: Uint8Array, moduli: readonly number[], degree: number): Layout {
  return { prefix: sample.slice(0, sample.length - moduli.length * degree * wordBytes), moduli, degree };
}

export const packedBytes = ({ moduli, degree }: Layout): number => moduli.length * degree * coefficientBytes;

/** SEAL's bytes → five bytes a coefficient. */
export function pack({ prefix, moduli, degree }: Layout, saved: Uint8Array): Uint8Array {
  const packed = new Uint8Array(moduli.length * degree * coefficientBytes);
  let place = 0;
  for (let from = prefix.length; from < saved.length; from += wordBytes, place += coefficientBytes)
    for (let byte = 0; byte < coefficientBytes; byte += 1) packed[place + byte] = saved[from + byte] ?? 0;
  return packed;
}

/** The way back. Throws INVALID_FORMAT for another length, and for a coefficient that is not below its modulus. */
export function unpack(layout: Layout, packed: Uint8Array): Uint8Array {
  const { prefix, moduli, degree } = layout;
  if (packed.length !== packedBytes(layout)) throw invalid('The numbers have another length than the parameters ask.');
  const saved = new Uint8Array(prefix.length + moduli.length * degree * wordBytes);
  saved.set(prefix);
  let [from, to] = [0, prefix.length];
  for (const modulus of moduli)
    for (let index = 0; index < degree; index += 1, from += coefficientBytes, to += wordBytes) {
      let value = 0;
      for (let byte = coefficientBytes - 1; byte >= 0; byte -= 1) {
        const one = packed[from + byte] ?? 0;
        value = value * 256 + one;
        saved[to + byte] = one;
      }
      if (value >= modulus) throw invalid('A coefficient is not below its modulus.');
    }
  return saved;
}

const invalid = (text: string): PeerAiError => new PeerAiError<NnErrorCode>('INVALID_FORMAT', text);
