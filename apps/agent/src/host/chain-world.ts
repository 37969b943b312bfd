import type { ChainWorld } from '@peerai/peer';
import type { Config } from '@peerai/platform';
import type { Home } from './home.ts';

/**
 * The chain that leases are settled on, where one is configured. The key is read, or made, now when leases are to be settled there: a file that does
 * not open is found at the start. Throws KEY_FILE_OPEN, KEY_FILE_BROKEN, KEY_PASSPHRASE_*.
 */
export async function chainWorld({ ledger }: Config, home: Home): Promise<{ readonly chain?: ChainWorld }> {
  const { rpc, chain_id: chainId, contract, wei_per_micro: wei, confirmations, key_file: file } = ledger.evm;
  if (rpc === undefined || chainId === undefined) return {};
  const settles = ledger.settlement === 'evm';
  const secret = (): Promise<Uint8Array> => home.settlementSecret(file);
  if (settles) await secret();
  const chain: ChainWorld = {
    load: () => import('@peerai/ledger/evm'),
    secret,
    rpcUrl: rpc,
    chainId,
    weiPerMicro: BigInt(wei),
    confirmations,
    settles,
    ...(contract === undefined ? {} : { contract }),
  };
  return { chain };
}
