import { orAborted, PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { escrowAbi } from './abi.ts';
import { deployedCode, deploymentCode } from './bytecode.ts';
import { type Endorsement, type EscrowPlace, type Hex, receiptData } from './endorsement.ts';
import { chainFailure } from './failure.ts';
import { evmLimits, evmTimes } from './limits.ts';
import type { EvmAddress, SettlementKey } from './settlement-key.ts';
import { loadViem, type Viem } from './viem.ts';

export interface ChainOptions {
  /** `http://127.0.0.1:8545`. */
  readonly rpcUrl: string;
  /** Refused when the chain that answers is another one; without it whichever answers. */
  readonly chainId?: number | undefined;
  readonly key: SettlementKey;
  /** In how many blocks, its own and those after it, something stands before it counts; 1 unless said. */
  readonly confirmations?: number;
  readonly pollingMs?: number;
  readonly requestTimeoutMs?: number;
  /** Where viem comes from; for hosts that bring their own. */
  readonly load?: (() => Promise<Viem>) | undefined;
}
export interface ChainEscrow {
  readonly consumer: EvmAddress;
  readonly provider: EvmAddress;
  /** Unix seconds: the last in which a receipt counts. */
  readonly settleUntil: bigint;
  readonly isOpen: boolean;
  /** Wei. */
  readonly deposit: bigint;
  readonly settled: bigint;
}
/** A transaction that is in a block. */
export interface Done {
  readonly transaction: Hex;
  readonly gasUsed: bigint;
}
/**
 * The escrow contract, as this peer's settlement key sees it. Each call that writes is tried on the node, sent, and waited for until it is in a block.
 * All throw ESCROW_STATE with `details.reason` when the contract says no, CREDIT_EXCEEDED when the address has too little,
 * SETTLEMENT_FAILED when the chain does not answer in time, and the signal's reason.
 */
export interface EscrowChain extends EscrowPlace {
  readonly viem: Viem;
  readonly address: EvmAddress;
  escrowOf(consumer: EvmAddress, provider: EvmAddress, lease: Hex): Hex;
  /** @param wei - what the lease may cost at most. */
  open(lease: Hex, provider: EvmAddress, settleUntil: bigint, wei: bigint, signal: AbortSignal): Promise<Done>;
  /** Signs only; nothing is sent. */
  endorse(escrow: Hex, amount: bigint, work: Hex): Promise<Endorsement>;
  /** @param last - by the provider: the rest goes back to the consumer. */
  settle(endorsement: Endorsement, last: boolean, signal: AbortSignal): Promise<Done>;
  close(escrow: Hex, signal: AbortSignal): Promise<Done>;
  refund(escrow: Hex, signal: AbortSignal): Promise<Done>;
  withdraw(signal: AbortSignal): Promise<Done>;
  anchor(origin: Hex, size: bigint, root: Hex, signal: AbortSignal): Promise<Done>;
  /** As it stands so many confirmations deep, or in the newest block. */
  escrow(escrow: Hex, signal: AbortSignal, at?: 'confirmed' | 'newest'): Promise<ChainEscrow | undefined>;
  /** Wei that `withdraw` would pay this address. */
  credit(signal: AbortSignal): Promise<bigint>;
  head(by: EvmAddress, origin: Hex, signal: AbortSignal): Promise<{ readonly size: bigint; readonly root: Hex }>;
}

/** Puts a new contract on the chain, paid by this key. Throws as the contract's calls. */
export async function deployEscrow(
  options: ChainOptions,
  signal: AbortSignal,
): Promise<Done & { readonly contract: EvmAddress }> {
  const node = await connect(options, signal);
  const sent = () => node.wallet.deployContract({ abi: [], bytecode: deploymentCode });
  const done = await node.included(sent, signal);
  if (done.created === undefined) throw chainFailure('the chain names no address for the new contract');
  return { transaction: done.transaction, gasUsed: done.gasUsed, contract: done.created };
}

/** What a node says of its chain, and of the money of this key there, wei. Throws SETTLEMENT_FAILED, and the signal's reason. */
export async function askNode(
  options: ChainOptions,
  signal: AbortSignal,
): Promise<{ readonly chainId: number; readonly balance: bigint }> {
  const { chainId, client, ask } = await connect(options, signal);
  return { chainId, balance: await ask(() => client.getBalance({ address: options.key.address }), signal) };
}

/**
 * Opens the contract at this address. Throws SETTLEMENT_FAILED without viem, when nothing answers, when another chain does, or when the code at the
 * address is not this program's contract: money goes to no other.
 */
export async function connectEscrow(
  options: ChainOptions & { readonly contract: EvmAddress },
  signal: AbortSignal,
): Promise<EscrowChain> {
  const { viem, chainId, account, client, wallet, confirmations, ask, included } = await connect(options, signal);
  const contract = options.contract.toLowerCase() as EvmAddress;
  const code = await ask(() => client.getCode({ address: contract }), signal);
  if (code !== deployedCode)
    throw chainFailure(
      `the code at ${contract} on chain ${chainId} is not this program’s escrow contract; deploy one, or correct the address`,
      { chainId, contract },
    );
  const abi = viem.parseAbi(escrowAbi);
  const at = { address: contract, abi } as const;
  const { write, read } = viem.getContract({ ...at, client: { public: client, wallet } });
  const wait = async (send: () => Promise<Hex>, during: AbortSignal): Promise<Done> => {
    const { transaction, gasUsed } = await included(send, during);
    return { transaction, gasUsed };
  };
  return {
    viem,
    chainId,
    contract,
    address: options.key.address,
    escrowOf(consumer, provider, lease) {
      const types = viem.parseAbiParameters('address, address, bytes32');
      return viem.keccak256(viem.encodeAbiParameters(types, [consumer, provider, lease]));
    },
    open: (lease, provider, settleUntil, wei, during) =>
      wait(() => write.open([lease, provider, settleUntil], { value: wei }), during),
    async endorse(escrow, amount, work) {
      const said = { chainId, contract, escrow, amount, work };
      return { ...said, signature: await account.signTypedData(receiptData(said)) };
    },
    settle({ escrow, amount, work, signature }, last, during) {
      const [r, s, v] = [viem.slice(signature, 0, 32), viem.slice(signature, 32, 64), viem.slice(signature, 64)];
      const args = [escrow, amount, work, r, s, Number(v)] as const;
      return wait(() => (last ? write.settleAndClose(args) : write.settle(args)), during);
    },
    close: (escrow, during) => wait(() => write.close([escrow]), during),
    refund: (escrow, during) => wait(() => write.refund([escrow]), during),
    withdraw: (during) => wait(() => write.withdraw(), during),
    anchor: (origin, size, root, during) => wait(() => write.anchor([origin, size, root]), during),
    async escrow(escrow, during, place = 'confirmed') {
      const deep = place === 'confirmed' ? confirmations - 1 : 0;
      const newest = deep === 0 ? undefined : await ask(() => client.getBlockNumber(), during);
      // A chain that is not so long has nothing that deep.
      if (newest !== undefined && newest < BigInt(deep)) return undefined;
      const block = newest === undefined ? {} : { blockNumber: newest - BigInt(deep) };
      const found = await ask(() => read.escrows([escrow], block), during);
      const [consumer, settleUntil, isOpen, provider, deposit, settled] = found;
      if (deposit === 0n) return undefined;
      return { consumer: lower(consumer), provider: lower(provider), settleUntil, isOpen, deposit, settled };
    },
    credit: (during) => ask(() => read.credit([options.key.address]), during),
    async head(by, origin, during) {
      const [size, root] = await ask(() => read.heads([by, origin]), during);
      return { size, root };
    },
  };
}

const lower = (address: Hex): EvmAddress => address.toLowerCase() as EvmAddress;

/** A chain that answers, and the key that writes there. */
async function connect(options: ChainOptions, signal: AbortSignal) {
  const { confirmations = 1 } = options;
  if (!Number.isSafeInteger(confirmations) || confirmations < 1 || confirmations > evmLimits.confirmationsMax)
    throw new PeerAiError<LedgerErrorCode>(
      'LIMIT_EXCEEDED',
      `what is on a chain counts after 1 to ${evmLimits.confirmationsMax} blocks`,
    );
  const viem = await loadViem(options.load);
  const pollingInterval = options.pollingMs ?? evmTimes.pollingMs;
  const transport = viem.http(options.rpcUrl, {
    timeout: options.requestTimeoutMs ?? evmTimes.requestTimeoutMs,
    retryCount: 0,
  });
  const first = viem.createPublicClient({ transport, pollingInterval });
  const chainId = await ask(() => first.getChainId(), signal);
  if (options.chainId !== undefined && options.chainId !== chainId)
    throw chainFailure(`${options.rpcUrl} is chain ${chainId}, not ${options.chainId}`, { chainId });
  const chain = viem.defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'wei', symbol: 'wei', decimals: 18 },
    rpcUrls: { default: { http: [options.rpcUrl] } },
  });
  const account = viem.privateKeyToAccount(viem.bytesToHex(options.key.secret));
  const client = viem.createPublicClient({ chain, transport, pollingInterval, cacheTime: 0 });
  const wallet = viem.createWalletClient({ chain, account, transport });

  async function ask<T>(question: () => Promise<T>, during: AbortSignal): Promise<T> {
    try {
      return await orAborted(question(), during);
    } catch (error) {
      throw PeerAiError.is(error) ? error : refusalOf(viem, error, options.rpcUrl);
    }
  }
  /** Sent, in a block, and not reverted there. */
  const included = (send: () => Promise<Hex>, during: AbortSignal) =>
    ask(async () => {
      const transaction = await send();
      const receipt = await client.waitForTransactionReceipt({
        hash: transaction,
        confirmations,
        timeout: evmTimes.inclusionTimeoutMs + (confirmations - 1) * evmTimes.blockMs,
      });
      if (receipt.status === 'success')
        return {
          transaction,
          gasUsed: receipt.gasUsed,
          created: receipt.contractAddress ? lower(receipt.contractAddress) : undefined,
        };
      throw new PeerAiError<LedgerErrorCode>('ESCROW_STATE', 'the contract turned the transaction back', {
        reason: 'reverted in its block',
        transaction,
      });
    }, during);
  return { viem, chainId, account, client, wallet, confirmations, ask, included };
}

/** What the contract answered, or that nothing did. What a node says may quote the request, so only its short form goes on. */
function refusalOf(viem: Viem, error: unknown, rpcUrl: string): PeerAiError {
  const chained = error instanceof viem.BaseError ? error : undefined;
  const reverted = chained?.walk((cause) => cause instanceof viem.ContractFunctionRevertedError);
  if (reverted instanceof viem.ContractFunctionRevertedError) {
    const reason = reverted.data?.errorName ?? reverted.reason ?? 'no reason given';
    const message = `the escrow contract says no: ${reason}`;
    return new PeerAiError<LedgerErrorCode>('ESCROW_STATE', message, { reason }, { cause: error });
  }
  const isPoor =
    chained?.walk((cause) => cause instanceof viem.InsufficientFundsError) instanceof viem.InsufficientFundsError;
  if (isPoor) {
    const message = 'this peer’s address has not that much, with the gas';
    return new PeerAiError<LedgerErrorCode>('CREDIT_EXCEEDED', message, {}, { cause: error });
  }
  const why = chained?.shortMessage ?? 'unknown failure';
  return chainFailure(`the chain at ${new URL(rpcUrl).host} does not do it: ${why}`, {}, error);
}
