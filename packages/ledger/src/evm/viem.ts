import { PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

export type Viem = typeof import('viem') & Pick<typeof import('viem/accounts'), 'privateKeyToAccount'>;

/** The optional library that speaks with the chain, loaded when a chain is first used. Throws SETTLEMENT_FAILED where it is not installed. */
export async function loadViem(load: () => Promise<Viem> = importViem): Promise<Viem> {
  try {
    return await load();
  } catch (cause) {
    const message = 'settling on a chain needs the package viem: npm install viem@2.56.9 beside the agent';
    throw new PeerAiError<LedgerErrorCode>('SETTLEMENT_FAILED', message, { package: 'viem' }, { cause });
  }
}

async function importViem(): Promise<Viem> {
  const [viem, { privateKeyToAccount }] = await Promise.all([import('viem'), import('viem/accounts')]);
  return { ...viem, privateKeyToAccount };
}
