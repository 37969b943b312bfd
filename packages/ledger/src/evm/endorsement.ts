import { fromHex, PeerAiError, toHex, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { evmLimits } from './limits.ts';
import type { EvmAddress } from './settlement-key.ts';
import type { Viem } from './viem.ts';

/** Bytes as `0x` and hex digits. */
export type Hex = `0x${string}`;
/** Which contract on which chain: a signature counts there only. */
export interface EscrowPlace {
  readonly chainId: number;
  readonly contract: EvmAddress;
}
/** The consumer's word, for the contract: so much of an escrow is the provider's by now. */
export interface Endorsement extends EscrowPlace {
  /** The escrow's place in the contract, 32 bytes. */
  readonly escrow: Hex;
  /** Wei of the whole lease so far. */
  readonly amount: bigint;
  /** SHA-256 of the receipt that both peers signed, 32 bytes. */
  readonly work: Hex;
  /** EIP-712, 65 bytes: r, s, v. */
  readonly signature: Hex;
}

const codec = wire.message({
  version: wire.uint32(1),
  chainId: wire.uint53(2),
  contract: wire.bytes(3),
  escrow: wire.bytes(4),
  /** Big-endian, 16 bytes. */
  amount: wire.bytes(5),
  work: wire.bytes(6),
  signature: wire.bytes(7),
});
const sizes = { contract: 20, escrow: 32, amount: 16, work: 32, signature: 65 } as const;

/** https://eips.ethereum.org/EIPS/eip-712; the contract's `receiptHash` makes the same hash. */
export const receiptTypes = {
  Receipt: [
    { name: 'escrow', type: 'bytes32' },
    { name: 'amount', type: 'uint128' },
    { name: 'work', type: 'bytes32' },
  ],
} as const;

export const receiptData = ({ chainId, contract, escrow, amount, work }: Omit<Endorsement, 'signature'>) => ({
  domain: { name: 'PeerAI lease escrow', version: '1', chainId, verifyingContract: contract },
  types: receiptTypes,
  primaryType: 'Receipt' as const,
  message: { escrow, amount, work },
});

/** Who signed it. Throws INVALID_SIGNATURE for bytes that are no signature at all. */
export async function endorserOf(
  viem: Pick<Viem, 'recoverTypedDataAddress'>,
  { signature, ...said }: Endorsement,
): Promise<EvmAddress> {
  try {
    const address = await viem.recoverTypedDataAddress({ ...receiptData(said), signature });
    return address.toLowerCase() as EvmAddress;
  } catch (cause) {
    throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'this endorsement is not signed', {}, { cause });
  }
}

/** As it travels between peers. */
export function encodeEndorsement(endorsement: Endorsement): Uint8Array {
  return codec.encode({
    version: 1,
    chainId: endorsement.chainId,
    contract: bytesOf(endorsement.contract),
    escrow: bytesOf(endorsement.escrow),
    amount: fromHex(endorsement.amount.toString(16).padStart(2 * sizes.amount, '0')),
    work: bytesOf(endorsement.work),
    signature: bytesOf(endorsement.signature),
  });
}

/** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function decodeEndorsement(bytes: Uint8Array): Endorsement {
  if (bytes.length > evmLimits.endorsementBytesMax) {
    const message = `an endorsement has at most ${evmLimits.endorsementBytesMax} bytes`;
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', message);
  }
  const { version, chainId, ...fields } = codec.decode(bytes);
  if (version !== 1)
    throw new PeerAiError<LedgerErrorCode>('INVALID_VERSION', `endorsement version ${version}; this program reads 1`);
  for (const name of ['contract', 'escrow', 'amount', 'work', 'signature'] as const) {
    if (fields[name].length === sizes[name]) continue;
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', `the ${name} of an endorsement has ${sizes[name]} bytes`);
  }
  return {
    chainId,
    contract: hexOf(fields.contract),
    escrow: hexOf(fields.escrow),
    amount: BigInt(hexOf(fields.amount)),
    work: hexOf(fields.work),
    signature: hexOf(fields.signature),
  };
}

export const hexOf = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`;
export const bytesOf = (hex: Hex): Uint8Array => fromHex(hex.slice(2));
