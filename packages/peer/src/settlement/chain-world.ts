/** A chain where leases can be settled: what the host brings, since it needs a library and a key file. */
export interface ChainWorld {
  /** Loaded when something of it is first needed. */
  readonly load: () => Promise<typeof import('@peerai/ledger/evm')>;
  /** 32 secret bytes of the key that pays and is paid there, made when they are first asked for. Throws KEY_FILE_OPEN, KEY_FILE_BROKEN, KEY_PASSPHRASE_*. */
  readonly secret: () => Promise<Uint8Array>;
  /** A node's JSON-RPC. */
  readonly rpcUrl: string;
  /** The node must be of this chain. */
  readonly chainId: number;
  /** The escrow contract, `0x` and 40 hex digits; without it there is none yet. */
  readonly contract?: string;
  readonly weiPerMicro: bigint;
  /** Blocks that something stands in before it counts here; 1 unless said. */
  readonly confirmations?: number;
  /** False: new leases are settled in the books of both; what is on the chain is still seen through. */
  readonly settles: boolean;
  /** Between two looks for a transaction, milliseconds; the library's own unless said. */
  readonly pollingMs?: number;
}
