import * as z from 'zod';

/** A node of the chain, asked by JSON-RPC. Who runs it may be paid by a key in the address: only its host is ever shown. */
const rpc = z
  .string()
  .refine((text) => /^https?:$/u.test(URL.parse(text)?.protocol ?? ''), 'this is no http or https address');
/** Without quotes YAML reads a number. */
const contractForm = 'a contract is 0x and 40 hex digits, in quotes';
const whole = z.int('this is a whole number').min(1, 'at least 1');

const evm = z
  .strictObject({
    rpc: rpc
      .optional()
      .describe('Where a node of the chain answers JSON-RPC, such as http://127.0.0.1:8545; shown without its path.'),
    chain_id: whole
      .optional()
      .describe('The chain the node must be of (EIP-155): 1 is Ethereum, 31337 anvil. Another one is refused.'),
    contract: z
      .string(contractForm)
      .regex(/^0x[0-9a-fA-F]{40}$/u, contractForm)
      .optional()
      .describe('The escrow contract; `peerai market deploy` makes one. Both peers of a lease name the same.'),
    wei_per_micro: whole
      .default(1_000_000_000)
      .describe(
        'Wei of a micro-credit, a millionth of a credit: what a credit is worth. Both peers of a lease say the same.',
      ),
    confirmations: whole
      .max(12, 'at most 12')
      .default(1)
      .describe(
        'In how many blocks a deposit, or another transaction, stands before it counts here: 1 is the block that has it; more where blocks are taken back. A lease begins so much later.',
      ),
    key_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The key that pays and is paid on the chain, made when it is missing; settlement.key beside the identity by default.',
      ),
  })
  .prefault({});

export const ledgerSection = z
  .strictObject({
    show: z
      .enum(['entries', 'heads'])
      .default('entries')
      .describe(
        'What paired devices get of this log: its entries, so that they hold a copy that can repair it, or its signed heads and proofs alone.',
      ),
    settlement: z
      .enum(['local', 'evm'])
      .default('local')
      .describe(
        'Where leases are settled, of models, storage and nodes: in the books of the two peers, or in a contract on the chain of ledger.evm.',
      ),
    evm,
  })
  .superRefine(({ settlement, evm: chain }, context) => {
    const need = (key: 'rpc' | 'chain_id' | 'contract', how: string): void => {
      if (chain[key] !== undefined) return;
      context.addIssue({ code: 'custom', path: ['evm', key], message: `settlement: evm needs it; ${how}` });
    };
    if (settlement === 'local') return;
    need('rpc', 'the address of a node, such as http://127.0.0.1:8545');
    need('chain_id', 'the number of the chain');
    need('contract', 'with settlement: local, `peerai market deploy` makes one and says its address');
  })
  .prefault({});

/** Whether a node is asked over a network. */
export function goesOut(rpc: string | undefined): boolean {
  const host = rpc === undefined ? 'localhost' : (URL.parse(rpc)?.hostname ?? '');
  return !/^(?:localhost|\[::1\]|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/u.test(host);
}
