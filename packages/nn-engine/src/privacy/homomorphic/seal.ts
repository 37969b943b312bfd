import { PeerAiError } from '@peerai/core-protocol';
import type { MainModule, SEALContext, VectorModulus } from 'node-seal';

import type { NnErrorCode } from '../../errors.ts';
import { type Layout, layoutOf } from './wire.ts';

/**
 * Ring degree, and so many numbers in one ciphertext. SEAL's own moduli for it (36 + 36 + 37 bits, the last for keys only) give 128 bits of security
 * after the HomomorphicEncryption.org standard; the library refuses others.
 */
export const degree = 4_096;
/** Bits of the plain modulus, a prime just below 2^33: all sums that fit into 32 bits, sign included, are below half of it. */
const plainBits = 33;

export interface Seal {
  readonly library: MainModule;
  readonly context: SEALContext;
  readonly ciphertext: Layout;
  readonly publicKey: Layout;
}

/** Throws ENGINE_MISSING when the optional package is not installed. */
export async function loadSeal(): Promise<Seal> {
  const { default: initialize } = await import('node-seal').catch((cause: unknown) => {
    throw new PeerAiError<NnErrorCode>(
      'ENGINE_MISSING',
      'Homomorphic sums need the package node-seal, which is not installed.',
      { package: 'node-seal' },
      { cause },
    );
  });
  const library = await initialize();
  const security = library.SecLevelType.tc128;
  const moduli = library.CoeffModulus.BFVDefault(degree, security);
  const parameters = new library.EncryptionParameters(library.SchemeType.bfv);
  parameters.setPolyModulusDegree(degree);
  parameters.setCoeffModulus(moduli);
  parameters.setPlainModulus(library.PlainModulus.Batching(degree, plainBits));
  const context = new library.SEALContext(parameters, true, security);
  const all = numbersOf(moduli);
  return { library, context, ...layouts(library, context, all) };
}

function numbersOf(moduli: VectorModulus): readonly number[] {
  return Array.from({ length: moduli.size() }, (_, index) => Number(moduli.get(index)?.value() ?? 0n));
}

function layouts(
  library: MainModule,
  context: SEALContext,
  moduli: readonly number[],
): Pick<Seal, 'ciphertext' | 'publicKey'> {
  const none = library.ComprModeType.none;
  const generator = new library.KeyGenerator(context);
  const key = generator.createPublicKey();
  const encryptor = new library.Encryptor(context, key);
  const zero = new library.Ciphertext();
  encryptor.encryptZero(zero);
  const data = moduli.slice(0, -1);
  const found = {
    ciphertext: layoutOf(zero.saveToArray(none) as Uint8Array, [...data, ...data], degree),
    publicKey: layoutOf(key.saveToArray(none) as Uint8Array, [...moduli, ...moduli], degree),
  };
  for (const handle of [zero, encryptor, key, generator]) handle.delete();
  return found;
}
